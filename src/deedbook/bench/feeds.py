"""`deedbook bench feeds`: hundreds of clients, each on book, trades and ticker of one of ten pairs, while signed orders
come in over HTTP at a steady rate; how long after a batch its messages arrive, and what the API's memory does. Now and
then one is cut off and comes back; in the end all are, within a second. Kept books are compared with HTTP's."""

import asyncio
import os
import random
import time
from dataclasses import dataclass
from functools import partial

import orjson

from deedbook import truths
from deedbook.bench import cost
from deedbook.bench.crowd import Crowd
from deedbook.bench.follower import CHANNELS, Follower
from deedbook.bench.load import Load, RequestFailed
from deedbook.bench.reach import Reach, reach
from deedbook.bench.result import BenchResult, Round
from deedbook.bench.run import BenchFailed, Measure, Stage
from deedbook.bench.signing import Trader, sign_in_traders, signed_order
from deedbook.bench.venue import open_venue
from deedbook.identity import Domain
from deedbook.trading.spec import PairSpec

CONNECTIONS = 16
TRADERS_EACH = 4
RESTING_EACH = 60
WARM_UP_S = 3.0
CALM_S = 1.0
CUT_EVERY_S = 10.0
BACK_WITHIN_S = 1.0
"""Within so long all who were cut off at once come back."""
LOOKS = 10
"""How often the books are compared at most, before one counts as wrong."""
RESUMED_S = 10.0
"""After so long each of them must know everything again."""


@dataclass(frozen=True)
class Plan:
    """So many clients on so many pairs, so many orders a second in all, for so long."""

    clients: int
    pairs: int
    per_s: float
    seconds: int
    seed: int


def feeds(plan: Plan) -> Measure:
    """The measurement, to be run on a stage."""
    return partial(_measure, plan)


async def _measure(plan: Plan, stage: Stage) -> BenchResult:
    async with reach(stage, CONNECTIONS) as into:
        return await _Bench(plan, stage, into).run()


class _Bench:
    def __init__(self, plan: Plan, stage: Stage, into: Reach) -> None:
        self._plan, self._stage, self._into = plan, stage, into
        self._draw = random.Random(plan.seed)  # noqa: S311 - a load, not a secret
        self._run = os.urandom(3).hex().upper()
        self._signed = 0

    async def run(self) -> BenchResult:
        plan, stage = self._plan, self._stage
        stage.progress(f"Opening {plan.pairs} pairs, with {TRADERS_EACH} traders each")
        pairs = [await open_venue(self._into.db, f"F{self._run}{number}") for number in range(plan.pairs)]
        traders = {
            pair.symbol: await sign_in_traders(self._into.db, self._into.http, pair, TRADERS_EACH)
            for pair in pairs
        }
        domain = await self._into.domain()
        resting = [self._request(pair, traders, domain, crossing=False) for pair in pairs * RESTING_EACH]
        await self._send(resting, None)
        stage.progress(f"Opening {plan.clients} sockets")
        crowd = Crowd(stage.settings.PORT, [pair.symbol for pair in pairs], plan.clients)
        try:
            await crowd.open()
            return await self._follow(crowd, pairs, traders, domain)
        finally:
            crowd.close()

    async def _follow(
        self,
        crowd: Crowd,
        pairs: list[PairSpec],
        traders: dict[str, list[Trader]],
        domain: Domain,
    ) -> BenchResult:
        plan, stage = self._plan, self._stage
        count = int(plan.per_s * (plan.seconds + WARM_UP_S))
        requests = [
            self._request(pairs[n % len(pairs)], traders, domain, crossing=True) for n in range(count)
        ]
        warm = int(plan.per_s * WARM_UP_S)
        stage.progress(f"{plan.per_s:g} orders a second for {plan.seconds} s")
        await self._send(requests[:warm], plan.per_s)
        memory, before, started = cost.memory_mb(stage.home), cost.cpu_us(stage.home), time.perf_counter()
        crowd.count()
        stopping = asyncio.Event()
        cutting = asyncio.create_task(crowd.cut_now_and_then(CUT_EVERY_S, stopping))
        await self._send(requests[warm:], plan.per_s)
        stopping.set()
        await self._end(cutting)
        elapsed_s = time.perf_counter() - started
        after, spent = cost.memory_mb(stage.home), cost.cpu_us(stage.home)
        wrong = await self._differences(crowd)
        cut = len(crowd.gone)
        stage.progress(f"Cutting off all {plan.clients}")
        back_s = await self._cut_all(crowd)
        wrong += await self._differences(crowd)
        troubles = [*wrong, *(trouble for follower in crowd.all for trouble in follower.troubles)]
        rounds = [self._round(channel, crowd.all, elapsed_s) for channel in CHANNELS]
        messages = sum(entry.count for entry in rounds)
        late = sum(lag_s > RESUMED_S for lag_s in back_s)
        back = Round.of("back after all were cut", back_s, elapsed_s=max(back_s), failed=late + len(troubles))
        return BenchResult(
            name="feeds",
            rate=round(messages / elapsed_s, 2),
            unit="messages/s",
            p50_ms=rounds[0].p50_ms,
            p99_ms=rounds[0].p99_ms,
            cpu_us_per_unit=cost.per_unit(before, spent, messages),
            rounds=(*rounds, back),
            truths=all(truth.holds for truth in await truths.check_trading(self._into.db)),
            notes=(
                f"{plan.clients} clients on {plan.pairs} pairs, {plan.per_s:g} orders/s for {plan.seconds} s",
                f"{cut} were cut off meanwhile and came back; books that are not what HTTP tells: {len(wrong)}",
                f"memory of the API: {memory.get('api', 0)} MB before, {after.get('api', 0)} MB after",
                *troubles[:3],
            ),
        )

    async def _end(self, cutting: "asyncio.Task[None]") -> None:
        """Nothing trades any more: let what is under way arrive.

        Raises:
            BenchFailed: one that was cut off did not come back.
        """
        try:
            await cutting
        except (OSError, TimeoutError) as trouble:
            raise BenchFailed(f"one that was cut off did not come back: {trouble}") from trouble
        await asyncio.sleep(CALM_S)

    async def _differences(self, crowd: Crowd) -> list[str]:
        """What is wrong with the books once everything has arrived."""
        found: list[str] = []
        for _ in range(LOOKS):
            found = await crowd.differences(self._into.http)
            if not found:
                break
            await asyncio.sleep(CALM_S)
        return found

    async def _cut_all(self, crowd: Crowd) -> list[float]:
        try:
            return await crowd.cut_all(BACK_WITHIN_S)
        except (OSError, TimeoutError) as trouble:
            raise BenchFailed(f"not all came back: {trouble}") from trouble

    def _round(self, channel: str, followers: list[Follower], elapsed_s: float) -> Round:
        lags_s = [lag for follower in followers for lag in follower.lags_s[channel]]
        return Round.of(channel, lags_s, elapsed_s=elapsed_s, offered_per_s=self._plan.per_s)

    def _request(
        self, pair: PairSpec, traders: dict[str, list[Trader]], domain: Domain, *, crossing: bool
    ) -> bytes:
        self._signed += 1
        buy = self._draw.random() < 0.5
        away = 1 + int(abs(self._draw.gauss(0, 30))) - (self._draw.choice((0, 0, 15)) if crossing else 0)
        ticks = 10_000 + (-away if buy else away)
        trader = self._draw.choice(traders[pair.symbol])
        body = signed_order(
            trader,
            pair,
            domain,
            buy=buy,
            quantity=f"0.{self._draw.randrange(1, 1000):04d}",
            price=f"{ticks // 100}.{ticks % 100:02d}",
            nonce=f"{self._run}-{self._signed}",
        )
        return self._into.wire.request("POST", "/api/v1/trading/orders", trader.token, orjson.dumps(body))

    async def _send(self, requests: list[bytes], per_s: float | None) -> None:
        load: Load[None] = Load("orders", per_s=per_s)

        async def ask(request: bytes) -> None:
            status, body = await self._into.wire.send(request)
            if status != 201:
                raise RequestFailed(f"{status}: {body[:300].decode(errors='replace')}")

        await load.send([partial(ask, request) for request in requests])
        if load.failures:
            raise BenchFailed(f"{len(load.failures)} orders failed; the first: {load.failures[0]}")
