"""How long matching takes: counted in the matcher, kept in Redis, where the API reads it for `/metrics`."""

import asyncio
from collections import defaultdict
from typing import Any

import structlog
from redis.exceptions import RedisError

from deedbook.infra.telemetry import MATCHING_BUCKETS, MATCHING_KEY
from deedbook.workers.loops import wait

log = structlog.get_logger(__name__)

FLUSH_S = 1.0


class MatchingTally:
    """Counts in memory; a field for each measure and bucket, in the cumulative form of Prometheus."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self._counts: dict[str, float] = defaultdict(float)

    def observe(self, measure: str, value: float) -> None:
        """One value: `match_s` from the oldest order of a batch to its commit, `settle_s` of the commit alone,
        `drained` orders and commands in it, `failed` one that was not committed."""
        for bound in MATCHING_BUCKETS[measure]:
            if value <= bound:
                self._counts[f"{measure}|{bound:g}"] += 1
        self._counts[f"{measure}|+Inf"] += 1
        self._counts[f"{measure}|sum"] += value

    async def run(self, stopping: asyncio.Event) -> None:
        """Add what was counted to Redis once a second. What it does not take is counted again later."""
        while not stopping.is_set():
            await wait(stopping, FLUSH_S)
            await self._flush()

    async def _flush(self) -> None:
        counts, self._counts = self._counts, defaultdict(float)
        if not counts:
            return
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                for name, value in counts.items():
                    pipe.hincrbyfloat(MATCHING_KEY, name, value)
                await pipe.execute()
        except (RedisError, OSError, TimeoutError):
            for name, value in counts.items():
                self._counts[name] += value
