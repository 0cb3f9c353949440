"""What this room needs from outside."""

from typing import Protocol

from redis.asyncio import Redis

from deedbook.infra.database import Database


class MarketDataResources(Protocol):
    """What the wiring hands to this room's jobs."""

    @property
    def db(self) -> Database: ...
    @property
    def redis(self) -> Redis: ...
