"""Transactions: rows leave with the commit or not at all, and trouble with the connection is a refusal."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from deedbook.infra.database import CORRELATION_ID, Database, DatabaseUnavailable
from tests.support.facts import ERRAND, a_fact, ask, count, tell
from tests.support.fault_proxy import Direction, FaultProxy
from tests.support.owner import as_owner
from tests.support.servers import PostgresServer, free_port
from tests.support.waiting import eventually

COMMIT = b"COMMIT;"
INSERT_LEASE = "INSERT INTO leases (name, holder, expires_at) VALUES ('a', 'b', now())"


@pytest.fixture
async def proxy(postgres: PostgresServer) -> AsyncIterator[FaultProxy]:
    async with FaultProxy("127.0.0.1", postgres.server.port) as opened:
        yield opened


@pytest.fixture
async def far(dsn: str, proxy: FaultProxy) -> AsyncIterator[Database]:
    """The database behind a network that can fail."""
    database = await Database.connect(_through(dsn, proxy.port), pool_size=3)
    yield database
    proxy.heal()
    await database.close()


async def test_facts_and_jobs_leave_when_the_transaction_commits(db: Database) -> None:
    token = CORRELATION_ID.set("request-7")
    async with db.transaction() as tx:
        event_id = tx.emit(a_fact("kept"))
        tx.enqueue(ERRAND, "errand-1", {"of": "kept"}, priority=3)
        assert await tx.fetchval("SELECT count(*) FROM events") == 0
    CORRELATION_ID.reset(token)
    async with db.reading() as connection:
        event = await connection.fetchrow("SELECT * FROM events")
        job = await connection.fetchrow("SELECT * FROM jobs")
    assert event is not None
    assert job is not None
    assert (event["event_id"], event["stream_type"], event["correlation_id"]) == (
        event_id,
        "operations",
        "request-7",
    )
    assert event["payload"]["jobId"] == "kept"
    assert (job["queue"], job["priority"], job["correlation_id"], job["status"]) == (
        "housekeeping",
        3,
        "request-7",
        "pending",
    )


async def test_nothing_leaves_when_the_transaction_is_undone(db: Database) -> None:
    async def request() -> None:
        async with db.transaction() as tx:
            tx.emit(a_fact())
            tx.enqueue(ERRAND, "errand-1", {})
            await tx.execute(INSERT_LEASE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await request()
    assert [await count(db, table) for table in ("events", "jobs", "leases")] == [0, 0, 0]


async def test_job_is_asked_for_once_when_its_id_is_repeated(db: Database) -> None:
    await ask(db, "same")
    await ask(db, "same", "other")
    assert await count(db, "jobs") == 2


async def test_nothing_is_left_in_a_connection_whose_user_was_cut_off(dsn: str) -> None:
    """Connections are given on as they are: what was begun is rolled back, and role and limits are those of before."""
    alone = await Database.connect(dsn, pool_size=1)
    session = "SELECT ARRAY[current_user, current_setting('statement_timeout'), current_setting('work_mem')]"
    async with alone.reading() as connection:
        before = await connection.fetchval(session)

    async def dawdle(setting: str) -> None:
        async with alone.transaction() as tx:
            await tx.execute(setting)
            await tx.execute(INSERT_LEASE)
            await tx.execute("SELECT pg_sleep(30)")

    for setting in ("SET LOCAL statement_timeout = 0", "SET LOCAL work_mem = '128MB'"):
        cut_off = asyncio.create_task(dawdle(setting))
        await asyncio.sleep(0.2)
        cut_off.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cut_off
        async with alone.reading() as connection:
            assert not connection.is_in_transaction()
            assert await connection.fetchval(session) == before
            assert await connection.fetchval("SELECT count(*) FROM leases") == 0
    for _ in range(3):
        with pytest.raises(asyncpg.PostgresSyntaxError):
            async with alone.transaction() as tx:
                await tx.execute("no SQL")
        async with alone.reading() as connection:
            assert await connection.fetchval(session) == before
    await alone.close()


async def test_history_is_refused_a_change_when_somebody_tries(db: Database) -> None:
    await tell(db, "one")
    for statement in ("UPDATE events SET version = 2", "DELETE FROM events", "TRUNCATE events"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.transaction() as tx:
                await tx.execute(statement)


@pytest.mark.parametrize(("deliver", "kept"), [(True, 1), (False, 0)], ids=["reply lost", "commit lost"])
async def test_repeating_has_one_effect_when_the_answer_to_commit_is_lost(
    far: Database, db: Database, proxy: FaultProxy, deliver: bool, kept: int
) -> None:
    """F-09: the caller hears that the outcome is unknown; the repeated request finds its own id."""

    async def request() -> None:
        async with far.transaction() as tx:
            await tx.execute(
                "INSERT INTO processed_events (event_id, event_type, source, received_via, payload, context, "
                "processing_status) VALUES ('e1', 't', 's', 'v', '{}', '{}', 'success') ON CONFLICT DO NOTHING"
            )
            tx.enqueue(ERRAND, "errand-e1", {})

    proxy.abort_when(Direction.TO_SERVER, COMMIT, deliver=deliver)
    with pytest.raises(DatabaseUnavailable) as refused:
        await request()
    assert refused.value.retry_after_s == 1
    assert await count(db, "jobs") == kept
    await request()
    assert await count(db, "jobs") == 1
    assert await count(db, "processed_events") == 1


@pytest.mark.parametrize(("deliver", "kept"), [(True, 1), (False, 0)], ids=["reply lost", "statement lost"])
async def test_a_statement_of_its_own_is_written_once_or_in_doubt(
    far: Database, db: Database, proxy: FaultProxy, deliver: bool, kept: int
) -> None:
    insert = (
        "INSERT INTO leases (name, holder, expires_at) VALUES ($1, 'us', now()) "
        "ON CONFLICT DO NOTHING RETURNING name"
    )
    assert [row["name"] for row in await far.statement(insert, "first")] == ["first"]
    proxy.abort_when(Direction.TO_SERVER, b"second", deliver=deliver)
    with pytest.raises(DatabaseUnavailable):
        await far.statement(insert, "second")
    assert await count(db, "leases") == 1 + kept
    await far.statement(insert, "second")
    assert await count(db, "leases") == 2
    with pytest.raises(asyncpg.UniqueViolationError):
        await far.statement(
            "INSERT INTO leases (name, holder, expires_at) VALUES ('a', '', now()), ('a', '', now())"
        )
    assert await count(db, "leases") == 2


async def test_a_statement_that_a_deadlock_has_undone_is_tried_again(db: Database) -> None:
    async with as_owner(db) as connection:
        await connection.execute(
            "CREATE FUNCTION touch(first text, second text) RETURNS void LANGUAGE sql AS $$ "
            "UPDATE leases SET epoch = epoch + 1 WHERE name = first; SELECT pg_sleep(0.5); "
            "UPDATE leases SET epoch = epoch + 1 WHERE name = second; $$"
        )
        await connection.execute(
            "INSERT INTO leases (name, holder, expires_at) VALUES ('a', '', now()), ('b', '', now())"
        )

    await asyncio.gather(db.statement("SELECT touch('a', 'b')"), db.statement("SELECT touch('b', 'a')"))

    async with db.reading() as connection:
        assert await connection.fetchval("SELECT array_agg(epoch) FROM leases") == [3, 3]


async def test_caller_is_refused_when_the_connection_breaks_in_the_middle(
    far: Database, db: Database, proxy: FaultProxy
) -> None:
    async def write() -> None:
        async with far.transaction() as tx:
            await tx.execute(INSERT_LEASE)
            tx.emit(a_fact())
            proxy.cut()
            await asyncio.sleep(0.05)

    async def read() -> None:
        async with far.reading() as connection:
            proxy.cut()
            await asyncio.sleep(0.05)
            await connection.fetchval("SELECT 1")

    for request in (write, read):
        with pytest.raises(DatabaseUnavailable):
            await request()
    assert await count(db, "leases") == 0
    async with far.transaction() as tx:
        assert await tx.fetchval("SELECT 1") == 1


async def test_caller_is_refused_in_bounded_time_when_all_connections_are_busy(dsn: str) -> None:
    """F-10: 503 within the time that a caller may wait, and every connection comes back."""
    db = await Database.connect(dsn, pool_size=2)
    db._acquire_timeout_s = 0.3
    release = asyncio.Event()

    async def keep_busy() -> None:
        async with db.transaction() as tx:
            await tx.execute("SELECT 1")
            await release.wait()

    busy = [asyncio.create_task(keep_busy()) for _ in range(2)]
    await eventually(_all_taken(db), "both connections are taken")
    started = time.monotonic()
    outcomes = await asyncio.gather(*(_touch(db) for _ in range(20)), return_exceptions=True)
    assert time.monotonic() - started < 5  # one after the other they would wait for six
    assert [type(outcome) for outcome in outcomes] == [DatabaseUnavailable] * 20
    release.set()
    await asyncio.gather(*busy)
    await asyncio.gather(*(_touch(db) for _ in range(20)))
    assert db.pool.get_idle_size() == db.pool.get_size()
    await db.close()


async def test_connection_comes_back_when_its_user_is_cancelled(dsn: str) -> None:
    db = await Database.connect(dsn, pool_size=1)

    async def slow() -> None:
        async with db.transaction() as tx:
            await tx.execute("SELECT pg_sleep(30)")

    for _ in range(3):
        task = asyncio.create_task(slow())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await _touch(db)
    await db.close()


async def test_statement_is_refused_when_it_takes_too_long(dsn: str) -> None:
    db = await Database.connect(dsn, statement_timeout_s=0.5)
    with pytest.raises(DatabaseUnavailable):
        async with db.transaction() as tx:
            await tx.execute("SELECT pg_sleep(10)")
    await _touch(db)
    await db.close()


async def test_transaction_is_refused_when_it_idles_too_long(dsn: str, db: Database) -> None:
    """Ruling 23: a frozen transaction may not hold the relay back, and its late commit changes nothing."""
    frozen = await Database.connect(dsn, idle_transaction_timeout_s=0.5)

    async def freeze() -> None:
        async with frozen.transaction() as tx:
            await tx.execute(INSERT_LEASE)
            tx.emit(a_fact())
            await asyncio.sleep(1.5)

    with pytest.raises(DatabaseUnavailable):
        await freeze()
    assert [await count(db, table) for table in ("leases", "events")] == [0, 0]
    await _touch(frozen)
    await frozen.close()


async def test_one_is_refused_and_may_repeat_when_two_lock_crosswise(db: Database) -> None:
    await _two_leases(db)
    met = asyncio.Barrier(2)

    async def cross(first: str, second: str) -> None:
        async with db.transaction() as tx:
            await tx.execute("UPDATE leases SET epoch = epoch + 1 WHERE name = $1", first)
            await met.wait()
            await tx.execute("UPDATE leases SET epoch = epoch + 1 WHERE name = $1", second)

    outcomes = await asyncio.gather(cross("a", "b"), cross("b", "a"), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome] == [DatabaseUnavailable]


async def test_bug_stays_a_bug_when_the_statement_is_wrong(db: Database) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        async with db.transaction() as tx:
            await tx.execute("SELEKT 1")
    with pytest.raises(asyncpg.DataError):
        async with db.transaction() as tx:
            await tx.execute("SELECT $1::int", "one")
    with pytest.raises(asyncpg.InterfaceError):
        async with db.transaction() as tx:
            await asyncio.gather(tx.execute("SELECT pg_sleep(0.1)"), tx.execute("SELECT 1"))


async def test_pool_opens_before_its_server_and_serves_when_that_is_there(
    postgres: PostgresServer, dsn: str
) -> None:
    """A process may be started before its database; until then each caller is refused."""
    parts = urlsplit(dsn)
    port = free_port()
    db = await Database.connect(_through(dsn, port))
    with pytest.raises(DatabaseUnavailable):
        await _touch(db)
    assert parts.port == postgres.server.port

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", postgres.server.port)
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", port)
    await _touch(db)
    await db.close()
    server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def _touch(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("SELECT 1")


async def _two_leases(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute("INSERT INTO leases VALUES ('a', 'x', 1, now()), ('b', 'x', 1, now())")


def _all_taken(db: Database) -> Callable[[], Awaitable[bool]]:
    async def taken() -> bool:
        return db.pool.get_size() == 2 and db.pool.get_idle_size() == 0

    return taken


def _through(dsn: str, port: int) -> str:
    parts = urlsplit(dsn)
    netloc = parts.netloc.rsplit(":", 1)[0]
    return urlunsplit(parts._replace(netloc=f"{netloc}:{port}"))
