"""`deedbook bench feeds`: hundreds of clients, each on book, trades and ticker of one of ten pairs, while signed orders
come in over HTTP at a steady rate; how long after a batch its messages arrive, and what the API's memory does."""

import asyncio
import os
import random
import time
from dataclasses import dataclass
from functools import partial

import orjson

from deedbook import truths
from deedbook.bench import cost
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
KEEP_BOOKS = 25
"""One in so many clients keeps a whole copy of its book and checks its sum at every message."""
OPENED_AT_ONCE = 25
WARM_UP_S = 3.0
CALM_S = 1.0


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
        followers = await self._followers([pair.symbol for pair in pairs])
        try:
            return await self._follow(followers, pairs, traders, domain)
        finally:
            for follower in followers:
                follower.counting = False
                follower.close()

    async def _follow(
        self,
        followers: list[Follower],
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
        for follower in followers:
            follower.counting = True
        await self._send(requests[warm:], plan.per_s)
        await asyncio.sleep(CALM_S)
        elapsed_s = time.perf_counter() - started
        after = cost.memory_mb(stage.home)
        rounds = tuple(self._round(channel, followers, elapsed_s) for channel in CHANNELS)
        messages = sum(entry.count for entry in rounds)
        troubles = [trouble for follower in followers for trouble in follower.troubles]
        return BenchResult(
            name="feeds",
            rate=round(messages / elapsed_s, 2),
            unit="messages/s",
            p50_ms=rounds[0].p50_ms,
            p99_ms=rounds[0].p99_ms,
            cpu_us_per_unit=cost.per_unit(before, cost.cpu_us(stage.home), messages),
            rounds=rounds,
            truths=all(truth.holds for truth in await truths.check_trading(self._into.db)),
            notes=(
                f"{plan.clients} clients on {plan.pairs} pairs, {plan.per_s:g} orders/s for {plan.seconds} s",
                f"memory of the API: {memory.get('api', 0)} MB before, {after.get('api', 0)} MB after",
                *troubles[:3],
            ),
        )

    def _round(self, channel: str, followers: list[Follower], elapsed_s: float) -> Round:
        lags_s = [lag for follower in followers for lag in follower.lags_s[channel]]
        failed = sum(len(follower.troubles) for follower in followers) if channel == CHANNELS[0] else 0
        return Round.of(channel, lags_s, elapsed_s=elapsed_s, failed=failed, offered_per_s=self._plan.per_s)

    async def _followers(self, markets: list[str]) -> list[Follower]:
        followers: list[Follower] = []
        port = self._stage.settings.PORT
        try:
            for start in range(0, self._plan.clients, OPENED_AT_ONCE):
                numbers = range(start, min(start + OPENED_AT_ONCE, self._plan.clients))
                opening = (
                    Follower.open(
                        "127.0.0.1",
                        port,
                        markets[number % len(markets)],
                        keeps_book=number % KEEP_BOOKS == 0,
                    )
                    for number in numbers
                )
                followers += await asyncio.gather(*opening)
        except (OSError, TimeoutError) as trouble:
            raise BenchFailed(
                f"a socket did not open: {trouble}; a stack that runs already may need a higher "
                "WS_CONNECTIONS_PER_ADDRESS"
            ) from trouble
        return followers

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
