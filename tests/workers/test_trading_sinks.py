"""What trading tells outside is told at least once, whatever dies on the way."""

import orjson
import pytest
from redis.asyncio import Redis

from deedbook.infra.bullmq_client import connect
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.infra.failpoints import FailpointHit
from deedbook.integrations.entity_permissions.client import EntityPermissionsClient
from deedbook.kernel.ids import new_uuid
from deedbook.workers.relay import Sink
from deedbook.workers.trading_sinks import TradingActivitySink, TradingEventsSink
from tests.chain.support import armed
from tests.support.fake_permissions import FakePermissions
from tests.support.waiting import eventually
from tests.trading.venue import open_venue


async def one_trade(db: Database) -> None:
    venue = await open_venue(db)
    seller, buyer = await venue.investor(base="5"), await venue.investor(quote="5000")
    await venue.place(venue.order(seller, "SELL", "5", "1000"), venue.order(buyer, "BUY", "5", "1000"))
    matcher = await venue.matcher()
    while await matcher.step():
        continue


async def stored(db: Database) -> set[str]:
    """The ids of all that happened."""
    async with db.reading() as connection:
        rows = await connection.fetch("SELECT facts FROM trading_facts")
    return {orjson.loads(line)["eventId"] for row in rows for line in row["facts"].split("\n")}


async def interrupted(sink: Sink, point: str) -> None:
    """Killed at a point, and started again; then nothing is left."""
    with armed(f"{point}=raise:1"), pytest.raises(FailpointHit):
        await sink.step()
    while await sink.step():
        continue


@pytest.mark.parametrize("point", ["relay.trading-redis.afterPublish", "relay.trading-redis.afterDeliver"])
async def test_every_event_is_published_when_the_relay_dies_at(
    db: Database, redis: Redis, point: str
) -> None:
    await one_trade(db)
    told, heard = await stored(db), set[str]()
    async with redis.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.subscribe("events:order", "events:trade")
        await interrupted(TradingEventsSink(db, "relay", redis), point)

        async def all_heard() -> bool:
            if (message := await channel.get_message(timeout=0.2)) is not None:
                heard.add(orjson.loads(message["data"])["eventId"])
            return heard == told

        await eventually(all_heard, "every event is heard")


async def test_a_commit_of_very_many_events_is_published_although_redis_is_waited_for_only_so_long(
    db: Database, valkey: EmbeddedValkey
) -> None:
    """It was one script, which lasted longer than its answer was waited for: no event of any pair came after it."""
    venue = await open_venue(db)
    line = orjson.dumps({"eventId": "order.open.x", "payload": "x" * 500}).decode()
    async with db.transaction() as tx:
        for _ in range(3):
            await tx.execute(
                "INSERT INTO trading_facts (batch_id, pair_id, facts) VALUES ($1, $2, $3)",
                new_uuid(),
                venue.pair_id,
                "\n".join([line] * 40_000),
            )
    impatient = connect(valkey.url(), timeout_s=0.5)
    sink, steps = TradingEventsSink(db, "relay", impatient), 0
    while await sink.step():
        steps += 1
    assert steps == 2  # two commits of 22 MB are read at once, and then the third
    await impatient.aclose()


async def test_the_permission_service_hears_of_all_when_the_relay_dies_at_its_commit(
    db: Database, redis: Redis
) -> None:
    await one_trade(db)
    fake = FakePermissions()
    client = EntityPermissionsClient("http://permissions.test", redis, timeout_s=2, transport=fake.transport)
    await interrupted(TradingActivitySink(db, "relay", client), "relay.trading-epc.afterDeliver")
    await client.close()
    heard = {event["eventId"] for told in fake.events for event in told["payload"]["events"]}
    assert heard == await stored(db) != set()
