"""Copies of market state in Redis, for readers that must not load PostgreSQL. Never trusted for a decision.

`market:{id}:status` is text; `markets:approval-queue` is a list of market ids, the longest waiting first.
Each refresh reads the truth again, so that late or repeated facts cannot leave an old copy behind.
"""

from collections.abc import Sequence
from uuid import UUID

from redis.asyncio import Redis

from deedbook.infra.database import Database
from deedbook.infra.outbox import StoredFact
from deedbook.markets import views

STATUS_TTL_S = 3600
QUEUE_KEY = "markets:approval-queue"


class MarketCopies:
    """Writes the copies."""

    def __init__(self, db: Database, redis: Redis) -> None:
        self._db = db
        self._redis = redis

    async def follow(self, facts: Sequence[StoredFact]) -> None:
        """Bring up to date what these facts have changed."""
        await self.refresh({fact.stream_id for fact in facts if fact.stream_type == "market"})

    async def refresh(self, market_ids: set[UUID]) -> None:
        """Bring the copies of these markets, and of the approval queue, up to date."""
        if not market_ids:
            return
        statuses = await views.statuses(self._db, list(market_ids))
        waiting = await views.approval_queue(self._db)
        async with self._redis.pipeline(transaction=True) as pipe:
            for market_id, status in statuses.items():
                pipe.set(f"market:{market_id}:status", status, ex=STATUS_TTL_S)
            pipe.delete(QUEUE_KEY)
            if waiting:
                pipe.rpush(QUEUE_KEY, *(str(market_id) for market_id in waiting))
            await pipe.execute()
