"""Custody on a real chain: own and relayed deposits, a withdrawal, a transfer; the vault and the ledger agree."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from deedbook import chain, custody, tokens, truths
from deedbook.api.v1.schemas.own_custody import DepositTermsAnswer
from deedbook.chain.terms import Call, Contract, UnsignedTransaction
from deedbook.chain.vault import Permit, PermitTerms
from deedbook.chain.watcher import Watch
from deedbook.custody import errands, jobs
from deedbook.custody.errands import RELAY, TRANSFER, WITHDRAW
from deedbook.custody.errors import TokenNotKept, VaultNotDeployed
from deedbook.custody.ports import Desk, Gate, Lookout, Policy
from deedbook.custody.purses import Purse
from deedbook.identity import DEPOSIT, WITHDRAWAL, Caller, Domain, ensure_user, keccak
from deedbook.identity import TRANSFER as TRANSFER_STRUCT
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import Struct
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire import custody as words
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.contracts import read
from deedbook.integrations.sapphire.keys import LocalSigner, SigningLimits
from deedbook.integrations.sapphire.purses import SapphirePurses
from deedbook.integrations.sapphire.vault_deposits import own_deposit
from deedbook.integrations.sapphire.vault_events import decode_if_known
from deedbook.integrations.sapphire.vault_state import SapphireVaultState
from deedbook.integrations.sapphire.wallets import SapphireWallets
from deedbook.kernel.ids import TokenId, new_uuid
from deedbook.stack.wallet import Wallet
from deedbook.tokens import Token
from tests.chain.support import CAP
from tests.custody.support import somewhere
from tests.support.fake_chain import CHAIN_ID, GWEI
from tests.support.platform import Platform, moving, open_platform
from tests.support.waiting import PATIENCE_S, eventually

UNIT = 10**6
POLICY = Policy(1_000, 10_000, 50_000, 3600)


@dataclass
class Bank:
    """A founded platform with its quote token, and everything that custody needs."""

    platform: Platform
    anvil: EmbeddedAnvil
    vault: Address
    cash: Token
    lookout: Lookout
    desk: Desk

    @property
    def db(self) -> Database:
        return self.platform.db

    @property
    def cash_address(self) -> Address:
        assert self.cash.contract_address is not None
        return self.cash.contract_address

    async def person(self, dollars: int = 0) -> tuple[Wallet, Caller]:
        wallet = Wallet.new()
        account = Address(wallet.address.lower())
        await self.anvil.rpc("anvil_setBalance", account, hex(10**20))
        async with self.db.transaction() as tx:
            user_id = await ensure_user(tx, account)
        if dollars:
            data = keccak(b"mint(address,uint256)")[:4] + _word(account) + (dollars * UNIT).to_bytes(32)
            key = f"mint-dollars-{account}"
            async with self.db.transaction() as tx:
                await chain.request(
                    tx, key, self.platform.signer.address, Call(self.cash_address, data, 100_000)
                )
            await chain.wait_final(self.db, key, 20)
        return wallet, Caller(user_id, account, None, frozenset(), new_uuid())

    async def send(self, wallet: Wallet, *calls: Call) -> None:
        """Transactions that a user sends from their own wallet."""
        signer = LocalSigner(wallet.private_key, SigningLimits(CHAIN_ID, CAP))
        nonce = await self.platform.node.nonce(signer.address)
        for number, call in enumerate(calls):
            signed = signer.sign(UnsignedTransaction(CHAIN_ID, nonce + number, call, 100 * GWEI))
            assert await self.platform.node.send(signed.raw) is None

    async def check(self, wallet: Wallet, caller: Caller, struct: Struct, **fields: Any) -> custody.Checked:
        values = {
            struct.fields[0][0]: caller.account,
            "token": self.cash_address,
            "nonce": new_uuid().hex,
            "expiry": int(time.time()) + 3600,
            **fields,
        }
        ordered = {name: values[name] for name, _ in struct.fields}
        signature = wallet.sign_digest(struct.digest(Domain(CHAIN_ID, self.vault), ordered))
        gate = Gate(CHAIN_ID, SapphireWallets(self.platform.node))
        return await custody.check(self.db, gate, struct, caller.account, ordered, signature, caller)

    async def purse(self, caller: Caller) -> Purse:
        purses = SapphirePurses(self.platform.node)
        return await custody.purses.look(self.db, purses, CHAIN_ID, self.cash.token_id, caller.account)

    def permit(self, wallet: Wallet, purse: Purse, units: int) -> Permit:
        """An ERC-2612 approval of the vault, as a wallet makes it of what it is shown."""
        told, deadline = DepositTermsAnswer.of(purse, CHAIN_ID), int(time.time()) + 3600
        assert told.permit is not None
        message = {"owner": told.owner, "spender": told.spender, "value": units}
        message |= {"nonce": int(told.permit.nonce), "deadline": deadline}
        signable = encode_typed_data(told.permit.domain, told.permit.types, message)
        signed = Account.sign_message(signable, wallet.private_key)
        return Permit(units, deadline, signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32))

    async def balance(self, caller: Caller) -> tuple[int, int]:
        async with self.db.transaction() as tx:
            row = await tx.fetchrow(
                "SELECT available, locked FROM user_balances WHERE user_id = $1 AND token_id = $2",
                caller.user_id,
                self.cash.token_id,
            )
        return (int(row["available"]), int(row["locked"])) if row else (0, 0)

    async def reaches(self, caller: Caller, units: int) -> None:
        async def there() -> bool:
            return await self.balance(caller) == (units, 0)

        await eventually(there, f"{units} units are available", within_s=20)
        node, cash = self.platform.node, self.cash_address
        assert await words.vault_balance(node, self.vault, caller.account, cash) == units

    async def outside(self, account: Address) -> int:
        held = await read(
            self.platform.node, self.cash_address, "balanceOf(address)", ["address"], [account], "uint256"
        )
        return int(held)


def _word(address: Address) -> bytes:
    return bytes.fromhex(address[2:]).rjust(32, b"\0")


@pytest.fixture(scope="module")
async def bank(postgres: Any, anvil: EmbeddedAnvil) -> AsyncIterator[Bank]:
    dsn = await postgres.new_database()
    db, node = await Database.connect(dsn, acquire_timeout_s=PATIENCE_S), SapphireClient(anvil.url)
    platform = await open_platform(db, node, anvil)
    contracts = await platform.found()
    vault = contracts[Contract.SETTLEMENT]
    async with db.transaction() as tx:
        cash = await tokens.of_symbol(tx, "USDC")
    assert cash is not None
    watch = Watch(CHAIN_ID, vault, decode_if_known, await chain.deployed_in(db, vault))
    assert watch.first_block > 0
    lookout = Lookout(node, watch, 3)
    made = Bank(
        platform, anvil, vault, cash, lookout, Desk(words, node, CHAIN_ID, platform.signer.address, wait_s=30)
    )
    async with moving(platform):
        watching = asyncio.create_task(_keep_watching(made))
        yield made
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    await node.close()
    await db.close()
    await postgres.drop(dsn)


async def _keep_watching(bank: Bank) -> None:
    while True:
        await jobs.watch(bank.db, bank.lookout)
        await asyncio.sleep(0.05)


async def test_what_a_user_sends_themselves_is_credited(bank: Bank) -> None:
    wallet, caller = await bank.person(dollars=100)
    checked = await bank.check(wallet, caller, DEPOSIT, amount="60.25")
    async with bank.db.transaction() as tx:
        asked = await custody.deposits.request(tx, caller, checked, relay=False, permit=None)
    await bank.send(wallet, *own_deposit(bank.vault, bank.cash_address, checked.amount))
    await bank.reaches(caller, 60_250_000)
    async with bank.db.transaction() as tx:
        assert (
            await tx.fetchval("SELECT status FROM deposits WHERE deposit_id = $1", asked.deposit_id)
            == "CREDITED"
        )


async def test_a_deposit_is_relayed_with_a_permit(bank: Bank) -> None:
    wallet, caller = await bank.person(dollars=100)
    checked = await bank.check(wallet, caller, DEPOSIT, amount="40")
    purse = await bank.purse(caller)
    assert (purse.held, purse.allowed, purse.permit) == (100 * UNIT, 0, PermitTerms("Test Dollar", "1", 0))
    permit = bank.permit(wallet, purse, checked.amount)
    async with bank.db.transaction() as tx:
        asked = await custody.deposits.request(tx, caller, checked, relay=True, permit=permit)
    await errands.run(bank.db, bank.desk, RELAY, asked.deposit_id)
    await bank.reaches(caller, 40 * UNIT)
    after = await bank.purse(caller)
    assert after.held == await bank.outside(caller.account) == 60 * UNIT
    assert after.permit == PermitTerms("Test Dollar", "1", 1)


async def test_there_is_nothing_to_deposit_of_a_token_that_the_vault_does_not_keep(bank: Bank) -> None:
    _, caller = await bank.person()
    purses = SapphirePurses(bank.platform.node)
    with pytest.raises(TokenNotKept):
        await custody.purses.look(bank.db, purses, CHAIN_ID, TokenId(new_uuid()), caller.account)
    with pytest.raises(VaultNotDeployed):
        await custody.purses.look(bank.db, purses, CHAIN_ID + 1, bank.cash.token_id, caller.account)


async def rich(bank: Bank, dollars: int) -> tuple[Wallet, Caller]:
    wallet, caller = await bank.person(dollars)
    await bank.send(wallet, *own_deposit(bank.vault, bank.cash_address, dollars * UNIT))
    await bank.reaches(caller, dollars * UNIT)
    return wallet, caller


async def test_a_withdrawal_is_paid_out(bank: Bank) -> None:
    (wallet, caller), to = await rich(bank, 100), somewhere()
    checked = await bank.check(wallet, caller, WITHDRAWAL, amount="33.5", destination=to)
    async with bank.db.transaction() as tx:
        asked = await custody.withdrawals.request(tx, caller, checked, POLICY)
    await errands.run(bank.db, bank.desk, WITHDRAW, asked.withdrawal_id)
    await bank.reaches(caller, 66_500_000)
    assert await bank.outside(to) == 33_500_000


async def test_a_transfer_moves_in_the_vault(bank: Bank) -> None:
    (wallet, alice), (_, bob) = await rich(bank, 100), await bank.person()
    checked = await bank.check(wallet, alice, TRANSFER_STRUCT, amount="1.000001", to=bob.account)
    async with bank.db.transaction() as tx:
        asked = await custody.transfers.request(tx, alice, checked)
    await errands.run(bank.db, bank.desk, TRANSFER, asked.transfer_id)
    await bank.reaches(bob, 1_000_001)
    await bank.reaches(alice, 98_999_999)


async def test_what_the_contract_refuses_is_given_back_with_its_reason(bank: Bank) -> None:
    (wallet, caller), registry = await rich(bank, 10), await chain.contracts(bank.db, CHAIN_ID)
    checked = await bank.check(wallet, caller, WITHDRAWAL, amount="3", destination=somewhere())
    async with bank.db.transaction() as tx:
        asked = await custody.withdrawals.request(tx, caller, checked, POLICY)
        call = words.set_frozen(registry[Contract.IDENTITY_REGISTRY], [caller.account], True)
        await chain.request(tx, f"freeze-{caller.account}", bank.platform.signer.address, call)
    await chain.wait_final(bank.db, f"freeze-{caller.account}", 20)
    await errands.run(bank.db, bank.desk, WITHDRAW, asked.withdrawal_id)
    await bank.reaches(caller, 10 * UNIT)
    async with bank.db.transaction() as tx:
        reason = await tx.fetchval(
            "SELECT reason FROM withdrawal_requests WHERE withdrawal_id = $1", asked.withdrawal_id
        )
    assert "Restricted" in reason


async def test_the_ledger_and_the_vault_agree_to_the_last_unit(bank: Bank) -> None:
    await rich(bank, 7)
    async with bank.db.transaction() as tx:
        owed = await tx.fetchval(
            "SELECT sum(available + locked) FROM user_balances WHERE token_id = $1", bank.cash.token_id
        )
    assert int(owed) == await words.vault_total(bank.platform.node, bank.vault, bank.cash_address)
    assert [truth.findings for truth in await truths.check_money(bank.db) if not truth.holds] == []


async def test_reconciliation_is_exact_at_the_block_that_was_read(bank: Bank) -> None:
    """The chain moves on while it is asked: balances are those of the watcher's block all the same."""
    _, caller = await rich(bank, 12)
    state = SapphireVaultState(bank.platform.node, bank.vault)
    await jobs.watch(bank.db, bank.lookout)
    run = await custody.reconcile(bank.db, bank.platform.node, CHAIN_ID, state)
    assert run is not None
    assert run.exact, run.breaks
    [cash] = [told for told in run.tokens if told.books.token == bank.cash_address]
    assert cash.vault_owes == cash.books.owed + cash.books.in_flight > 0
    assert cash.vault_holds >= cash.vault_owes
    assert run.accounts > 0
    assert await state.balance(caller.account, bank.cash_address, run.block_number) == 12 * UNIT
    before = bank.lookout.watch.first_block + 1
    assert await state.balance(caller.account, bank.cash_address, before) == 0
