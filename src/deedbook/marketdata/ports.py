"""What this room needs from outside."""

from collections.abc import Sequence
from typing import Protocol

from redis.asyncio import Redis

from deedbook.infra.database import Database
from deedbook.marketdata.terms import PricePolicy, PriceSource, SourceId, Told


class PriceFeeds(Protocol):
    """Whoever knows prices outside."""

    async def ask(self, sources: Sequence[PriceSource]) -> dict[SourceId, Told]:
        """What each of these says now, in bounded time. One that says nothing usable is silent, and says why."""
        ...


class MarketDataResources(Protocol):
    """What the wiring hands to this room's jobs."""

    @property
    def db(self) -> Database: ...
    @property
    def redis(self) -> Redis: ...


class PriceResources(MarketDataResources, Protocol):
    """The same for the job that asks outside."""

    @property
    def price_feeds(self) -> PriceFeeds: ...
    @property
    def price_policy(self) -> PricePolicy: ...
