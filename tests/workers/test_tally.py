"""What matchers measure, as `/metrics` shows it."""

import asyncio
from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis

from deedbook.infra.telemetry import MATCHING_KEY
from deedbook.workers.tally import MatchingTally
from tests.support.waiting import eventually


async def told(redis: Redis) -> dict[str, float]:
    counts = await cast("Awaitable[dict[str, str]]", redis.hgetall(MATCHING_KEY))
    return {name: float(value) for name, value in counts.items()}


async def test_what_matchers_measure_adds_up(redis: Redis) -> None:
    tallies, stopping = [MatchingTally(redis), MatchingTally(redis)], asyncio.Event()
    running = [asyncio.create_task(tally.run(stopping)) for tally in tallies]
    for tally, value in zip(tallies, (0.004, 0.3), strict=True):
        tally.observe("match_s", value)
        tally.observe("failed", 1)

    async def both() -> bool:
        return (await told(redis)).get("match_s|+Inf") == 2

    await eventually(both, "both have told")
    counts = await told(redis)
    assert (counts["match_s|0.005"], counts["match_s|0.5"], counts["match_s|sum"]) == (1, 2, 0.304)
    assert "match_s|0.002" not in counts
    assert (counts["failed|+Inf"], counts["failed|sum"]) == (2, 2)
    stopping.set()
    await asyncio.gather(*running)
