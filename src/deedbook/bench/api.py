"""`deedbook bench api`: orders that were signed before, over loopback HTTP, on the whole running stack: accepted means
durable. First as fast as they are taken, then at half that rate (its p50 and p99 count), then in batches; all of that
several times, of which the median counts."""

import asyncio
import os
import random
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from deedbook import truths
from deedbook.bench import cost
from deedbook.bench.reach import Reach, reach
from deedbook.bench.result import BenchResult, Round, middle_of
from deedbook.bench.run import BenchFailed, Measure, Stage
from deedbook.bench.signing import Trader, sign_in_traders, signed_order
from deedbook.bench.venue import open_venue
from deedbook.bench.wire import LEAD_S
from deedbook.identity import Domain
from deedbook.infra import memory
from deedbook.trading.spec import PairSpec

BATCH = 50
SETTLE_S = 30.0
STRETCH_S = 600.0
LEAD_IN_S = 1.0
"""So long a round at a given rate goes on before it counts: who comes after a pause is asked about first, once, and
here all traders come at the same moment."""
LOOK_S, QUIET = 0.5, 0.2
"""The stack is quiet when all of it takes less than this part of a processor."""


@dataclass(frozen=True)
class Plan:
    """How many orders a round, from how many traders, over how many connections; how often each kind of round."""

    orders: int
    traders: int
    connections: int
    rounds: int
    seed: int


@dataclass(frozen=True)
class _Lap:
    """A round of each kind, and what an order of the first has cost by process."""

    fast: Round
    half: Round
    batched: Round
    spent: dict[str, int]


def api(plan: Plan) -> Measure:
    """The measurement, to be run on a stage."""
    return partial(_measure, plan)


async def _measure(plan: Plan, stage: Stage) -> BenchResult:
    async with reach(stage, plan.connections) as into:
        stage.progress(f"Signing in {plan.traders} traders")
        return await _Bench(plan, stage, into).run()


class _Bench:
    def __init__(self, plan: Plan, stage: Stage, into: Reach) -> None:
        self._plan, self._stage, self._into = plan, stage, into
        self._draw = random.Random(plan.seed)  # noqa: S311 - a load, not a secret
        self._run = os.urandom(3).hex()
        self._signed = 0
        self._domain: Domain | None = None

    async def run(self) -> BenchResult:
        spec = await open_venue(self._into.db, f"B{self._run.upper()}")
        traders = await sign_in_traders(self._into.db, self._into.http, spec, self._plan.traders)
        self._domain = await self._into.domain()
        await self._single("warm up", self._orders(spec, traders, 500), None)
        laps = [await self._lap(f"round {lap}", spec, traders) for lap in range(1, self._plan.rounds + 1)]
        fast = middle_of(laps, by=lambda lap: lap.fast.rate)
        half = middle_of(laps, by=lambda lap: lap.half.p99_ms).half
        batched = middle_of(laps, by=lambda lap: lap.batched.rate).batched
        return BenchResult(
            name="api",
            rate=fast.fast.rate,
            unit="orders/s",
            p50_ms=half.p50_ms,
            p99_ms=half.p99_ms,
            cpu_us_per_unit=fast.spent,
            rounds=tuple(entry for lap in laps for entry in (lap.fast, lap.half, lap.batched)),
            truths=await self._truths_hold(),
            notes=(f"in batches of {BATCH}: {batched.rate:g} orders/s; medians of {len(laps)} rounds",),
        )

    async def _lap(self, name: str, spec: PairSpec, traders: list[Trader]) -> _Lap:
        signed = self._orders(spec, traders, self._plan.orders)
        before = cost.cpu_us(self._stage.home)
        fast = await self._single(f"{name}, as fast as taken", signed, None)
        spent = cost.per_unit(before, cost.cpu_us(self._stage.home), self._plan.orders)
        lead = int(fast.rate / 2 * LEAD_IN_S)
        signed = self._orders(spec, traders, lead + self._plan.orders)
        half = await self._single(f"{name}, at half that", signed, fast.rate / 2, lead)
        signed = self._orders(spec, traders, self._plan.orders)
        return _Lap(fast, half, await self._batched(f"{name}, in batches of {BATCH}", signed), spent)

    def _orders(
        self, spec: PairSpec, traders: list[Trader], count: int
    ) -> list[tuple[Trader, dict[str, Any]]]:
        self._stage.progress(f"Signing {count:,} orders")
        return [self._order(spec, self._draw.choice(traders)) for _ in range(count)]

    def _order(self, spec: PairSpec, trader: Trader) -> tuple[Trader, dict[str, Any]]:
        assert self._domain is not None
        self._signed += 1
        buy = self._draw.random() < 0.5
        away = int(abs(self._draw.gauss(0, 20))) - self._draw.choice((0, 0, 5))
        ticks = 10_000 + (-away if buy else away)
        body = signed_order(
            trader,
            spec,
            self._domain,
            buy=buy,
            quantity=f"0.{self._draw.randrange(1, 1000):04d}",
            price=f"{ticks // 100}.{ticks % 100:02d}",
            nonce=f"{self._run}-{self._signed}",
        )
        return trader, body

    async def _single(
        self, name: str, orders: list[tuple[Trader, dict[str, Any]]], per_s: float | None, lead: int = 0
    ) -> Round:
        requests = [
            self._into.wire.request("POST", "/api/v1/trading/orders", trader.token, orjson.dumps(body))
            for trader, body in orders
        ]
        return await self._send(name, requests, per_s, 201, 1, lead)

    async def _batched(self, name: str, orders: list[tuple[Trader, dict[str, Any]]]) -> Round:
        by_trader: dict[str, list[dict[str, Any]]] = {}
        for trader, body in orders:
            by_trader.setdefault(trader.token, []).append(body)
        requests = [
            self._into.wire.request(
                "POST",
                "/api/v1/trading/orders/batch",
                token,
                orjson.dumps({"orders": bodies[start : start + BATCH]}),
            )
            for token, bodies in by_trader.items()
            for start in range(0, len(bodies), BATCH)
        ]
        sent = await self._send(name, requests, None, 200, BATCH)
        seconds = sent.count / sent.rate if sent.rate else 0.0
        return replace(sent, count=len(orders), rate=round(len(orders) / seconds, 1) if seconds else 0.0)

    async def _send(
        self, name: str, requests: list[bytes], per_s: float | None, wanted: int, items: int, lead: int = 0
    ) -> Round:
        """Send them all; the first `lead` of them are not counted."""
        self._stage.progress(f"{name.capitalize()}: {len(requests):,} requests")
        memory.settle()  # A look through all that was prepared would be counted as latency.
        started = time.perf_counter() + LEAD_S
        try:
            async with asyncio.timeout(STRETCH_S):
                answers = await self._into.wire.volley(requests, per_s)
        except (TimeoutError, OSError) as error:
            raise BenchFailed(f"{name}: the API does not answer ({error!r})") from None
        elapsed_s = time.perf_counter() - started
        bad = [
            told for told in answers if told.status != wanted or (items > 1 and b'"problem":{' in told.body)
        ]
        if bad:
            first = f"{bad[0].status}: {bad[0].body[:300].decode(errors='replace')}"
            raise BenchFailed(f"{name}: {len(bad)} failed; the first: {first}")
        await self._matched()
        await self._quiet()
        latencies_s = [told.latency_s for told in answers[lead:]]
        led_s = lead / per_s if per_s else 0.0
        return Round.of(name, latencies_s, elapsed_s=elapsed_s - led_s, offered_per_s=per_s)

    async def _matched(self) -> None:
        deadline = time.monotonic() + SETTLE_S
        while time.monotonic() < deadline:
            async with self._into.db.reading() as connection:
                if not await connection.fetchval(
                    "SELECT EXISTS (SELECT 1 FROM orders WHERE status = 'PENDING_MATCH')"
                ):
                    return
            await asyncio.sleep(0.05)
        raise BenchFailed("orders still wait for their matcher")

    async def _quiet(self) -> None:
        """Wait for what the orders have left to relay and workers, so that a round does not pay for the one before."""
        deadline = time.monotonic() + SETTLE_S
        spent_us = sum(cost.cpu_us(self._stage.home).values())
        while time.monotonic() < deadline:
            await asyncio.sleep(LOOK_S)
            before_us, spent_us = spent_us, sum(cost.cpu_us(self._stage.home).values())
            if spent_us - before_us < QUIET * LOOK_S * 1_000_000:
                return

    async def _truths_hold(self) -> bool:
        return all(truth.holds for truth in await truths.check_trading(self._into.db))
