"""The job worker: effect and mark commit together, whatever fails, and however often a job runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from deedbook.infra import joblog
from deedbook.infra.bullmq import (
    Backoff,
    Delivery,
    HardenedWorker,
    JobQueue,
    JobState,
    UnrecoverableError,
    WorkerSettings,
    connect,
    open_queue,
)
from deedbook.infra.database import CORRELATION_ID, Database, DatabaseUnavailable, Tx
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.infra.settings import Settings
from deedbook.kernel.errors import Invalid, Unavailable
from deedbook.kernel.jobs import HOUSEKEEPING, HandlerSpec, Job, JobKind, QueueSpec
from deedbook.workers import jobs
from deedbook.workers.jobs import JobRunner, pick_queues
from tests.support.facts import ERRAND, a_fact, ask, count
from tests.support.waiting import PATIENCE_S, eventually
from tests.support.world import test_settings

LENGTHY = JobKind("lengthy-errand", HOUSEKEEPING)


@dataclass
class Errand:
    """A handler that has an effect, and then does what `then` says."""

    then: Callable[[], Awaitable[None]] | None = None
    runs: int = 0
    gave_up: list[str] = field(default_factory=list)

    async def __call__(self, tx: Tx, job: Job) -> None:
        self.runs += 1
        tx.emit(a_fact(job.job_id))
        if self.then is not None:
            await self.then()

    async def give_up(self, tx: Tx, job: Job, error: str) -> None:
        self.gave_up.append(error)
        tx.emit(a_fact(f"gave up {job.job_id}"))

    @property
    def spec(self) -> HandlerSpec:
        return HandlerSpec(ERRAND, self, on_failure=self.give_up)


@dataclass
class LengthyErrand:
    """A handler that opens its own transactions."""

    db: Database
    runs: int = 0

    async def __call__(self, resources: Any, job: Job) -> None:
        assert resources == "resources"
        self.runs += 1
        async with self.db.transaction() as tx:
            tx.enqueue(ERRAND, f"effect-{job.job_id}", {})


def delivery(
    job_id: str = "job", name: str = ERRAND.name, *, attempt: int = 1, attempts: int = 3
) -> Delivery:
    return Delivery(job_id, name, {}, attempt, attempts, correlation_id="request-7")


def raises(error: Exception) -> Callable[[], Awaitable[None]]:
    async def then() -> None:
        raise error

    return then


async def status(db: Database, job_id: str = "job") -> tuple[str, int, str | None]:
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT status, attempts_made, last_error FROM jobs WHERE job_id = $1", job_id
        )
    assert row is not None
    return row["status"], row["attempts_made"], row["last_error"]


async def told(db: Database) -> list[str]:
    async with db.reading() as connection:
        rows = await connection.fetch("SELECT payload ->> 'jobId' AS label FROM events ORDER BY position")
    return [row["label"] for row in rows]


async def test_effect_and_mark_are_there_once_when_a_job_runs_twice(db: Database) -> None:
    await ask(db, "job")
    errand = Errand()
    runner = JobRunner(db, None, [errand.spec])
    for _ in range(2):
        await runner(delivery())
    assert errand.runs == 1
    assert await told(db) == ["job"]
    assert await status(db) == ("done", 1, None)


async def test_effect_is_there_once_when_two_workers_run_a_job_at_the_same_time(db: Database) -> None:
    """As after FLUSHALL, or after a lock that expired: the second waits for the first, and finds it done."""
    await ask(db, "job")
    met = asyncio.Event()

    async def slowly() -> None:
        met.set()
        await asyncio.sleep(0.1)

    errand = Errand(slowly)
    runner = JobRunner(db, None, [errand.spec])
    first = asyncio.create_task(runner(delivery()))
    await met.wait()
    await runner(delivery())
    await first
    assert errand.runs == 1
    assert await told(db) == ["job"]


async def test_effect_is_undone_when_the_handler_fails_after_it(db: Database) -> None:
    await ask(db, "job")
    errand = Errand(raises(ZeroDivisionError("no")))
    runner = JobRunner(db, None, [errand.spec])
    with pytest.raises(ZeroDivisionError):
        await runner(delivery(attempt=1))
    assert await told(db) == []
    assert await status(db) == ("pending", 1, "ZeroDivisionError('no')")
    errand.then = None
    await runner(delivery(attempt=2))
    assert await told(db) == ["job"]
    assert await status(db) == ("done", 2, "ZeroDivisionError('no')")


async def test_correlation_is_the_request_s_while_a_job_runs(db: Database) -> None:
    await ask(db, "job")
    seen: list[str] = []

    async def look() -> None:
        seen.append(CORRELATION_ID.get())

    await JobRunner(db, None, [Errand(look).spec])(delivery())
    assert seen == ["request-7"]
    assert CORRELATION_ID.get() == ""


async def test_on_failure_runs_once_with_the_mark_when_the_last_attempt_fails(db: Database) -> None:
    await ask(db, "job")
    errand = Errand(raises(ZeroDivisionError("no")))
    runner = JobRunner(db, None, [errand.spec])
    for attempt in (1, 2):
        with pytest.raises(ZeroDivisionError):
            await runner(delivery(attempt=attempt))
    assert errand.gave_up == []
    with pytest.raises(UnrecoverableError):
        await runner(delivery(attempt=3))
    assert await status(db) == ("failed", 3, "ZeroDivisionError('no')")
    await runner(delivery(attempt=3))  # BullMQ lost that it had failed
    assert errand.gave_up == ["internal error; the log has it under correlation id request-7"]
    assert await told(db) == ["gave up job"]


async def test_on_failure_runs_once_when_two_last_attempts_fail_at_the_same_time(db: Database) -> None:
    await ask(db, "job")
    errand = Errand(raises(ZeroDivisionError("no")))
    runner = JobRunner(db, None, [errand.spec])
    outcomes = await asyncio.gather(*(runner(delivery(attempt=3)) for _ in range(4)), return_exceptions=True)
    assert len(errand.gave_up) == 1
    assert {type(outcome) for outcome in outcomes} <= {UnrecoverableError, type(None)}
    assert await told(db) == ["gave up job"]


async def test_job_is_marked_without_its_consequence_when_giving_up_fails(db: Database) -> None:
    """Else the sweeper would bring it back for ever. Nothing of the half consequence stays."""
    await ask(db, "job")
    errand = Errand(raises(ZeroDivisionError("no")))

    async def fail_too(tx: Tx, job: Job, error: str) -> None:
        tx.emit(a_fact("half"))
        raise KeyError("worse")

    runner = JobRunner(db, None, [HandlerSpec(ERRAND, errand, on_failure=fail_too)])
    with pytest.raises(UnrecoverableError):
        await runner(delivery(attempt=3))
    assert await told(db) == []
    assert await status(db) == ("failed", 3, "ZeroDivisionError('no')")


async def test_job_stays_open_when_giving_up_finds_something_unavailable(db: Database) -> None:
    await ask(db, "job")
    errand = Errand(raises(ZeroDivisionError("no")))

    async def away(tx: Tx, job: Job, error: str) -> None:
        raise Unavailable("the database does not answer")

    runner = JobRunner(db, None, [HandlerSpec(ERRAND, errand, on_failure=away)])
    with pytest.raises(Unavailable):
        await runner(delivery(attempt=3))
    assert (await status(db))[0] == "pending"


async def test_job_stops_at_once_when_the_refusal_is_hopeless(db: Database) -> None:
    await ask(db, "job")
    errand = Errand(raises(Invalid("the supply is not a number")))
    with pytest.raises(UnrecoverableError):
        await JobRunner(db, None, [errand.spec])(delivery(attempt=1))
    assert await status(db) == ("failed", 1, "the supply is not a number")
    assert errand.gave_up == ["the supply is not a number"]


async def test_job_is_tried_again_when_the_refusal_may_pass(db: Database) -> None:
    await ask(db, "job")
    errand = Errand(raises(Unavailable("the chain does not answer")))
    with pytest.raises(Unavailable):
        await JobRunner(db, None, [errand.spec])(delivery(attempt=2))
    assert await status(db) == ("pending", 2, "the chain does not answer")


async def test_job_is_parked_when_nobody_knows_its_name(db: Database) -> None:
    """Not before its last attempt: a newer worker may know it while an upgrade is rolling."""
    await ask(db, "job")
    runner = JobRunner(db, None, [])
    with pytest.raises(LookupError):
        await runner(delivery(name="mystery", attempt=1))
    assert (await status(db))[0] == "pending"
    with pytest.raises(UnrecoverableError, match="no handler knows mystery"):
        await runner(delivery(name="mystery", attempt=3))
    assert await status(db) == ("failed", 3, "no handler knows mystery")


async def test_lengthy_job_is_left_alone_when_it_is_done(db: Database) -> None:
    await ask(db, "job")
    errand = LengthyErrand(db)
    runner = JobRunner(db, "resources", [HandlerSpec(LENGTHY, errand, lengthy=True)])
    for _ in range(2):
        await runner(delivery(name=LENGTHY.name))
    assert errand.runs == 1
    assert (await status(db))[0] == "done"


async def test_lengthy_job_has_one_effect_when_its_worker_died_before_the_mark(db: Database) -> None:
    await ask(db, "job")
    errand = LengthyErrand(db)
    await errand("resources", Job("job", LENGTHY.name, {}))  # and then kill -9
    await JobRunner(db, "resources", [HandlerSpec(LENGTHY, errand, lengthy=True)])(
        delivery(name=LENGTHY.name)
    )
    assert errand.runs == 2
    assert await count(db, "jobs", "job_id = 'effect-job'") == 1
    assert (await status(db))[0] == "done"


async def test_job_stays_open_when_the_database_is_away_at_the_last_attempt(db: Database, dsn: str) -> None:
    await ask(db, "job")
    gone = await Database.connect(dsn.replace("127.0.0.1", "127.0.0.9"))
    with pytest.raises(DatabaseUnavailable):
        await JobRunner(gone, None, [Errand().spec])(delivery(attempt=3))
    assert (await status(db))[0] == "pending"
    await gone.close()


# With BullMQ in front of it


QUEUE = QueueSpec("errands", concurrency=1, attempts=3, backoff_s=0.05)


@pytest.fixture
async def queue(redis: Redis, valkey: EmbeddedValkey) -> AsyncIterator[JobQueue]:
    opened = open_queue("errands", connect(valkey.url()))
    yield opened
    await opened.close()


async def test_lane_moves_on_when_a_job_raises_for_ever(
    db: Database, queue: JobQueue, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-21: one worker, one slot; the poison job waits out its backoff elsewhere, and is then parked."""
    # Else it may be drawn that the poison job is back before the others have had their turn.
    monkeypatch.setattr(Backoff, "delay_ms", lambda backoff, made, draw: backoff.ceiling_ms(made))
    await ask(db, "poison", "good-1", "good-2")
    order: list[str] = []

    async def handle(tx: Tx, job: Job) -> None:
        order.append(job.job_id)
        if job.job_id == "poison":
            raise ZeroDivisionError("for ever")

    worker = HardenedWorker(
        "errands", JobRunner(db, None, [HandlerSpec(ERRAND, handle)]), connect(valkey.url()), WorkerSettings()
    )
    for job_id in ("poison", "good-1", "good-2"):
        await queue.add(ERRAND.name, {}, job_id=job_id, attempts=3, backoff=Backoff(1000, 1000))

    async def parked() -> bool:
        return (await status(db, "poison"))[0] == "failed"

    await eventually(parked, "the poison job is parked")
    assert order[:3] == ["poison", "good-1", "good-2"]
    assert order.count("poison") == 3
    assert await status(db, "poison") == ("failed", 3, "ZeroDivisionError('for ever')")
    assert [(await status(db, job_id))[0] for job_id in ("good-1", "good-2")] == ["done", "done"]
    await eventually(lambda: _is(queue, "poison", JobState.FAILED), "BullMQ shows it too")
    await worker.close()


async def test_retried_job_runs_under_its_new_id_when_the_old_one_is_kept_as_failed(
    db: Database, queue: JobQueue, valkey: EmbeddedValkey
) -> None:
    """Ruling 21: BullMQ keeps the failed one, and would drop a second job of its id without a word."""
    await ask(db, "job")
    errand = Errand(raises(Invalid("no")))
    worker = HardenedWorker(
        "errands", JobRunner(db, None, [errand.spec]), connect(valkey.url()), WorkerSettings()
    )
    await queue.add(ERRAND.name, {}, job_id="job", attempts=3)
    await eventually(lambda: _is(queue, "job", JobState.FAILED), "it has failed")
    errand.then = None
    async with db.transaction() as tx:
        retried = await joblog.retry(tx, ERRAND.queue.name, "job")
    assert retried is not None
    again = retried.job_id
    assert again == "job.2"
    await queue.add(ERRAND.name, {}, job_id="job", attempts=3)
    await queue.add(ERRAND.name, {}, job_id=again, attempts=3)
    await eventually(lambda: _is(queue, again, JobState.COMPLETED), "the next generation has run")
    assert await told(db) == ["gave up job", "job.2"]
    assert (await status(db, "job"))[0] == "retried"
    await worker.close()


async def test_what_was_begun_is_finished_when_the_worker_is_told_to_stop(
    db: Database, redis: Redis, settings: Settings
) -> None:
    """F-06: stop means take no more, finish, report."""
    await ask(db, "begun", "waits")
    begun, stopping = asyncio.Event(), asyncio.Event()

    async def handle(tx: Tx, job: Job) -> None:
        begun.set()
        await asyncio.sleep(0.5)

    runner = JobRunner(db, None, [HandlerSpec(ERRAND, handle)])
    opened = open_queue("errands", redis)
    serving = asyncio.create_task(jobs.serve(settings, runner, [QUEUE], stopping))
    for job_id in ("begun", "waits"):
        await opened.add(ERRAND.name, {}, job_id=job_id)
    await begun.wait()
    stopping.set()
    await asyncio.wait_for(serving, PATIENCE_S)
    assert (await status(db, "begun"))[0] == "done"
    assert await opened.job_state("begun") is JobState.COMPLETED
    assert await opened.job_state("waits") is JobState.WAITING


async def test_process_ends_when_the_loop_of_a_queue_has_ended(
    db: Database, redis: Redis, settings: Settings
) -> None:
    """A worker that is deaf to one queue and looks alive is worse than one that is started again. Here the
    server does not let it do what it must, which no waiting will change."""
    await redis.acl_setuser(
        "limited", enabled=True, passwords=["+secret"], keys=["*"], categories=["+@connection"]
    )
    assert settings.REDIS_URL is not None
    server = settings.REDIS_URL.rsplit("@", 1)[1]
    limited = settings.model_copy(update={"REDIS_URL": f"redis://limited:secret@{server}"})
    with pytest.raises(ResponseError, match=r"NOPERM|no permissions"):
        await asyncio.wait_for(jobs.serve(limited, JobRunner(db, None, []), [QUEUE], asyncio.Event()), 10)
    await redis.acl_deluser("limited")


async def test_outcomes_are_counted_where_every_process_can_read_them(
    db: Database, redis: Redis, settings: Settings
) -> None:
    await ask(db, "good", "bad")
    stopping = asyncio.Event()

    async def handle(tx: Tx, job: Job) -> None:
        if job.job_id == "bad":
            raise ZeroDivisionError

    runner = JobRunner(db, None, [HandlerSpec(ERRAND, handle)])
    opened = open_queue("errands", redis)
    serving = asyncio.create_task(jobs.serve(settings, runner, [QUEUE], stopping))
    for job_id in ("good", "bad"):
        await opened.add(ERRAND.name, {}, job_id=job_id, attempts=2, backoff=Backoff(10, 10))
    expected = {"errands|completed": "1", "errands|retried": "1", "errands|failed": "1"}

    async def counted() -> bool:
        return bool(await redis.hgetall(jobs.OUTCOMES_KEY) == expected)

    await eventually(counted, "every outcome is counted")
    stopping.set()
    await serving


def test_all_queues_are_served_when_none_is_named() -> None:
    assert [spec.name for spec in pick_queues("deploy-token, housekeeping")] == [
        "deploy-token",
        "housekeeping",
    ]
    assert len(pick_queues("")) == len(pick_queues(None)) > 10


def test_queue_is_refused_when_it_is_not_ours() -> None:
    with pytest.raises(ValueError, match=r"unknown queue nonsense; the queues are .*deploy-token"):
        pick_queues("deploy-token,nonsense")


@pytest.fixture
def settings(dsn: str, valkey: EmbeddedValkey) -> Settings:
    return test_settings(dsn, valkey.url())


async def _is(queue: JobQueue, job_id: str, state: JobState) -> bool:
    return await queue.job_state(job_id) is state
