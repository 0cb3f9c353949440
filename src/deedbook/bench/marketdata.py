"""`deedbook bench marketdata`: candles and statistics under trades, and reads of all market data over loopback HTTP.

First on servers of its own: a day's backlog as fast as it is folded, then trades at a fixed rate with the jobs coming
by their clock, each counted from when it was traded to when it stood in a candle. Then on the running stack: book,
tape, candles, statistics and price are read while orders trade, and the share that PostgreSQL did not see is counted.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx2

from deedbook import truths
from deedbook.bench import cost
from deedbook.bench.load import Load, RequestFailed
from deedbook.bench.matching import Floor, cpu, open_floor
from deedbook.bench.reach import reach
from deedbook.bench.result import BenchResult, Round
from deedbook.bench.run import BenchFailed, Measure, Stage
from deedbook.bench.venue import add_traders, admitted, open_venue
from deedbook.bench.wire import Wire
from deedbook.infra.database import Database
from deedbook.kernel.ids import new_uuid
from deedbook.kernel.jobs import Job
from deedbook.marketdata import jobs
from deedbook.trading import intake_store
from deedbook.trading.spec import PairSpec

JOB = Job("bench", "by-the-clock", {})
BATCHES_PER_S = 10
READS = ("orderbook", "trades", "candles", "stats", "price")
CONNECTIONS = 8
TRADE_EVERY_S = 0.1
FIRST_TRADES = 200
WARM_S = 3.0
FOLDED_WITHIN_S = 60.0
METRIC = "deedbook_market_data_reads_total"


@dataclass(frozen=True)
class Plan:
    """How many trades stand there before; for how long and how many come each second; how many reads of each kind."""

    backlog: int
    seconds: int
    trades_per_s: int
    reads: int
    reads_per_s: int


def marketdata(plan: Plan) -> Measure:
    """The measurement, to be run on a stage."""
    return partial(_measure, plan)


async def _measure(plan: Plan, stage: Stage) -> BenchResult:
    stage.progress(f"Folding {plan.backlog:,} trades, then {plan.trades_per_s:,} a second")
    async with open_floor() as floor:
        folding, lag, cost_of_one, held = await _fold(plan, floor)
    before = cost.cpu_us(stage.home)
    reads, share, on_stack = await _read(plan, stage)
    spent = cost.per_unit(before, cost.cpu_us(stage.home), plan.reads * len(READS))
    slowest = max(reads, key=lambda entry: entry.p99_ms)
    return BenchResult(
        name="marketdata",
        rate=folding.rate,
        unit="trades/s folded",
        p50_ms=slowest.p50_ms,
        p99_ms=slowest.p99_ms,
        cpu_us_per_unit=spent,
        rounds=(folding, lag, *reads),
        truths=held and on_stack,
        notes=(
            f"p50 and p99 are those of the slowest kind of read: {slowest.name}",
            f"folding one trade of the backlog takes {cost_of_one:.1f} µs of processor time, database and all",
            "processor time per unit is that of a read, and of the orders that trade beside it",
            f"{share:.1%} of the reads were answered without PostgreSQL",
        ),
    )


async def _fold(plan: Plan, floor: Floor) -> tuple[Round, Round, float, bool]:
    await _trade(floor, plan.backlog, spread_s=86_000)
    before, started = cpu(floor), time.perf_counter()
    while await _folded(floor) < plan.backlog:
        await jobs.aggregate_candles(floor, JOB)
    elapsed = time.perf_counter() - started
    spent = (sum(cpu(floor).values()) - sum(before.values())) / plan.backlog
    latencies = [elapsed / plan.backlog] * plan.backlog
    folding = Round.of("backlog folded, per trade", latencies, elapsed_s=elapsed)
    async with _by_the_clock(floor):
        lag = await _at_rate(plan, floor)
    held = all(truth.holds for truth in await truths.check_candles(floor.db))
    return folding, lag, spent, held


@asynccontextmanager
async def _by_the_clock(floor: Floor) -> AsyncIterator[None]:
    """Both jobs each second, as the scheduler would have them come."""

    async def come() -> None:
        while True:
            started = time.perf_counter()
            await jobs.aggregate_candles(floor, JOB)
            await jobs.update_market_stats(floor, JOB)
            await asyncio.sleep(max(0.0, 1 - (time.perf_counter() - started)))

    coming = asyncio.create_task(come())
    try:
        yield
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)


async def _at_rate(plan: Plan, floor: Floor) -> Round:
    size = max(1, plan.trades_per_s // BATCHES_PER_S)
    number, made = plan.backlog, []
    started = time.perf_counter()
    watching = asyncio.create_task(_watch(floor, plan.backlog + size * BATCHES_PER_S * plan.seconds))
    for batch in range(plan.seconds * BATCHES_PER_S):
        await asyncio.sleep(max(0.0, started + batch / BATCHES_PER_S - time.perf_counter()))
        number = await _trade(floor, size, spread_s=0, after=number)
        made.append((number, time.perf_counter()))
    seen = await watching
    elapsed = time.perf_counter() - started
    ends = [next(moment for upto, moment in seen if upto >= last) for last, _ in made]
    latencies = [end - at for end, (_, at) in zip(ends, made, strict=True) for _ in range(size)]
    name = "traded to in a candle"
    return Round.of(name, latencies, elapsed_s=elapsed, offered_per_s=size * BATCHES_PER_S)


async def _watch(floor: Floor, until: int) -> list[tuple[int, float]]:
    """When the cursor was seen where."""
    seen: list[tuple[int, float]] = []
    deadline = time.perf_counter() + FOLDED_WITHIN_S
    while not seen or seen[-1][0] < until:
        upto = await _folded(floor)
        if not seen or upto != seen[-1][0]:
            seen.append((upto, time.perf_counter()))
        if time.perf_counter() > deadline:
            raise BenchFailed("candles do not keep up with the trades")
        await asyncio.sleep(0.02)
    return seen


async def _folded(floor: Floor) -> int:
    async with floor.db.reading() as connection:
        found = await connection.fetchval("SELECT trade_number FROM candle_cursors")
    return int(found or 0)


async def _trade(floor: Floor, count: int, *, spread_s: int, after: int = 0) -> int:
    """So many trades as a matcher leaves them, without their orders: the last of them now. The number of the last."""
    spec = floor.spec
    async with floor.db.transaction() as tx:
        await tx.execute(
            """
            INSERT INTO trades (trade_id, pair_id, trade_number, match_seq, taker_side, buy_order_id, sell_order_id,
                buyer_id, seller_id, price_ticks, size_lots, base_amount, quote_amount, buyer_fee, seller_fee,
                executed_at)
            SELECT gen_random_uuid(), $1, $2 + n, $2 + n, 'BUY', $3, $3, $3, $3, 10000 + n % 97, 1 + n % 50,
                   (1 + n % 50) * $4::numeric, (10000 + n % 97) * (1 + n % 50) * $5::numeric, 0, 0,
                   now() - ($6::int - n) * make_interval(secs => $7::float8 / $6::int)
            FROM generate_series(1, $6::int) AS n
            """,
            spec.pair_id,
            after,
            new_uuid(),
            spec.lot_units,
            spec.unit_quote,
            count,
            float(spread_s),
        )
        await tx.execute(
            "UPDATE pair_writer SET trade_number = $2 WHERE pair_id = $1", spec.pair_id, after + count
        )
    return after + count


async def _read(plan: Plan, stage: Stage) -> tuple[list[Round], float, bool]:
    async with reach(stage, CONNECTIONS) as into:
        spec = await open_venue(into.db, f"M{new_uuid().hex[-6:].upper()}")
        async with _trading(into.db, spec):
            await asyncio.sleep(WARM_S)
            before = await _reads(into.http)
            rounds = [await _round(plan, stage, into.wire, spec, what) for what in READS]
            after = await _reads(into.http)
        made = {source: after.get(source, 0) - before.get(source, 0) for source in after}
        held = all(truth.holds for truth in await truths.check_candles(into.db))
        return rounds, made.get("copy", 0) / max(sum(made.values()), 1), held


@asynccontextmanager
async def _trading(db: Database, spec: PairSpec) -> AsyncIterator[None]:
    """Somebody buys from somebody, again and again, through the stack's own matcher."""
    buyer, seller = await add_traders(db, spec, [("0", "100000000"), ("1000000", "0")])

    async def trade(number: int) -> None:
        price = f"{100 + number % 7}"
        sell = admitted(spec, seller, "SELL", "1", price, nonce=f"s{number}")
        await intake_store.take(db, [sell, admitted(spec, buyer, "BUY", "1", price, nonce=f"b{number}")])

    async def go_on() -> None:
        number = FIRST_TRADES
        while True:
            await trade(number)
            number += 1
            await asyncio.sleep(TRADE_EVERY_S)

    for number in range(FIRST_TRADES):
        await trade(number)
    going = asyncio.create_task(go_on())
    try:
        yield
    finally:
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)


async def _round(plan: Plan, stage: Stage, wire: Wire, spec: PairSpec, what: str) -> Round:
    stage.progress(f"Reading {what}: {plan.reads:,}")
    load: Load[None] = Load(what, per_s=float(plan.reads_per_s))
    request = wire.request("GET", f"/api/v1/trading/pairs/{spec.symbol}/{what}", "", b"")

    async def ask() -> None:
        status, body = await wire.send(request)
        if status != 200:
            raise RequestFailed(f"{status}: {body[:300].decode(errors='replace')}")

    await load.send([ask] * plan.reads)
    if load.failures:
        raise BenchFailed(f"{what}: {len(load.failures)} failed; the first: {load.failures[0]}")
    return load.round


async def _reads(http: httpx2.AsyncClient) -> dict[str, float]:
    """Reads so far by where they were answered from."""
    text = (await http.get(http.base_url.join("/metrics"))).raise_for_status().text
    lines = [line for line in text.splitlines() if line.startswith(METRIC + "{")]
    return {line.split('"')[1]: float(line.rsplit(" ", 1)[1]) for line in lines}
