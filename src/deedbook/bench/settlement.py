"""`deedbook bench settlement`: signed orders over HTTP become trades, and the trades are settled on the running chain:
first one at a time, each alone in its transaction, then many at once, in batches. Lag is from match to final.

People and their market come by the same calls as in the demo, so that tokens are issued ones, with their rules.
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2

from deedbook import truths
from deedbook.bench import cost
from deedbook.bench.result import BenchResult, Round
from deedbook.bench.run import BenchFailed, Measure, Stage
from deedbook.infra.database import Database
from deedbook.stack.demo import PEOPLE, holdings, issuance
from deedbook.stack.demo.story import DemoFailed, Story
from deedbook.stack.sign import order_body
from deedbook.stack.wallet import Wallet
from deedbook.wiring import open_worker_resources

BUYERS = ("alice", "bob")
QUANTITY, PRICE = "0.001", "1000"
"""A dollar each, so that what the demo deposits is enough for thousands."""
MOST = 8000
IN_ONE_REQUEST = 50
SETTLED_WITHIN_S = 600.0
POLL_S = 0.1


@dataclass(frozen=True)
class Plan:
    """How many trades alone, and how many at once."""

    alone: int
    at_once: int


@dataclass(frozen=True)
class _Settled:
    """What became of the trades of a round. Lags in seconds, gas of all their transactions together."""

    lags: list[float]
    elapsed_s: float
    failed: int
    gas: int
    transactions: int

    @property
    def gas_each(self) -> int:
        return self.gas // max(1, len(self.lags))


def settlement(plan: Plan) -> Measure:
    """The measurement, to be run on a stage."""
    return partial(_measure, plan)


async def _measure(plan: Plan, stage: Stage) -> BenchResult:
    settings = stage.settings
    if plan.alone + plan.at_once > MOST:
        raise BenchFailed(f"at most {MOST:,} trades: the buyers have no more dollars")
    assert settings.DATABASE_URL is not None
    db = await Database.connect(settings.DATABASE_URL.get_secret_value(), pool_size=2, application="bench")
    base_url = f"http://127.0.0.1:{settings.PORT}/api/v1"
    try:
        async with httpx2.AsyncClient(base_url=base_url, timeout=30, trust_env=False) as http:
            story = Story(settings, http, {who: Wallet.new() for who in PEOPLE})
            return await _Bench(plan, stage, db, story).run()
    except DemoFailed as failure:
        raise BenchFailed(str(failure)) from failure
    finally:
        await db.close()


class _Bench:
    def __init__(self, plan: Plan, stage: Stage, db: Database, story: Story) -> None:
        self._plan, self._stage, self._db, self._story = plan, stage, db, story

    async def run(self) -> BenchResult:
        await self._prepare()
        alone = await self._alone()
        before = cost.cpu_us(self._stage.home)
        batched = await self._at_once(self._plan.at_once)
        spent = cost.per_unit(before, cost.cpu_us(self._stage.home), self._plan.at_once)
        rounds = (_round("alone", alone), _round("at once, in batches", batched))
        return BenchResult(
            name="settlement",
            rate=rounds[1].rate,
            unit="trades/s",
            p50_ms=rounds[1].p50_ms,
            p99_ms=rounds[1].p99_ms,
            cpu_us_per_unit=spent,
            rounds=rounds,
            truths=await self._truths_hold(),
            notes=(_gas(alone, batched),),
        )

    async def _prepare(self) -> None:
        self._stage.progress("Issuing a market; two investors deposit")
        for group in (*issuance.CHAPTERS, *holdings.CHAPTERS):
            await asyncio.gather(*(act(self._story) for _, act in group))

    async def _alone(self) -> _Settled:
        """Each when the one before is settled."""
        self._stage.progress(f"{self._plan.alone} trades, each alone")
        found = [await self._at_once(1, quiet=True) for _ in range(self._plan.alone)]
        return _Settled(
            [lag for one in found for lag in one.lags],
            sum(one.elapsed_s for one in found),
            sum(one.failed for one in found),
            sum(one.gas for one in found),
            sum(one.transactions for one in found),
        )

    async def _at_once(self, number: int, *, quiet: bool = False) -> _Settled:
        if not quiet:
            self._stage.progress(f"{number:,} trades at once")
        async with self._db.reading() as connection:
            since = await connection.fetchval("SELECT now()")
        await self._send("issuer", "SELL", number)
        shares = [number // len(BUYERS) + (place < number % len(BUYERS)) for place in range(len(BUYERS))]
        for who, share in zip(BUYERS, shares, strict=True):
            await self._send(who, "BUY", share)
        return await self._settled(since, number)

    async def _send(self, who: str, side: str, number: int) -> None:
        wallet, domain = self._story.wallets[who], await self._story.domain()
        for start in range(0, number, IN_ONE_REQUEST):
            count = min(IN_ONE_REQUEST, number - start)
            bodies = [
                order_body(wallet, domain, self._story.pair, side, QUANTITY, PRICE) for _ in range(count)
            ]
            answer = await self._story.call("POST", "/trading/orders/batch", who=who, json={"orders": bodies})
            refused = [entry["problem"] for entry in answer["data"] if entry["problem"]]
            if refused:
                raise BenchFailed(f"{len(refused)} orders were refused; the first: {refused[0]['detail']}")

    async def _settled(self, since: Any, number: int) -> _Settled:
        deadline, finished = time.monotonic() + SETTLED_WITHIN_S, 0
        while time.monotonic() < deadline:
            async with self._db.reading() as connection:
                row = await connection.fetchrow(_FOUND, since)
            assert row is not None
            finished = row["finished"]
            if finished == number:
                return _Settled(row["lags"], row["elapsed"], row["failed"], row["gas"], row["transactions"])
            await asyncio.sleep(POLL_S)
        raise BenchFailed(f"{finished} of {number} trades were settled in {SETTLED_WITHIN_S:.0f} s")

    async def _truths_hold(self) -> bool:
        chain_id = self._stage.settings.SAPPHIRE_CHAIN_ID
        async with open_worker_resources(self._stage.settings, "bench") as resources:
            found = await truths.check_all(resources.db, resources.node, chain_id, resources.signer.address)
        return all(truth.holds for truth in found)


_FOUND = """
    WITH mine AS (SELECT * FROM trade_settlements WHERE executed_at > $1 AND finished_at IS NOT NULL)
    SELECT count(*) AS finished, count(*) FILTER (WHERE status = 'FAILED') AS failed,
           COALESCE(array_agg(extract(epoch FROM finished_at - executed_at)::float8), '{}') AS lags,
           COALESCE(extract(epoch FROM max(finished_at) - min(executed_at)), 0)::float8 AS elapsed,
           (SELECT COALESCE(sum(gas_used), 0)::bigint FROM settlement_batches
            WHERE batch_id IN (SELECT batch_id FROM mine)) AS gas,
           (SELECT count(DISTINCT batch_id) FROM mine) AS transactions
    FROM mine
"""


def _gas(alone: _Settled, batched: _Settled) -> str:
    size = len(batched.lags) / max(1, batched.transactions)
    return (
        f"gas a trade: {alone.gas_each:,} alone, {batched.gas_each:,} in batches of {size:.1f}; both orders of each "
        "are fresh"
    )


def _round(name: str, found: _Settled) -> Round:
    return Round.of(name, found.lags, elapsed_s=found.elapsed_s, failed=found.failed)
