"""The counter of a running platform: people who sign, send from wallets of their own, and count what they have.

What the chain has done is read from the chain itself, so that no table of ours is believed about it.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from deedbook import chain
from deedbook.chain.terms import Call, Contract, UnsignedTransaction
from deedbook.chain.vault import reference_of
from deedbook.identity import DEPOSIT, TRANSFER, WITHDRAWAL, Domain, keccak
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import Struct
from deedbook.infra.database import Database
from deedbook.integrations.sapphire.contracts import read
from deedbook.integrations.sapphire.keys import LocalSigner, SigningLimits
from deedbook.integrations.sapphire.vault_deposits import own_deposit
from deedbook.kernel.amounts import to_text, to_units
from deedbook.stack.dollars import give_dollars, sign_permit
from deedbook.stack.grant import grant
from deedbook.stack.wallet import Wallet
from tests.support.stack import PATIENCE_S, Listing, Stack
from tests.support.waiting import eventually

CENTS = 6
GAS = 100_000
PRICE = 2 * 10**9
RICHES = "1000000000"
_IDENTITY = "(bool,bytes2,uint8,uint64,bool)"
DONE = {
    "withdrawals": "COMPLETED",
    "transfers": "COMPLETED",
    "tokens/mints": "COMPLETED",
    "deposits": "CREDITED",
}
EVENTS = {
    "withdrawals": "Withdrawn(bytes32,address,address,address,uint256)",
    "transfers": "Transferred(bytes32,address,address,address,uint256)",
    "tokens/mints": "MintCredited(bytes32,address,address,uint256)",
    "deposits": "DepositRelayed(bytes32,address,address,uint256)",
}
"""What the vault says of each, with the reference or the digest first."""


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in, with a wallet of their own."""

    wallet: Wallet
    user_id: str

    @property
    def account(self) -> Address:
        return Address(self.wallet.address.lower())


@dataclass(frozen=True)
class Asked:
    """An operation under way: where it can be read, by whom, and by what the vault calls it."""

    kind: str
    id_: str
    whose: Person
    reference: bytes

    @classmethod
    def of(cls, kind: str, answer: dict[str, Any], whose: Person) -> "Asked":
        return cls(kind, answer["id"], whose, reference_of(UUID(answer["id"])))

    @property
    def path(self) -> str:
        return f"/{self.kind}/{self.id_}"


@dataclass
class Counter:
    """A stack with a live market, and a bank that gives dollars."""

    stack: Stack
    bank: Wallet
    domain: Domain
    cash: Address
    registry: Address
    listing: Listing
    issuer: Person
    officer: Person
    deed: dict[str, Any]
    signatures: list[str] = field(default_factory=list)

    @classmethod
    async def open(cls, stack: Stack) -> "Counter":
        bank = Wallet.new()
        await give_dollars(stack.settings, Address(bank.address.lower()), RICHES)
        await stack.anvil.rpc("anvil_setBalance", bank.address, hex(10**24))
        await grant(stack.settings, stack.officer.address, "operator", "", "")
        issuer = Person(stack.issuer, await stack.enter(stack.issuer))
        officer = Person(stack.officer, await stack.enter(stack.officer))
        listing = await stack.lifecycle()
        deed = await stack.call("GET", f"/tokens/{listing.symbol}")
        db = await Database.connect(stack.postgres.dsn(), pool_size=1, acquire_timeout_s=PATIENCE_S)
        contracts = await chain.contracts(db, stack.settings.SAPPHIRE_CHAIN_ID)
        await db.close()
        domain = Domain(stack.settings.SAPPHIRE_CHAIN_ID, contracts[Contract.SETTLEMENT])
        cash, registry = contracts[Contract.CASH], contracts[Contract.IDENTITY_REGISTRY]
        opened = cls(stack, bank, domain, cash, registry, listing, issuer, officer, deed)
        await opened.verify(issuer)
        return opened

    # People

    async def person(self, dollars: str = "0", *, verified: bool = False) -> Person:
        """Somebody new, with so much in the vault."""
        wallet = Wallet.new()
        person = Person(wallet, await self.stack.enter(wallet))
        await self.stack.anvil.rpc("anvil_setBalance", wallet.address, hex(10**20))
        if verified:
            await self.verify(person)
        if dollars != "0":
            await self.pay(person, dollars)
            await self.bring(person, dollars)
            await self.has(person, self.cash, dollars)
        return person

    async def verify(self, person: Person, **changes: Any) -> None:
        body = {
            "tokenId": self.deed["id"],
            "kycStatus": "APPROVED",
            "kycLevel": 2,
            "whitelisted": True,
            "jurisdiction": "PT",
            **changes,
        }
        await self.decide(f"/tokens/compliance/{person.user_id}", body)

    async def decide(self, path: str, body: dict[str, Any]) -> Any:
        """What the officer does."""
        return await self.stack.call("POST", path, who=self.stack.officer, json=body)

    async def pay(self, person: Person, dollars: str) -> list[bytes]:
        """Dollars from the bank into a wallet; the bytes of its transaction."""
        data = keccak(b"transfer(address,uint256)")[:4] + _words(person.account, to_units(dollars, CENTS))
        return await self.send(self.bank, Call(self.cash, data, GAS))

    async def bring(self, person: Person, dollars: str, *, wait: bool = True) -> list[bytes]:
        """Dollars from a wallet into the vault, by two transactions of its own; their bytes."""
        calls = own_deposit(self.domain.verifying_contract, self.cash, to_units(dollars, CENTS))
        return await self.send(person.wallet, *calls, wait=wait)

    async def send(self, wallet: Wallet, *calls: Call, wait: bool = True) -> list[bytes]:
        """Transactions from a wallet of one's own; unless told otherwise they are mined then. Their bytes."""
        chain_id = self.domain.chain_id
        signer = LocalSigner(wallet.private_key, SigningLimits(chain_id, 10**12))
        nonce = await self.stack.node.nonce(signer.address)
        signed = [
            signer.sign(UnsignedTransaction(chain_id, nonce + number, call, PRICE))
            for number, call in enumerate(calls)
        ]
        for each in signed:
            assert await self.stack.node.send(each.raw) is None

        async def mined() -> bool:
            receipts = await self.stack.node.receipts([each.tx_hash for each in signed])
            assert all(receipt.succeeded for receipt in receipts.values()), receipts
            return len(receipts) == len(signed)

        if wait:
            await eventually(mined, "one's own transactions are mined")
        return [each.raw for each in signed]

    # What is asked for

    def signed(self, person: Person, struct: Struct, **values: Any) -> dict[str, Any]:
        """A signed body, with a nonce of its own."""
        given = {"token": self.cash, "nonce": uuid4().hex, "expiry": int(time.time()) + 3600, **values}
        ordered = {name: given[name] for name, _ in struct.fields}
        signature = person.wallet.sign_typed(self.domain, struct, ordered)
        self.signatures.append(signature)
        return {**ordered, "signature": signature}

    def withdrawal(self, person: Person, amount: str, destination: Address | None = None) -> dict[str, Any]:
        return self.signed(
            person,
            WITHDRAWAL,
            trader=person.account,
            amount=amount,
            destination=destination or person.account,
        )

    async def withdraw(self, person: Person, amount: str, destination: Address | None = None) -> Asked:
        body = self.withdrawal(person, amount, destination)
        return await self.ask("withdrawals", "/withdrawals", person, body)

    def transfer(self, person: Person, to: Person, amount: str, **more: Any) -> dict[str, Any]:
        given = {"from": person.account, "amount": amount, "to": to.account, **more}
        return self.signed(person, TRANSFER, **given)

    async def hand_over(self, person: Person, to: Person, amount: str) -> Asked:
        """Dollars from one to another."""
        path = f"/tokens/{await self.cash_id()}/transfer"
        return await self.ask("transfers", path, person, self.transfer(person, to, amount))

    async def relay(self, person: Person, amount: str) -> Asked:
        """A deposit that the platform brings, of what is in the wallet already."""
        permit = await sign_permit(self.stack.settings, person.wallet, amount)
        self.signatures += [permit["r"], permit["s"]]
        body = self.signed(person, DEPOSIT, trader=person.account, amount=amount)
        told = {**body, "relay": True, "permit": permit}
        digest = DEPOSIT.digest(self.domain, {name: body[name] for name, _ in DEPOSIT.fields})
        return replace(await self.ask("deposits", "/deposits", person, told), reference=digest)

    async def mint(self, amount: str) -> Asked:
        """More of the deed for its issuer, with the officer's agreement."""
        body = {"amount": amount, "reason": "more of it"}
        asked = await self.ask("tokens/mints", f"/tokens/{self.deed['id']}/mint", self.issuer, body)
        await self.decide(f"{asked.path}/approve", {})
        return asked

    async def ask(self, kind: str, path: str, person: Person, body: dict[str, Any]) -> Asked:
        told = await self.stack.call("POST", path, status=201, who=person.wallet, json=body)
        return Asked.of(kind, told, person)

    async def cash_id(self) -> str:
        return str((await self.stack.call("GET", "/tokens/USDC"))["id"])

    # What has become of it

    async def seen(self, asked: Asked) -> dict[str, Any]:
        told: dict[str, Any] = await self.stack.call("GET", asked.path, who=asked.whose.wallet)
        return told

    async def stands(self, asked: Asked, status: str, *, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait until it stands there."""

        async def does() -> dict[str, Any] | None:
            told = await self.seen(asked)
            return told if told["status"] == status else None

        found = await eventually(does, f"{asked} is {status}", within_s=within_s, every_s=0.2)
        assert found is not None
        return found

    async def done_once(self, *asked: Asked, within_s: float = PATIENCE_S) -> None:
        """Each has come to its good end, and the chain has done it exactly once."""
        await asyncio.gather(*(self.stands(each, DONE[each.kind], within_s=within_s) for each in asked))
        for each in asked:
            assert await self.times(each) == 1, each

    async def times(self, asked: Asked) -> int:
        """How often the vault has done it."""
        wanted = {
            "address": self.domain.verifying_contract,
            "fromBlock": "0x0",
            "toBlock": "latest",
            "topics": ["0x" + keccak(EVENTS[asked.kind].encode()).hex(), "0x" + asked.reference.hex()],
        }
        logs = await self.stack.anvil.rpc("eth_getLogs", wanted)
        assert isinstance(logs, list)
        return len(logs)

    async def balance(self, person: Person, symbol: str = "USDC") -> dict[str, Any]:
        """What the books say."""
        found = await self.stack.call("GET", f"/tokens/balances/{person.user_id}", who=person.wallet)
        mine: dict[str, Any] = next(
            (entry for entry in found["data"] if entry["symbol"] == symbol),
            {"available": "0", "locked": "0", "total": "0"},
        )
        return mine

    async def has(self, person: Person, token: Address, amount: str) -> None:
        """Wait until the books and the vault say so."""
        symbol = "USDC" if token == self.cash else self.listing.symbol

        async def does() -> bool:
            return bool((await self.balance(person, symbol))["available"] == amount)

        await eventually(does, f"{person.account} has {amount} {symbol}", within_s=PATIENCE_S, every_s=0.1)
        decimals = CENTS if token == self.cash else 18
        assert to_text(await self.in_vault(person, token), decimals) == amount

    async def in_vault(self, person: Person, token: Address) -> int:
        """What the vault says."""
        vault, node = self.domain.verifying_contract, self.stack.node
        asked = "balanceOf(address,address)", ["address", "address"], [person.account, token]
        return int(await read(node, vault, *asked, "uint256"))

    async def in_wallet(self, account: Address) -> str:
        """Dollars outside the vault."""
        node = self.stack.node
        units = await read(node, self.cash, "balanceOf(address)", ["address"], [account], "uint256")
        return to_text(int(units), CENTS)

    async def identity(self, person: Person) -> tuple[bool, bytes, int, int, bool]:
        """Verified, jurisdiction, accreditation, expiry and frozen, as the chain's registry has them."""
        asked = "identityOf(address)", ["address"], [person.account]
        told: tuple[bool, bytes, int, int, bool] = await read(
            self.stack.node, self.registry, *asked, _IDENTITY
        )
        return told

    async def is_on_chain(self, person: Person) -> bool:
        """Whether all that was decided of somebody is final on the chain."""
        path = f"/tokens/compliance/{person.user_id}"
        return bool((await self.stack.call("GET", path, who=person.wallet))["onChain"])

    async def registered(self, person: Person) -> None:
        await eventually(
            lambda: self.is_on_chain(person), "the chain has heard", within_s=PATIENCE_S, every_s=0.2
        )


def _words(account: Address, units: int) -> bytes:
    return bytes.fromhex(account[2:]).rjust(32, b"\0") + units.to_bytes(32)


def somewhere() -> Address:
    """An address outside, of nobody."""
    return Address("0x" + uuid4().hex + uuid4().hex[:8])
