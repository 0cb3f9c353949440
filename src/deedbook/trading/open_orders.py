"""Copies of who has which orders open, in Redis: `user:open-orders:{user}`, a list of ids, the newest first, for five
minutes. Dropped as soon as a user's orders change, on whichever pair, and written anew from PostgreSQL soon after.

Never trusted for a decision. What nobody got round to write is absent, and whoever needs it asks PostgreSQL.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.infra.database import Database, DatabaseUnavailable
from deedbook.trading import order_store

log = structlog.get_logger(__name__)

TTL_S = 300
EVERY_S = 0.2
USERS_AT_ONCE = 50
MAX_WAITING = 10_000
RESTS = 19
"""Having written, it rests so many times as long as that took: it never takes more than a twentieth of a core."""


def open_orders_key(user_id: UUID | str) -> str:
    return f"user:open-orders:{user_id}"


class OpenOrderCopies:
    """Writes the lists of those whose orders this process has matched."""

    def __init__(self, db: Database, redis: Redis) -> None:
        self._db = db
        self._redis = redis
        self._changed: dict[str, None] = {}

    def changed(self, user_ids: Iterable[str]) -> None:
        """Their lists are to be written. Where too many are, some stay absent until they change again."""
        self._changed.update(dict.fromkeys(user_ids))
        while len(self._changed) > MAX_WAITING:
            del self._changed[next(iter(self._changed))]

    async def run(self, stopping: asyncio.Event) -> None:
        """Write what has changed until stopped. Nothing waits for it."""
        while not stopping.is_set():
            began = time.monotonic()
            try:
                await self.step()
            except (RedisError, OSError, TimeoutError, DatabaseUnavailable) as error:
                log.warning("open_orders_not_copied", why=type(error).__name__)
            took_s = time.monotonic() - began
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), max(EVERY_S, took_s * RESTS))

    async def step(self) -> None:
        """Write the lists of those who have waited longest. Who changes meanwhile waits again."""
        users = list(self._changed)[:USERS_AT_ONCE]
        if not users:
            return
        for user_id in users:
            del self._changed[user_id]
        try:
            await self._write(users)
        except BaseException:
            self.changed(users)
            raise

    async def _write(self, users: list[str]) -> None:
        ids = await order_store.living_ids(self._db, users)
        async with self._redis.pipeline(transaction=True) as pipe:
            for user_id in users:
                key = open_orders_key(user_id)
                pipe.delete(key)
                if user_id in ids:
                    pipe.rpush(key, *ids[user_id])
                    pipe.expire(key, TTL_S)
            await pipe.execute()
