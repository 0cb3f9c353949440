"""The relay: every sink delivers at least once, in order, on its own; what is delivered twice has one effect."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import UUID, uuid4

import orjson
import pytest
from redis.asyncio import Redis

from deedbook.identity.errors import PermissionsUnavailable
from deedbook.infra import outbox
from deedbook.infra.bullmq import (
    HardenedWorker,
    JobQueue,
    JobState,
    WorkerSettings,
    connect,
    open_queue,
)
from deedbook.infra.database import Database, DatabaseUnavailable, Tx
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.infra.events import JobRetriedFact
from deedbook.infra.failpoints import FailpointHit, arm
from deedbook.integrations.entity_permissions.client import EntityPermissionsClient, PublicationRefused
from deedbook.kernel.ids import MarketId
from deedbook.kernel.jobs import QUEUES, HandlerSpec, Job
from deedbook.markets.cache import MarketCopies
from deedbook.markets.events import MarketResumed
from deedbook.workers import relay
from deedbook.workers.relay import (
    FanOutSink,
    JobSink,
    PermissionsSink,
    RedisSink,
    SinkUnavailable,
    Sweeper,
)
from tests.support.delivery import drain, ran, runner
from tests.support.facts import ERRAND, a_fact, ask, count, tell
from tests.support.fake_permissions import FakePermissions
from tests.support.waiting import PATIENCE_S, eventually


async def _heard(tx: Tx, job: Job) -> None:
    del tx, job


LISTENER = HandlerSpec(ERRAND, _heard, fact=JobRetriedFact)


@pytest.fixture(autouse=True)
def _disarm() -> Any:
    yield
    arm("")


@pytest.fixture
async def permissions() -> AsyncIterator[tuple[FakePermissions, EntityPermissionsClient]]:
    fake = FakePermissions()
    client = EntityPermissionsClient("http://permissions.test", None, transport=fake.transport)
    yield fake, client
    await client.close()


def exported() -> MarketResumed:
    return MarketResumed(market_id=MarketId(uuid4()), reason="r")


# Facts to jobs


async def test_each_fact_becomes_its_listeners_jobs_once_when_there_are_more_than_a_batch(
    db: Database,
) -> None:
    labels = [f"fact-{number}" for number in range(2 * relay.BATCH + 5)]
    await tell(db, *labels)
    sink = FanOutSink(db, "a", [LISTENER])
    assert await drain(sink) == 3
    async with db.reading() as connection:
        rows = await connection.fetch("SELECT job_id, queue, name, data FROM jobs ORDER BY position")
    assert [row["data"]["jobId"] for row in rows] == labels
    assert {(row["queue"], row["name"]) for row in rows} == {("housekeeping", "errand")}
    assert all(row["job_id"] == f"errand-{row['data']['eventId']}" for row in rows)
    assert await drain(sink) == 0


async def test_jobs_and_cursor_stay_together_when_the_relay_dies_between_them(db: Database) -> None:
    await tell(db, "one")
    arm("relay.fan-out.afterDeliver=raise:1")
    sink = FanOutSink(db, "a", [LISTENER])
    with pytest.raises(FailpointHit):
        await sink.step()
    assert await count(db, "jobs") == 0
    assert await drain(sink) == 1
    assert await count(db, "jobs") == 1


async def test_fact_without_listener_is_passed_by(db: Database) -> None:
    await tell(db, "one")
    assert await drain(FanOutSink(db, "a", [])) == 1
    assert await count(db, "jobs") == 0


# Jobs to BullMQ


async def test_job_runs_once_when_the_relay_dies_between_delivery_and_cursor(
    db: Database, queues: dict[str, JobQueue], valkey: EmbeddedValkey
) -> None:
    await ask(db, "job")
    runs, run = runner()
    worker = HardenedWorker("housekeeping", run, connect(valkey.url()), WorkerSettings())
    arm("relay.jobs.afterDeliver=raise:1")
    with pytest.raises(FailpointHit):
        await JobSink(db, "a", queues, 3).step()
    await eventually(ran(runs), "the job has run")
    assert (await outbox.load_cursor(db, "jobs")).tx_id == 0
    await _expire_leases(db)
    assert await drain(JobSink(db, "b", queues, 3)) == 1
    await asyncio.sleep(0.2)
    assert [(job.job_id, job.data, job.attempts) for job in runs] == [("job", {"of": "job"}, 3)]
    await worker.close()


async def test_jobs_wait_and_catch_up_when_redis_is_down(db: Database, queues: dict[str, JobQueue]) -> None:
    away = connect("redis://127.0.0.1:1/0")
    await ask(db, "job")
    sink = JobSink(db, "a", {spec.name: open_queue(spec.name, away) for spec in QUEUES}, 3)
    for _ in range(2):
        with pytest.raises(SinkUnavailable):
            await sink.step()
    await ask(db, "later")
    sink._queues = queues
    assert await drain(sink) == 1
    assert [await queues["housekeeping"].job_state(job_id) for job_id in ("job", "later")] == [
        JobState.WAITING,
        JobState.WAITING,
    ]
    await away.aclose()


async def test_lane_moves_on_when_a_job_names_no_queue_of_ours(
    db: Database, queues: dict[str, JobQueue]
) -> None:
    await ask(db, "odd", "job")
    async with db.transaction() as tx:
        await tx.execute("UPDATE jobs SET queue = 'nonsense' WHERE job_id = 'odd'")
    assert await drain(JobSink(db, "a", queues, 3)) == 1
    assert await queues["housekeeping"].job_state("job") is JobState.WAITING


# Facts to Redis


async def test_fact_is_published_and_copies_are_fresh_and_again_when_the_relay_dies(
    db: Database, redis: Redis
) -> None:
    arm("relay.redis.afterDeliver=raise:1")
    told = exported()
    async with db.transaction() as tx:
        tx.emit(told)
    async with redis.pubsub() as heard:
        await heard.subscribe("events:market", f"events:market:{told.market_id}")
        sink = RedisSink(db, "a", redis, [MarketCopies(db, redis)])
        with pytest.raises(FailpointHit):
            await sink.step()
        assert await drain(sink) == 1
        messages = await _messages(heard, 4)
    assert sorted(channel for channel, _ in messages) == sorted(
        ["events:market", f"events:market:{told.market_id}"] * 2
    )
    assert len({message["eventId"] for _, message in messages}) == 1, "listeners know a repetition by its id"


async def test_redis_sink_waits_and_catches_up_when_redis_is_down(db: Database, redis: Redis) -> None:
    away = connect("redis://127.0.0.1:1/0")
    sink = RedisSink(db, "a", away, [MarketCopies(db, away)])
    await tell(db, "one")
    with pytest.raises(SinkUnavailable):
        await sink.step()
    sink._redis, sink._copies = redis, [MarketCopies(db, redis)]
    async with redis.pubsub() as heard:
        await heard.subscribe("events:operations")
        assert await drain(sink) == 1
        ((_, message),) = await _messages(heard, 1)
    assert message["payload"]["jobId"] == "one"
    await away.aclose()


# Facts to the permission service


async def test_exported_facts_are_told_in_order_and_others_never(
    db: Database, permissions: tuple[FakePermissions, EntityPermissionsClient]
) -> None:
    fake, client = permissions
    facts = [exported() for _ in range(3)]
    async with db.transaction() as tx:
        for fact in facts:
            tx.emit(fact)
            tx.emit(a_fact())
    assert await drain(PermissionsSink(db, "a", client)) == 1
    assert [event["payload"]["market_id"] for event in fake.events] == [str(fact.market_id) for fact in facts]
    assert (await outbox.lag_s(db))["epc"] == 0, "what is not for it does not count as waiting"


async def test_fact_is_told_again_under_the_same_id_when_the_relay_dies_after_telling(
    db: Database, permissions: tuple[FakePermissions, EntityPermissionsClient]
) -> None:
    fake, client = permissions
    async with db.transaction() as tx:
        tx.emit(exported())
    arm("relay.epc.afterDeliver=raise:1")
    sink = PermissionsSink(db, "a", client)
    with pytest.raises(FailpointHit):
        await sink.step()
    assert await drain(sink) == 1
    assert len(fake.events) == 1, "it knows the repetition by source and correlation id, and drops it"


async def test_the_rest_is_told_when_the_service_refuses_one(
    db: Database, permissions: tuple[FakePermissions, EntityPermissionsClient]
) -> None:
    fake, client = permissions
    bad, good = exported(), exported()
    async with db.transaction() as tx:
        tx.emit(bad)
        tx.emit(good)
    sink = PermissionsSink(db, "a", cast("EntityPermissionsClient", _Choosy(client, bad.market_id)))
    assert await drain(sink) == 1
    assert [event["payload"]["market_id"] for event in fake.events] == [str(good.market_id)]


async def test_what_was_told_stays_told_when_the_service_goes_down_in_the_middle(
    db: Database, permissions: tuple[FakePermissions, EntityPermissionsClient]
) -> None:
    fake, client = permissions
    facts = [exported() for _ in range(4)]
    async with db.transaction() as tx:
        for fact in facts:
            tx.emit(fact)
    sink = PermissionsSink(db, "a", cast("EntityPermissionsClient", _DownAfter(fake, client, 2)))
    with pytest.raises(PermissionsUnavailable):
        await sink.step()
    assert len(fake.events) == 2
    fake.down = False
    sink._client = client
    assert await drain(sink) == 1
    assert [event["payload"]["market_id"] for event in fake.events] == [str(fact.market_id) for fact in facts]


async def test_nothing_else_is_held_up_when_the_permission_service_is_down(
    db: Database,
    redis: Redis,
    queues: dict[str, JobQueue],
    permissions: tuple[FakePermissions, EntityPermissionsClient],
) -> None:
    """Ruling 22: its lag is a metric and never holds anything else up."""
    fake, client = permissions
    fake.down = True
    job_sink = JobSink(db, "a", queues, 3)
    sinks = [
        FanOutSink(db, "a", [LISTENER]),
        job_sink,
        RedisSink(db, "a", redis, [MarketCopies(db, redis)]),
        PermissionsSink(db, "a", client),
    ]
    stopping = asyncio.Event()
    running = asyncio.create_task(relay.run(sinks, Sweeper(db, "a", job_sink, queues), stopping))
    async with db.transaction() as tx:
        tx.emit(exported())
    for number in range(5):
        await tell(db, f"fact-{number}")

    async def all_in_queue() -> bool:
        return (await queues["housekeeping"].counts())[JobState.WAITING] == 5

    await eventually(all_in_queue, "the facts became jobs in BullMQ")

    async def others_caught_up() -> bool:
        lag = await outbox.lag_s(db)
        assert lag["epc"] > 0
        return bool(lag["fan-out"] == lag["redis"] == 0)

    await eventually(others_caught_up, "no other sink lags")
    fake.down = False

    async def was_told() -> bool:
        return len(fake.events) == 1

    await eventually(was_told, "the permission service caught up")
    stopping.set()
    await asyncio.wait_for(running, PATIENCE_S)


# Who serves a sink


async def test_second_relay_takes_over_when_the_first_is_frozen_and_the_first_is_fenced(db: Database) -> None:
    """F-07: the first wakes up in the middle of a delivery; its cursor and its jobs are refused."""
    first, second = FanOutSink(db, "first", [LISTENER]), FanOutSink(db, "second", [LISTENER])
    await tell(db, "one")
    assert await drain(first) == 1
    assert await second.step() is False, "the lease is the first one's"
    held = await first._keeper.hold()
    assert held is not None
    await _expire_leases(db)
    second._keeper.lost()
    await tell(db, "two")
    assert await drain(second) == 1
    with pytest.raises(SinkUnavailable, match="taken over"):
        await first.deliver(held, first._cursor or outbox.Cursor(0, 0))
    assert await count(db, "jobs") == 2
    assert await first.step() is False


async def test_successor_goes_on_at_once_when_a_relay_stops_orderly(db: Database) -> None:
    first, second = FanOutSink(db, "first", [LISTENER]), FanOutSink(db, "second", [LISTENER])
    await tell(db, "one")
    await drain(first)
    await first.release()
    await tell(db, "two")
    assert await drain(second) == 1
    assert await count(db, "jobs") == 2


async def test_sink_goes_on_where_it_was_when_the_database_comes_back(db: Database, dsn: str) -> None:
    sink = FanOutSink(db, "a", [LISTENER])
    await tell(db, "one")
    await drain(sink)
    gone = await Database.connect(dsn.replace("127.0.0.1", "127.0.0.9"))
    sink._db = gone
    with pytest.raises(DatabaseUnavailable):
        await sink.step()
    sink._db = db
    await tell(db, "two")
    assert await drain(sink) == 1
    assert await count(db, "jobs") == 2
    await gone.close()


# Being killed


PROGRAM = """
import asyncio, sys
from deedbook.infra.bullmq import connect, open_queue
from deedbook.infra.database import Database
from deedbook.infra.failpoints import arm
from deedbook.kernel.jobs import QUEUES
from deedbook.workers.relay import JobSink
async def main():
    db = await Database.connect(sys.argv[1])
    client = connect(sys.argv[2])
    arm("relay.jobs.afterDeliver=kill:1")
    await JobSink(db, "doomed", {spec.name: open_queue(spec.name, client) for spec in QUEUES}, 3).step()
asyncio.run(main())
"""


async def test_successor_delivers_again_to_one_effect_when_the_relay_is_killed_in_between(
    db: Database, dsn: str, queues: dict[str, JobQueue], valkey: EmbeddedValkey
) -> None:
    await ask(db, "job")
    ended = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", PROGRAM, dsn, valkey.url()], capture_output=True, timeout=30
    )
    assert ended.returncode == -9, ended.stderr.decode()
    assert await queues["housekeeping"].job_state("job") is JobState.WAITING
    successor = JobSink(db, "successor", queues, 3)
    assert await successor.step() is False, "the lease of the dead one has to run out"
    await _expire_leases(db)
    successor._keeper.lost()
    assert await drain(successor) == 1
    assert (await queues["housekeeping"].counts())[JobState.WAITING] == 1


class _Choosy:
    """The real client's words, with one market that the service never takes."""

    def __init__(self, client: EntityPermissionsClient, refused: UUID) -> None:
        self._client, self._refused = client, refused

    async def publish(self, fact: outbox.StoredFact) -> None:
        if fact.stream_id == self._refused:
            raise PublicationRefused("422: no")
        await self._client.publish(fact)


class _DownAfter:
    """The real client, and a service that goes down after so many."""

    def __init__(self, fake: FakePermissions, client: EntityPermissionsClient, left: int) -> None:
        self._fake, self._client, self._left = fake, client, left

    async def publish(self, fact: outbox.StoredFact) -> None:
        self._fake.down = self._left <= 0
        self._left -= 1
        await self._client.publish(fact)


async def _expire_leases(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("UPDATE leases SET expires_at = now() - interval '1 second'")


async def _messages(heard: Any, wanted: int) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []

    async def listen() -> bool:
        message = await heard.get_message(ignore_subscribe_messages=True, timeout=0.2)
        if message is not None:
            found.append((message["channel"], orjson.loads(message["data"])))
        return len(found) >= wanted

    await eventually(listen, f"{wanted} messages arrive")
    return found
