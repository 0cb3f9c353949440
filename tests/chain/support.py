"""A lane under test: ask for transactions, step as workers do, and look at what became of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from deedbook import chain
from deedbook.chain import lane, nonces
from deedbook.chain.lane import LanePolicy
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call, ChainTransaction, TxStatus
from deedbook.identity.terms import Address
from deedbook.infra import failpoints
from deedbook.infra.database import Database
from deedbook.integrations.sapphire.accounts import Account
from deedbook.integrations.sapphire.keys import LocalSigner, SigningLimits
from tests.support.fake_chain import CHAIN_ID, GWEI, FakeChain

TARGET = Address("0x" + "11" * 20)
GAS = 60_000
CAP = 1000 * GWEI
CONFIRMATIONS = 4
POLICY = LanePolicy(CHAIN_ID, CONFIRMATIONS, CAP)


def new_signer() -> LocalSigner:
    return LocalSigner(bytes(Account.create().key), SigningLimits(CHAIN_ID, CAP))


def call(number: int = 0, gas: int = GAS) -> Call:
    """A call that can be told from others by its data."""
    return Call(TARGET, number.to_bytes(4), gas)


@dataclass
class Lane:
    """The lane of one key."""

    db: Database
    node: Chain
    signer: LocalSigner
    policy: LanePolicy = POLICY

    @property
    def wallet(self) -> Address:
        return self.signer.address

    async def ask(self, *keys: str, first: int = 0) -> None:
        async with self.db.transaction() as tx:
            for number, key in enumerate(keys, first):
                await chain.request(tx, key, self.wallet, call(number))

    async def step(self) -> bool:
        return await lane.step(self.db, self.node, self.signer, self.policy, datetime.now(UTC))

    async def check(self) -> None:
        await nonces.check_nonces(self.db, self.node, self.signer)

    async def begin(self) -> None:
        """The first step of all: it only looks where the chain stands."""
        await self.step()

    async def entry(self, key: str) -> ChainTransaction:
        found = await chain.find(self.db, key)
        assert found is not None
        return found

    async def status(self, key: str) -> TxStatus:
        return (await self.entry(key)).status

    async def later(self, seconds: float) -> None:
        """Let time pass for what was sent."""
        by = timedelta(seconds=seconds)
        async with self.db.transaction() as tx:
            await tx.execute(
                "UPDATE chain_transactions SET signed_at = signed_at - $1::interval WHERE status <> 'queued'",
                by,
            )
        async with self.db.transaction() as tx:
            await tx.execute(
                "UPDATE chain_attempts SET created_at = created_at - $1::interval, "
                "broadcast_at = broadcast_at - $1::interval",
                by,
            )

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        async with self.db.reading() as connection:
            return [dict(row) for row in await connection.fetch(query, *values)]

    async def attempts(self, key: str) -> list[dict[str, Any]]:
        return await self.rows(
            "SELECT a.* FROM chain_attempts a JOIN chain_transactions t USING (transaction_id) "
            "WHERE t.key = $1 ORDER BY attempt",
            key,
        )

    async def stopped(self) -> str | None:
        rows = await self.rows("SELECT stopped_reason FROM chain_wallets WHERE address = $1", self.wallet)
        reason: str | None = rows[0]["stopped_reason"]
        return reason

    async def next_nonce(self) -> int:
        rows = await self.rows("SELECT next_nonce FROM chain_wallets WHERE address = $1", self.wallet)
        number: int = rows[0]["next_nonce"]
        return number

    async def in_flight(self) -> int:
        rows = await self.rows(
            "SELECT count(*) AS number FROM chain_transactions WHERE status IN ('signed', 'sent')"
        )
        number: int = rows[0]["number"]
        return number


@dataclass
class FakeLane(Lane):
    """A lane on a chain that mines when told."""

    node: FakeChain

    async def finish(self, *keys: str) -> None:
        """Step and mine until these are final."""
        for _ in range(200):
            await self.step()
            self.node.mine()
            statuses = [await self.status(key) for key in keys]
            if all(status in (TxStatus.CONFIRMED, TxStatus.REVERTED) for status in statuses):
                return
        raise AssertionError(f"not final: {statuses}")

    def effects(self) -> list[int]:
        """The numbers of the calls that took effect, in order."""
        return [int.from_bytes(sent.data) for sent in self.node.mined(self.wallet)]


@contextmanager
def armed(text: str) -> Iterator[None]:
    """These failpoints in this process, for a while."""
    failpoints.arm(text)
    try:
        yield
    finally:
        failpoints.arm("")


@asynccontextmanager
async def mining(node: FakeChain, every_s: float) -> AsyncIterator[None]:
    """The fake chain mines by itself."""

    async def mine() -> None:
        while True:
            await asyncio.sleep(every_s)
            node.mine()

    task = asyncio.create_task(mine())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def refuse(number: int, why: str) -> Callable[[Any], str | None]:
    """A contract that undoes the call of this number."""
    return lambda sent: why if int.from_bytes(sent.data or b"\xff" * 4) == number else None
