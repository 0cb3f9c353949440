"""What the feeds of one process share: one subscription at Redis, the pairs that somebody hears of, heartbeats."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.api.live.connection import Connection, Subscription
from deedbook.api.live.market_feed import MarketFeed
from deedbook.api.live.operations import Operations
from deedbook.identity import Recognition
from deedbook.infra.database import Database
from deedbook.infra.telemetry import FEED_CLIENTS, FEED_LAG, FEED_SUBSCRIPTIONS
from deedbook.kernel.clock import to_wire
from deedbook.kernel.errors import Unavailable
from deedbook.kernel.ids import PairId
from deedbook.trading.feed_views import feed_channel
from deedbook.trading.spec import PairSpec

log = structlog.get_logger(__name__)

MARKETS = "events:market"
HEARTBEAT_S = 1.0
RETRY_S = 1.0
LISTEN_S = 1.0
QUIET_BEATS = 5
"""For how long a pair is followed that nobody hears of: somebody may just be about to."""
FAREWELL_S = 2.0
RECONNECT_MS = (500, 3000)
SESSION_OVER = 4401, "session_over"
GOING = 1012, "server_shutdown"


class Hub:
    """One per process that serves feeds. Works only while somebody is connected."""

    def __init__(self, db: Database, redis: Redis, recognition: Recognition, operations: Operations) -> None:
        self._db = db
        self.operations = operations
        self._redis = redis
        self._recognition = recognition
        self._feeds: dict[PairId, MarketFeed] = {}
        self._channels: dict[str, MarketFeed] = {}
        self._pubsub = redis.pubsub()
        self._markets: set[Subscription] = set()
        self._beats = 0
        self._tasks: list[asyncio.Task[None]] = []
        self.connections: set[Connection] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self.closing = False

    # Connections

    def join(self, connection: Connection) -> None:
        """Somebody has come."""
        self.connections.add(connection)
        self._empty.clear()
        FEED_CLIENTS.set(len(self.connections))
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._beat())]

    def leave(self, connection: Connection) -> None:
        """Somebody has gone."""
        self.connections.discard(connection)
        if not self.connections:
            self._empty.set()
        FEED_CLIENTS.set(len(self.connections))

    async def close(self) -> None:
        """Say goodbye, and end everything; a second time nothing is left to do."""
        self.closing = True
        for connection in list(self.connections):
            wait_ms = random.randint(*RECONNECT_MS)  # noqa: S311 - so that not all come back at once
            connection.send(orjson.dumps({"type": "serverShutdown", "reconnectAfterMs": wait_ms}).decode())
            connection.close_when_written(*GOING)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), FAREWELL_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for feed in self._feeds.values():
            await feed.close()
        with suppress(RedisError, OSError):
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]

    # Channels

    async def feed(self, spec: PairSpec) -> MarketFeed:
        """The feed of a pair, followed from now on."""
        feed = self._feeds.get(spec.pair_id)
        if feed is not None:
            feed.quiet_beats = 0
        else:
            feed = self._feeds[spec.pair_id] = MarketFeed(self._db, spec)
            channel = feed_channel(spec.pair_id)
            self._channels[channel] = feed
            with suppress(RedisError, OSError, TimeoutError):  # the listener subscribes to all of them again
                await self._pubsub.subscribe(channel)
        return feed

    def hear_markets(self, connection: Connection) -> Subscription:
        subscription = Subscription(connection, self._markets.discard)
        self._markets.add(subscription)
        return subscription

    def _tell_markets(self, envelope: dict[str, Any]) -> None:
        if envelope["audience"] != "public":
            return
        told = {
            "type": "event",
            "channel": "markets",
            "eventId": envelope["eventId"],
            "eventType": envelope["eventType"],
            "ts": envelope["timestamp"],
            "data": envelope["payload"],
        }
        text = orjson.dumps(told).decode()
        for subscription in list(self._markets):
            subscription.connection.send(text)

    # Work

    async def _listen(self) -> None:
        """Hear what is published. While Redis is away, and after anything that is none of ours, PostgreSQL is asked
        every second instead."""
        while True:
            try:
                await self._pubsub.subscribe(MARKETS, *self._channels)
                while True:
                    message = await self._pubsub.get_message(timeout=LISTEN_S)
                    if message is not None:
                        self._hear(message["type"], message["channel"], message["data"])
            except (RedisError, OSError, TimeoutError) as trouble:
                log.warning("feeds_ask_the_database", error=type(trouble).__name__)
            except Exception:
                log.exception("feeds_cannot_read_what_is_published")
            await self._begin_anew()

    async def _begin_anew(self) -> None:
        with suppress(RedisError, OSError):
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]
        self._pubsub = self._redis.pubsub()
        for feed in self._feeds.values():
            feed.reload()
        await asyncio.sleep(RETRY_S)

    def _hear(self, kind: str, channel: str, data: Any) -> None:
        feed = self._channels.get(channel)
        if kind == "message" and channel == MARKETS:
            self._tell_markets(orjson.loads(data))
        elif kind == "message" and feed is not None:
            news = orjson.loads(data)
            FEED_LAG.observe(max(time.time() - datetime.fromisoformat(news["at"]).timestamp(), 0.0))
            feed.hear(news)
        elif kind == "subscribe" and feed is not None:
            feed.followed()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self._beats += 1
            told = {"type": "heartbeat", "ts": to_wire(datetime.now(UTC)), "n": self._beats}
            text = orjson.dumps(told).decode()
            for connection in self.connections:
                if connection.has_room:
                    connection.send(text)
            for feed in self._feeds.values():
                if feed.stale:
                    feed.reload()
            for step in (
                self._forget,
                self._ask_market_data,
                self._know_again,
                self.operations.follow,
            ):
                await self._step(step)
            self._count()

    async def _step(self, step: Callable[[], Awaitable[None]]) -> None:
        """What fails in one of them holds back neither the others nor the next heartbeat."""
        try:
            await step()
        except Unavailable:
            pass  # The next beat asks again.
        except Exception:
            log.exception("beat_step_failed", step=step.__name__)

    async def _forget(self) -> None:
        """Follow no longer what nobody hears of."""
        for pair_id, feed in list(self._feeds.items()):
            feed.quiet_beats = 0 if feed.wanted else feed.quiet_beats + 1
            if feed.quiet_beats >= QUIET_BEATS:
                del self._feeds[pair_id]
                channel = feed_channel(pair_id)
                self._channels.pop(channel, None)
                await feed.close()
                with suppress(RedisError, OSError, TimeoutError):
                    await self._pubsub.unsubscribe(channel)

    async def _ask_market_data(self) -> None:
        """Candles and statistics change once a second; they are read from the copies that everybody reads."""
        for feed in list(self._feeds.values()):
            try:
                await feed.ask_market_data(self._redis)
            except Unavailable:
                return

    async def _know_again(self) -> None:
        """Who is connected, as they are now: with the roles, and so the limits, that they have left. Those whose
        session is over are sent away."""
        known = [
            (connection, connection.caller)
            for connection in self.connections
            if connection.caller is not None
        ]
        if not known:
            return
        try:
            found = await self._recognition.again([caller for _, caller in known])
        except Unavailable:
            return
        for (connection, before), now in zip(known, found, strict=True):
            if now is None:
                connection.close(*SESSION_OVER)
            elif connection.caller is before:  # nobody has shown something newer meanwhile
                connection.caller = now

    def _count(self) -> None:
        counts: dict[str, int] = {}
        for connection in self.connections:
            for name, *_ in connection.subscriptions:
                counts[name] = counts.get(name, 0) + 1
        FEED_SUBSCRIPTIONS.clear()
        for name, count in counts.items():
            FEED_SUBSCRIPTIONS.labels(name).set(count)
