"""`deedbook bench matching`: the durable way without HTTP. Intake, matching, settlement, book copies; on a PostgreSQL
of its own with fsync and synchronous commits on, a Valkey of its own, and nothing mocked.

At saturation two senders send their next batch when the last was accepted; at a given rate send times are fixed
beforehand and latencies counted from them. A book may be filled first, far from where trades happen, to see that its
depth costs nothing.
"""

import asyncio
import os
import random
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

import structlog
from redis.asyncio import Redis

from deedbook import truths
from deedbook.bench.cost import cpu_of
from deedbook.bench.result import BenchResult, Round, middle_of
from deedbook.bench.venue import add_traders, admitted, open_venue
from deedbook.infra import memory
from deedbook.infra.bullmq_client import connect
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedPostgres, EmbeddedValkey
from deedbook.infra.schema import migrate
from deedbook.kernel.ids import UserId
from deedbook.trading.admission import Admitted
from deedbook.trading.book_copies import Change
from deedbook.trading.engine import Book
from deedbook.trading.execution import Batch
from deedbook.trading.intake import Intake
from deedbook.trading.live import LiveOrder
from deedbook.trading.matching import BookCopies, PairMatcher, take_over
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import OrderId

TRADERS = 1000
RICH = ("100000000", "100000000000")
BATCH = 200
SENDERS = 2
CANCELS = 0.43
"""Cancels for each order, so that they are 30 % of all commands."""
NEAR = 500
"""Orders of a side, from its best price on, that cancels are drawn from."""
FILL = 500
WARM = 500
"""Orders before the clock starts, so that connections are open and statements known."""
QUIET_S = 120.0


@dataclass(frozen=True)
class Plan:
    """How much, and how often. `per_s` of 0 means as fast as it goes; `resting` is how many orders rest before."""

    orders: int
    rounds: int
    per_s: int
    seed: int
    resting: int = 0


class _Seen(BookCopies):
    """Copies that also note when each order was first settled: a change is told right after its commit."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._touched: dict[int, list[str]] = {}
        self.settled: dict[OrderId, float] = {}

    def changes(self, spec: PairSpec, book: Book, batch: Batch, moment: str) -> Change:
        change = super().changes(spec, book, batch, moment)
        self._touched[id(change)] = [order.order_id for order in batch.touched]
        return change

    def tell(self, change: Change) -> None:
        now = time.perf_counter()
        for order_id in self._touched.pop(id(change), ()):
            self.settled.setdefault(OrderId(UUID(order_id)), now)
        super().tell(change)


@dataclass
class Floor:
    """The servers and the pair of one bench."""

    db: Database
    spec: PairSpec
    traders: list[UserId]
    matcher: PairMatcher
    intake: Intake
    copies: _Seen
    redis: Redis
    pids: dict[str, int]
    match_s: list[float]


async def matching(plan: Plan) -> BenchResult:
    """Measure; every round on a database of its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    rounds, costs, held, notes = [], [], True, []
    for number in range(1, plan.rounds + 1):
        async with open_floor() as floor:
            measured, spent, note = await _round(floor, plan, number)
            rounds.append(measured)
            costs.append(spent)
            notes.append(note)
            broken = [truth for truth in await truths.check_trading(floor.db) if not truth.holds]
            notes += [f"{truth.name}: {truth.findings[0]}" for truth in broken]
            held = held and not broken
    middle, cost = middle_of(list(zip(rounds, costs, strict=True)), by=lambda entry: entry[0].rate)
    return BenchResult(
        name="matching",
        rate=middle.rate,
        unit="commands/s",
        p50_ms=middle.p50_ms,
        p99_ms=middle.p99_ms,
        cpu_us_per_unit=cost,
        rounds=tuple(rounds),
        truths=held,
        notes=("60 % orders, 30 % cancels, 10 % market orders; p50 and p99 from sending to settled", *notes),
    )


async def _round(floor: Floor, plan: Plan, number: int) -> tuple[Round, dict[str, int], str]:
    orders = _orders(floor, plan, number)
    sent: dict[OrderId, float] = {}
    stopping = asyncio.Event()
    running = asyncio.create_task(floor.matcher.run(stopping))
    await fill(floor, max(plan.resting, WARM))
    memory.settle()
    floor.match_s.clear()
    before, started = cpu(floor), time.perf_counter()
    cancels = await (_at_rate if plan.per_s else _at_once)(floor, orders, sent, plan)
    await until(lambda: _nothing_waits(floor), QUIET_S)
    elapsed, after = time.perf_counter() - started, cpu(floor)
    await asyncio.sleep(0.05)
    stopping.set()
    await running
    settled = floor.copies.settled
    total = len(orders) + cancels
    latencies = [settled[order_id] - sent[order_id] for order_id in sent if order_id in settled]
    measured = Round.of(
        f"round {number}",
        latencies,
        elapsed_s=elapsed,
        failed=len(orders) - len(latencies),
        offered_per_s=plan.per_s or None,
    )
    async with floor.db.reading() as connection:
        trades = await connection.fetchval("SELECT count(*) FROM trades")
    cost = {name: (after[name] - before[name]) // total for name in before}
    entry = replace(
        measured,
        count=total,
        failed=len(orders) - len(latencies),
        offered_per_s=plan.per_s or None,
        rate=round(total / elapsed, 1),
    )
    note = f"round {number}: {trades} trades, {plan.resting} orders rested before"
    if plan.per_s:
        matched = Round.of("matched", floor.match_s, elapsed_s=elapsed)
        note += f"; the metric of match latency says p50 {matched.p50_ms:g} ms, p99 {matched.p99_ms:g} ms"
    return entry, cost, note


async def fill(floor: Floor, count: int) -> None:
    """Let so many orders rest, all too far away to trade."""
    for start in range(0, count, FILL):
        places = range(start, min(start + FILL, count))
        await asyncio.gather(*(floor.intake.submit(_far(floor, place)) for place in places))
    await until(lambda: _nothing_waits(floor), QUIET_S)


def _far(floor: Floor, place: int) -> Admitted:
    buy, away = place % 2 == 0, place // 2 % 4000
    ticks = 9_000 - away if buy else 11_000 + away
    return admitted(
        floor.spec,
        floor.traders[place % len(floor.traders)],
        "BUY" if buy else "SELL",
        "0.1",
        f"{ticks // 100}.{ticks % 100:02d}",
        nonce=f"f{place}",
    )


async def _at_once(floor: Floor, orders: Sequence[Admitted], sent: dict[OrderId, float], plan: Plan) -> int:
    draw = random.Random(plan.seed)  # noqa: S311
    batches = iter([orders[start : start + BATCH] for start in range(0, len(orders), BATCH)])
    return sum(await asyncio.gather(*(_send(floor, batches, sent, draw) for _ in range(SENDERS))))


async def _send(
    floor: Floor, batches: Iterator[Sequence[Admitted]], sent: dict[OrderId, float], draw: random.Random
) -> int:
    cancels = 0
    for batch in batches:
        now = time.perf_counter()
        sent.update((order.order_id, now) for order in batch)
        _, made = await asyncio.gather(
            asyncio.gather(*(floor.intake.submit(order) for order in batch)),
            _cancel_some(floor, draw, int(len(batch) * CANCELS)),
        )
        cancels += made
    return cancels


async def _at_rate(floor: Floor, orders: Sequence[Admitted], sent: dict[OrderId, float], plan: Plan) -> int:
    draw, cancels, tasks = random.Random(plan.seed), 0, []  # noqa: S311
    started = time.perf_counter() + 0.1
    for place, order in enumerate(orders):
        due = started + place / plan.per_s
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        sent[order.order_id] = due
        now = order._replace(created_at=datetime.now(UTC))
        tasks.append(asyncio.create_task(floor.intake.submit(now)))
        if place % 20 == 19:
            cancels += await _cancel_some(floor, draw, int(20 * CANCELS))
    await asyncio.gather(*tasks)
    return cancels


async def _cancel_some(floor: Floor, draw: random.Random, count: int) -> int:
    """Cancels of orders that rest, as `orders.cancel` writes them, many in one commit."""
    book = floor.matcher.book
    living = [
        order.order_id
        for buy in (True, False)
        for order in islice(book.resting(buy=buy), NEAR)
        if isinstance(order, LiveOrder)
    ]
    picked = draw.sample(living, min(count, len(living)))
    if picked:
        async with floor.db.transaction() as tx:
            await tx.execute(
                "INSERT INTO order_commands (pair_id, kind, order_id) SELECT $1, 'CANCEL', unnest($2::text[])::uuid",
                floor.spec.pair_id,
                picked,
            )
        floor.matcher.ring()
    return len(picked)


def _orders(floor: Floor, plan: Plan, number: int) -> list[Admitted]:
    draw = random.Random(plan.seed + number)  # noqa: S311
    made = []
    for place in range(plan.orders):
        buy, market = draw.random() < 0.5, draw.random() < 1 / 7
        away = int(abs(draw.gauss(0, 20))) - draw.choice((0, 0, 5))
        ticks = 10_000 + (200 if market else -away) * (1 if buy else -1)
        made.append(
            admitted(
                floor.spec,
                draw.choice(floor.traders),
                "BUY" if buy else "SELL",
                f"0.{draw.randrange(1, 1000):04d}",
                f"{ticks // 100}.{ticks % 100:02d}",
                tif="IOC" if market else "GTC",
                nonce=f"b{number}-{place}",
            )
        )
    return made


@asynccontextmanager
async def open_floor() -> AsyncIterator[Floor]:
    """A PostgreSQL and a Valkey of its own, a pair, and rich traders on it."""
    with tempfile.TemporaryDirectory(prefix="deedbook-bench-") as text:
        home = Path(text)
        os.chmod(home, 0o711)  # noqa: S103 - PostgreSQL's account passes through where this runs as root
        postgres = EmbeddedPostgres(home / "postgres" / "data", free_port(), "bench")
        valkey = EmbeddedValkey(home / "valkey" / "data", free_port(), "bench")
        async with postgres, valkey:
            await asyncio.to_thread(migrate, postgres.dsn())
            db, redis = await Database.connect(postgres.dsn()), connect(valkey.url())
            spec = await open_venue(db)
            traders = await add_traders(db, spec, [RICH] * TRADERS)
            stopping = asyncio.Event()
            copies = _Seen(redis)
            copying = asyncio.create_task(copies.run(stopping))
            match_s: list[float] = []

            def observe(name: str, value: float) -> None:
                if name == "match_s":
                    match_s.append(value)

            matcher = await take_over(db, spec.pair_id, "bench", copies, observe)
            assert matcher is not None
            intake = Intake(db, lambda orders: matcher.ring())
            pids = {"postgres": postgres.pid, "valkey": valkey.pid}
            try:
                yield Floor(db, spec, traders, matcher, intake, copies, redis, pids, match_s)
            finally:
                stopping.set()
                await copying
                await db.close()
                await redis.aclose()


def free_port() -> int:
    """A port that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _nothing_waits(floor: Floor) -> bool:
    async with floor.db.reading() as connection:
        return not await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM orders WHERE status = 'PENDING_MATCH') "
            "OR EXISTS (SELECT 1 FROM order_commands WHERE match_seq IS NULL)"
        )


async def until(condition: Callable[[], Awaitable[object]], within_s: float) -> None:
    """Raises TimeoutError: it did not become true."""
    deadline = time.monotonic() + within_s
    while not await condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for did not come")
        await asyncio.sleep(0.01)


def cpu(floor: Floor) -> dict[str, int]:
    spent = {name: cpu_of(pid) for name, pid in floor.pids.items()}
    return {**spent, "python": int(sum(os.times()[:2]) * 1_000_000)}
