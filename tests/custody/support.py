"""A house with a vault on a chain in memory: users with wallets, two tokens, and the platform's key at work."""

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import orjson

from deedbook import chain, custody, tokens, truths
from deedbook.chain.terms import Call, Contract
from deedbook.chain.vault import Permit, VaultEventKind
from deedbook.chain.watcher import Watch, scan
from deedbook.custody import errands, jobs
from deedbook.custody.errands import Errand
from deedbook.custody.ports import Desk, Gate, Lookout, Policy
from deedbook.identity import DEPOSIT, TRANSFER, WITHDRAWAL, Caller, Domain, Role, ensure_user, grant
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import Struct
from deedbook.infra.database import Database
from deedbook.kernel.amounts import to_units
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.stack.wallet import Wallet
from deedbook.tokens import Token
from tests.chain.support import FakeLane, new_signer
from tests.compliance.support import APPROVED, open_desk
from tests.compliance.support import Desk as ComplianceDesk
from tests.support.fake_chain import CHAIN_ID, FakeChain, Sent, Told
from tests.support.vault_logs import MOVES, VAULT, decode, deposited, told, vault_event

DEPTH = 4
CASH = Address("0x" + "c0" * 20)
DEED = Address("0x" + "de" * 20)
DOMAIN = Domain(CHAIN_ID, VAULT)
POLICY = Policy(automatic_up_to=1_000, four_eyes_above=10_000, daily_limit=50_000, address_delay_s=3600)
_nonces = itertools.count()


class NoContracts:
    """Implements `ContractWallets`: all accounts are keys."""

    async def is_contract(self, account: Address) -> bool:
        return False

    async def accepts(self, account: Address, digest: bytes, signature: bytes) -> bool:
        return False


@dataclass
class FakeWords:
    """Implements `VaultWords` in the spelling of `vault_logs`: the data of a call are the events that it makes."""

    decimals: dict[Address, int]
    keeps: int = 0
    """What the token's contract keeps of each deposit, in base units."""

    def deposit_for(self, settlement: Address, deposit: Mapping[str, Any], signature: bytes) -> Call:
        account, token, asked = self._of(deposit, "trader")
        amount = asked - self.keeps
        event = vault_event(VaultEventKind.DEPOSITED, account, amount, token=token)
        digest = DEPOSIT.digest(DOMAIN, deposit)
        relayed = vault_event(VaultEventKind.DEPOSIT_RELAYED, account, amount, token=token, reference=digest)
        return _call(settlement, told(event), told(relayed))

    def deposit_with_permit(
        self, settlement: Address, deposit: Mapping[str, Any], signature: bytes, permit: Permit
    ) -> Call:
        return self.deposit_for(settlement, deposit, signature)

    def withdraw(
        self, settlement: Address, withdrawal: Mapping[str, Any], signature: bytes, reference: bytes
    ) -> Call:
        account, token, amount = self._of(withdrawal, "trader")
        to = Address(withdrawal["destination"])
        kind = VaultEventKind.WITHDRAWN
        event = vault_event(kind, account, amount, token=token, counterparty=to, reference=reference)
        return _call(settlement, told(event))

    def transfer(
        self, settlement: Address, moved: Mapping[str, Any], signature: bytes, reference: bytes
    ) -> Call:
        account, token, amount = self._of(moved, "from")
        kind, to = VaultEventKind.TRANSFERRED, Address(moved["to"])
        event = vault_event(kind, account, amount, token=token, counterparty=to, reference=reference)
        return _call(settlement, told(event))

    def _of(self, signed: Mapping[str, Any], who: str) -> tuple[Address, Address, int]:
        token = Address(signed["token"])
        return Address(signed[who]), token, to_units(signed["amount"], self.decimals[token])


def _call(settlement: Address, *logs: Told) -> Call:
    return Call(settlement, orjson.dumps([log.data.decode() for log in logs]), 100_000)


def _vault_tells(sent: Sent) -> tuple[Told, ...] | None:
    if sent.to != VAULT:
        return None
    return tuple(Told(VAULT, (MOVES,), data.encode()) for data in orjson.loads(sent.data))


@dataclass
class Person:
    """A user with a wallet."""

    wallet: Wallet
    caller: Caller

    @property
    def user_id(self) -> UserId:
        return self.caller.user_id

    @property
    def account(self) -> Address:
        return self.caller.account


@dataclass
class House:
    """The house. `cash` is nobody's but a stablecoin, `deed` an issued token under compliance."""

    db: Database
    node: FakeChain
    lane: FakeLane
    compliance: ComplianceDesk
    cash: Token
    deed: Token
    words: FakeWords
    desk: Desk
    policy: Policy = POLICY
    resources: "Resources" = field(init=False)

    def __post_init__(self) -> None:
        self.resources = Resources(self)

    async def person(self, *roles: Role, verified: bool = True) -> Person:
        wallet = Wallet.new()
        account = Address(wallet.address.lower())
        async with self.db.transaction() as tx:
            user_id = await ensure_user(tx, account)
            for role in roles:
                await grant(tx, account, role, "test", None)
        if verified:
            await self.compliance.set_record(user_id, APPROVED)
        return Person(wallet, Caller(user_id, account, None, frozenset(roles), new_uuid()))

    async def rich(self, amount: str = "1000", *, token: Token | None = None) -> Person:
        """Somebody with so much in the vault."""
        person, token = await self.person(), token or self.cash
        await self.happen(deposited(person.account, to_units(amount, token.decimals), token=self.at(token)))
        return person

    async def happen(self, *logs: Told) -> str:
        """A transaction of a stranger with these logs has its effect. Its hash."""
        tx_hash = self.node.tell(*logs)
        self.node.mine(1 + DEPTH)
        await self.watch()
        return tx_hash

    async def watch(self) -> None:
        for _ in range(100):
            if not await jobs.watch(self.db, self.resources.look):
                return
        raise AssertionError("the watcher finds no end")

    async def watch_only(self) -> None:
        """Read on, without any effect."""
        for _ in range(100):
            if not await scan(self.db, self.node, self.resources.look.watch):
                return
        raise AssertionError("the watcher finds no end")

    # What users do

    def signed(self, person: Person, struct: Struct, **fields: Any) -> tuple[dict[str, Any], str]:
        """A signed request: its fields and the signature over them."""
        who = struct.fields[0][0]
        values = {
            who: person.account,
            "token": fields.pop("token", CASH),
            "nonce": f"n-{next(_nonces)}",
            "expiry": int(time.time()) + 3600,
            **fields,
        }
        ordered = {name: values[name] for name, _ in struct.fields}
        return ordered, person.wallet.sign_digest(struct.digest(DOMAIN, ordered))

    async def check(self, person: Person, struct: Struct, **fields: Any) -> custody.Checked:
        values, signature = self.signed(person, struct, **fields)
        account = Address(values[struct.fields[0][0]])
        gate = Gate(CHAIN_ID, NoContracts())
        return await custody.check(self.db, gate, struct, account, values, signature, person.caller)

    async def withdraw(
        self, person: Person, amount: str = "100", *, to: Address | None = None, **fields: Any
    ) -> custody.Withdrawal:
        destination = to or person.account
        checked = await self.check(person, WITHDRAWAL, amount=amount, destination=destination, **fields)
        async with self.db.transaction() as tx:
            return await custody.withdrawals.request(tx, person.caller, checked, self.policy)

    async def transfer(
        self, person: Person, to: Person, amount: str = "100", **fields: Any
    ) -> custody.Transfer:
        checked = await self.check(person, TRANSFER, amount=amount, to=to.account, **fields)
        async with self.db.transaction() as tx:
            return await custody.transfers.request(tx, person.caller, checked)

    async def announce(
        self, person: Person, amount: str = "100", *, relay: bool = False, **fields: Any
    ) -> custody.Deposit:
        checked = await self.check(person, DEPOSIT, amount=amount, **fields)
        async with self.db.transaction() as tx:
            return await custody.deposits.request(tx, person.caller, checked, relay=relay, permit=None)

    async def decide(
        self,
        officer: Person,
        withdrawal: custody.Withdrawal,
        verdict: custody.Verdict,
        seen: int | None = None,
    ) -> custody.Withdrawal:
        async with self.db.transaction() as tx:
            return await custody.withdrawals.decide(
                tx, officer.caller, withdrawal.withdrawal_id, verdict, "looked at it", seen
            )

    # What the platform does

    async def carry_out(self, errand: Errand, id_: UUID) -> None:
        """Run the job with a lane that moves and a chain that mines, then watch."""
        await errands.ask(self.db, self.desk, errand, id_)
        if await chain.find(self.db, errand.key_of(id_)) is not None:
            await self.lane.finish(errand.key_of(id_))
        await errands.run(self.db, self.desk, errand, id_)
        self.node.mine(1 + DEPTH)
        await self.watch()

    # What became of it

    @staticmethod
    def at(token: Token) -> Address:
        assert token.contract_address is not None
        return token.contract_address

    async def balance(self, person: Person, token: Token | None = None) -> tuple[int, int]:
        async with self.db.transaction() as tx:
            row = await tx.fetchrow(
                "SELECT available, locked FROM user_balances WHERE user_id = $1 AND token_id = $2",
                person.user_id,
                (token or self.cash).token_id,
            )
        return (int(row["available"]), int(row["locked"])) if row else (0, 0)

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        async with self.db.reading() as connection:
            return [dict(row) for row in await connection.fetch(query, *values)]

    async def stands(self, withdrawal: custody.Withdrawal) -> str:
        """Where a withdrawal is."""
        return await self.status("withdrawal_requests", withdrawal.withdrawal_id)

    async def status(self, table: str, id_: UUID) -> str:
        name = {"withdrawal_requests": "withdrawal_id", "transfers": "transfer_id", "deposits": "deposit_id"}
        [row] = await self.rows(f"SELECT status FROM {table} WHERE {name[table]} = $1", id_)
        status: str = row["status"]
        return status

    async def let_a_day_pass(self, table: str, column: str) -> None:
        """For what this column says."""
        async with self.db.transaction() as tx:
            await tx.execute(f"UPDATE {table} SET {column} = {column} - interval '1 day'")

    async def history(self, id_: UUID) -> list[str]:
        """The facts about one thing, oldest first, without the room's name."""
        rows = await self.rows("SELECT event_type FROM events WHERE stream_id = $1 ORDER BY position", id_)
        return [row["event_type"].split(".")[1] for row in rows]

    async def supply(self, token: Token) -> int:
        [row] = await self.rows("SELECT total_supply FROM tokens WHERE token_id = $1", token.token_id)
        return int(row["total_supply"])

    async def suspense(self, token: Token | None = None) -> int:
        [row] = await self.rows(
            "SELECT COALESCE(sum(l.amount), 0) AS held FROM ledger_lines l JOIN ledger_accounts a USING (account_id) "
            "WHERE a.kind = 'suspense' AND l.token_id = $1",
            (token or self.cash).token_id,
        )
        return int(row["held"])

    async def require_truths(self) -> None:
        """The ledger is what it must be, and owes just what the vault's events say."""
        broken = {t.name: t.findings for t in await truths.check_money(self.db) if not t.holds}
        assert broken == {}
        unexplained = await self.rows(
            "SELECT event_type FROM events WHERE before IS NULL AND event_type ~ $1", _OURS
        )
        assert unexplained == []


_OURS = r"^(deposit|withdrawal|transfer|custody)\."


class Resources:
    """What the jobs of this room receive."""

    def __init__(self, house: House) -> None:
        self.db, self.desk = house.db, house.desk
        self.look = Lookout(house.node, Watch(CHAIN_ID, VAULT, decode, 0), DEPTH)

    async def lookout(self) -> Lookout | None:
        return self.look


async def open_house(db: Database) -> House:
    node = FakeChain(contract=_vault_tells)
    lane = FakeLane(db, node, new_signer())
    await lane.begin()
    compliance_desk = await open_desk(db, contract=DEED)
    async with db.transaction() as tx:
        await chain.record_contract(tx, CHAIN_ID, Contract.SETTLEMENT, VAULT)
        await tokens.record_cash(tx, CASH, CHAIN_ID, 6)
        cash, deed = await tokens.of_address(tx, CASH), await tokens.of_address(tx, DEED)
    assert cash is not None and deed is not None
    words = FakeWords({CASH: cash.decimals, DEED: deed.decimals})
    desk = Desk(words, node, CHAIN_ID, lane.wallet, wait_s=0.3, patience_s=0)
    return House(db, node, lane, compliance_desk, cash, deed, words, desk)


def somewhere() -> Address:
    """An address outside that nobody has used."""
    return Address(f"0x{uuid4().hex:0>40}")
