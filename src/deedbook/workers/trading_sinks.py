"""Sinks for the live events of trading, which come in batches: to Redis one by one, to the Entity Permissions Core at
most one message for each pair and second."""

import asyncio
import time
from collections import defaultdict
from uuid import UUID

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.infra.database import Database
from deedbook.infra.failpoints import failpoint
from deedbook.infra.lease import Lease
from deedbook.infra.outbox import Cursor, StoredFact
from deedbook.integrations.entity_permissions.client import EntityPermissionsClient, PublicationRefused
from deedbook.trading.matching import StoredFacts, facts_after
from deedbook.workers.relay import Sink, SinkUnavailable

log = structlog.get_logger(__name__)

BATCHES = 100
RESTS = 3
RESTS_MAX_S = 0.05
"""Having told, it rests so many times as long as that took: when everything is scarce it tells more at once."""
AT_ONCE = 1000
"""So many events one script publishes. Redis does nothing else meanwhile, and what lasts longer than its answer is
waited for would be published again and again, and the relay never come beyond it."""
EPC_BATCHES = 2000
EPC_EVENTS = 100
EPC_PAUSE_S = 1.0
_PUBLISH = "for i = 1, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end return 1"


class TradingEventsSink(Sink):
    """Every live event to `events:order` or `events:trade`."""

    name = "trading-redis"

    def __init__(self, db: Database, holder: str, redis: Redis) -> None:
        super().__init__(db, holder)
        self._redis = redis

    async def deliver(self, held: Lease, cursor: Cursor) -> bool:
        began = time.monotonic()
        batches = await facts_after(self._db, cursor, limit=BATCHES)
        if not batches:
            return False
        told: list[str] = []
        for batch in batches:
            for line in batch.lines:
                told += (_channel_of(line), line)
        try:
            # Scripts: thousands of single commands would cost more than making the events did.
            for start in range(0, len(told), 2 * AT_ONCE):
                await self._redis.eval(_PUBLISH, 0, *told[start : start + 2 * AT_ONCE])
        except (RedisError, OSError, TimeoutError) as error:
            raise SinkUnavailable(f"Redis does not answer: {type(error).__name__}") from error
        await failpoint("relay.trading-redis.afterPublish")
        await self._advance(held, batches[-1].cursor, len(batches))
        if len(batches) < BATCHES:
            await asyncio.sleep(min((time.monotonic() - began) * RESTS, RESTS_MAX_S))
        return True


def _channel_of(line: str) -> str:
    """From the beginning of the event's id: `{"eventId":"order.…` or `{"eventId":"trade.…`."""
    return f"events:{line[12:17]}"


class TradingActivitySink(Sink):
    """What happened on each pair, to the Entity Permissions Core: it is told of trading, never asked to keep up."""

    name = "trading-epc"

    def __init__(self, db: Database, holder: str, client: EntityPermissionsClient) -> None:
        super().__init__(db, holder)
        self._client = client

    async def deliver(self, held: Lease, cursor: Cursor) -> bool:
        batches = await facts_after(self._db, cursor, limit=EPC_BATCHES)
        if not batches:
            return False
        by_pair: dict[UUID, list[StoredFacts]] = defaultdict(list)
        for batch in batches:
            by_pair[batch.pair_id].append(batch)
        for pair_id, told in by_pair.items():
            try:
                await self._client.publish(_activity(pair_id, told))
            except PublicationRefused as refusal:
                log.error("publication_refused", pair=str(pair_id), error=str(refusal))
        await self._advance(held, batches[-1].cursor, len(batches))
        await asyncio.sleep(EPC_PAUSE_S)
        return True


def _activity(pair_id: UUID, told: list[StoredFacts]) -> StoredFact:
    """One message of the first hundred events, and how many there were: the whole is in our own records."""
    lines = [line for batch in told for line in batch.lines]
    last = told[-1]
    return StoredFact(
        event_id=last.batch_id,
        event_type="trading.activity",
        version=1,
        stream_type="trading",
        stream_id=pair_id,
        seq=None,
        actor_id=None,
        actor_type="system",
        payload={
            "tradingPairId": str(pair_id),
            "eventCount": len(lines),
            "events": [orjson.loads(line) for line in lines[:EPC_EVENTS]],
        },
        correlation_id="",
        occurred_at=last.occurred_at,
        cursor=last.cursor,
    )
