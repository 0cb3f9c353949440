"""`deedbook bench rebuild`: how long a pair is without its writer when one takes over a full book: the fence, every
living order read from PostgreSQL, the book, who owns the orders, and the copies in Valkey.
"""

import asyncio
import time

import structlog

from deedbook import truths
from deedbook.bench.matching import QUIET_S, Floor, cpu, fill, open_floor, until
from deedbook.bench.result import BenchResult, Round
from deedbook.trading.engine import Book
from deedbook.trading.matching import BookCopies, depth_key, take_over


async def rebuild(orders: int, rounds: int) -> BenchResult:
    """Measure so many takeovers of one book of so many orders, each compared with the book before it.

    Raises:
        AssertionError: a rebuilt book was not the same.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    async with open_floor() as floor:
        stopping = asyncio.Event()
        running = asyncio.create_task(floor.matcher.run(stopping))
        await fill(floor, orders)
        stopping.set()
        await running
        await floor.matcher.give_up()
        before = cpu(floor)
        took, copied = zip(*[await _once(floor, floor.matcher.book) for _ in range(rounds)], strict=True)
        cost = {name: (spent - before[name]) // (orders * rounds) for name, spent in cpu(floor).items()}
        held = all(truth.holds for truth in await truths.check_trading(floor.db))
    one = Round.of("takeovers", took, elapsed_s=sum(took))
    return BenchResult(
        name="rebuild",
        rate=round(orders / (one.p50_ms / 1000), 1),
        unit="orders/s",
        p50_ms=one.p50_ms,
        p99_ms=one.p99_ms,
        cpu_us_per_unit=cost,
        rounds=(one, Round.of("copies in Valkey complete", copied, elapsed_s=sum(copied))),
        truths=held,
        notes=(f"{orders} open orders; each rebuilt book had the hash of the one before",),
    )


async def _once(floor: Floor, before: Book) -> tuple[float, float]:
    """Seconds until the new writer may match, and until the copies that a flushed Valkey lost are complete."""
    await floor.redis.flushdb()
    stopping = asyncio.Event()
    copies = BookCopies(floor.redis)
    copying = asyncio.create_task(copies.run(stopping))
    started = time.perf_counter()
    matcher = await take_over(floor.db, floor.spec.pair_id, "rebuild", copies)
    assert matcher is not None
    took = time.perf_counter() - started
    await until(lambda: floor.redis.exists(depth_key(floor.spec.pair_id)), QUIET_S)
    copied = time.perf_counter() - started
    stopping.set()
    await copying
    assert matcher.book.state_hash() == before.state_hash()
    await matcher.give_up()
    return took, copied
