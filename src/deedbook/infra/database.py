"""PostgreSQL: a pool, and transactions that carry rows out (`emit`, `enqueue`) and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson

from deedbook.infra.failpoints import failpoint
from deedbook.kernel.errors import Unavailable
from deedbook.kernel.events import SYSTEM, Actor, Fact, payload, stream_id, wire_value
from deedbook.kernel.ids import EventId, new_uuid
from deedbook.kernel.jobs import JobKind

APPLICATION_ROLE = "deedbook_app"
CORRELATION_ID: ContextVar[str] = ContextVar("correlation_id", default="")

ACQUIRE_TIMEOUT_S = 2.0
STATEMENT_TIMEOUT_S = 15.0
ATTEMPTS = 3
TRANSIENT = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""The connection is gone, or the server could not do it this time: the same request may pass later."""
_GONE = ("clos", "released back to the pool")
"""How the driver says that a connection broke while we held it; it has no class for that."""


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer, or not in time."""

    code, title = "database_unavailable", "The database does not answer"


@dataclass(frozen=True)
class _EmittedFact:
    event_id: UUID
    told: Fact
    actor: Actor
    seq: int | None
    before: str | None
    after: str | None


@dataclass(frozen=True)
class _EnqueuedJob:
    job_id: str
    kind: JobKind
    data: dict[str, Any]
    priority: int


class Reads(Protocol):
    """A transaction, or a connection for plain reads: for one statement it is the same."""

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]: ...


class Tx:
    """One transaction. It is received, used and never committed by those who receive it.

    Facts and jobs are kept until just before the commit and written in one statement each.
    """

    def __init__(self, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]") -> None:
        self._connection = connection
        self._facts: list[_EmittedFact] = []
        self._jobs: list[_EnqueuedJob] = []

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        return await self._connection.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        return await self._connection.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        return await self._connection.fetchval(query, *args)

    async def execute(self, query: str, *args: Any) -> str:
        return await self._connection.execute(query, *args)

    async def executemany(self, query: str, rows: Sequence[Sequence[Any]]) -> None:
        await self._connection.executemany(query, rows)

    async def now(self) -> datetime:
        """The transaction's moment by the database's clock, one and the same for all machines."""
        moment = await self._connection.fetchval("SELECT now()")
        assert isinstance(moment, datetime)
        return moment

    def emit(
        self,
        told: Fact,
        actor: Actor = SYSTEM,
        *,
        seq: int | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> EventId:
        """Tell a fact: it becomes an `events` row if and only if this transaction commits.

        `before` and `after` are what an auditor compares: the fields that changed, under their wire names.
        """
        event_id = new_uuid()
        self._facts.append(_EmittedFact(event_id, told, actor, seq, _audited(before), _audited(after)))
        return EventId(event_id)

    def enqueue(self, kind: JobKind, job_id: str, data: dict[str, Any], *, priority: int = 0) -> None:
        """Ask for a job: it becomes a `jobs` row with this transaction. The same id asks once, for ever."""
        assert ":" not in job_id, "BullMQ on Node refuses ids with a colon"
        assert "." not in job_id, "what follows a dot is the generation of a retry"
        self._jobs.append(_EnqueuedJob(job_id, kind, data, priority))

    async def write_out(self) -> None:
        """Write the facts and jobs of this transaction. Called by `Database.transaction` before it commits."""
        facts, jobs = self._facts, self._jobs
        self._facts, self._jobs = [], []
        correlation_id = CORRELATION_ID.get()
        if facts:
            await self._connection.execute(
                _INSERT_EVENTS,
                [fact.event_id for fact in facts],
                [fact.told.spec.event_type for fact in facts],
                [fact.told.spec.version for fact in facts],
                [fact.told.spec.event_type.split(".", 1)[0] for fact in facts],
                [stream_id(fact.told) for fact in facts],
                [fact.seq for fact in facts],
                [fact.actor.actor_id for fact in facts],
                [fact.actor.actor_type.value for fact in facts],
                [orjson.dumps(payload(fact.told)).decode() for fact in facts],
                [fact.before for fact in facts],
                [fact.after for fact in facts],
                correlation_id,
            )
        if jobs:
            await self._connection.execute(
                _INSERT_JOBS,
                [job.job_id for job in jobs],
                [job.kind.queue.name for job in jobs],
                [job.kind.name for job in jobs],
                [orjson.dumps(job.data).decode() for job in jobs],
                [job.priority for job in jobs],
                correlation_id,
            )


_INSERT_EVENTS = """
    INSERT INTO events (event_id, event_type, version, stream_type, stream_id, seq,
                        actor_id, actor_type, payload, before, after, correlation_id)
    SELECT *, $12 FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::uuid[], $6::bigint[],
                              $7::uuid[], $8::text[], $9::jsonb[], $10::jsonb[], $11::jsonb[])
"""
_INSERT_JOBS = """
    INSERT INTO jobs (job_id, queue, name, data, priority, correlation_id)
    SELECT *, $6 FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::int[])
    ON CONFLICT (job_id) DO NOTHING
"""


class Database:
    """A bounded pool of connections with timeouts on everything."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        acquire_timeout_s: float = ACQUIRE_TIMEOUT_S,
        statement_timeout_s: float = STATEMENT_TIMEOUT_S,
    ) -> None:
        self.pool = pool
        self._acquire_timeout_s = acquire_timeout_s
        self._statement_timeout_s = statement_timeout_s

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        pool_size: int = 10,
        statement_timeout_s: float = STATEMENT_TIMEOUT_S,
        idle_transaction_timeout_s: float = 10.0,
        acquire_timeout_s: float = ACQUIRE_TIMEOUT_S,
        application: str = "deedbook",
    ) -> "Database":
        """Open the pool; the timeouts keep one stuck transaction from holding back the relay for ever.

        Nothing connects before the first use, so a process may start before its database does.
        """
        pool = await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=pool_size,
            timeout=max(5.0, acquire_timeout_s),
            command_timeout=statement_timeout_s + 5,
            max_inactive_connection_lifetime=120,
            init=_prepare,
            reset=_as_it_is,
            server_settings={
                "application_name": application,
                "statement_timeout": f"{int(statement_timeout_s * 1000)}ms",
                "idle_in_transaction_session_timeout": f"{int(idle_transaction_timeout_s * 1000)}ms",
                "lock_timeout": "5s",
                "timezone": "UTC",
            },
        )
        assert pool is not None
        return cls(pool, acquire_timeout_s, statement_timeout_s)

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self.pool.close(), 5)
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """One transaction; facts and jobs leave with its commit. Connection trouble becomes a refusal.

        When the reply to COMMIT is lost the outcome is unknown: the caller sees `DatabaseUnavailable` and
        may repeat, since every effect stands under a unique id.
        """
        try:
            async with (
                self.pool.acquire(timeout=self._acquire_timeout_s) as connection,
                connection.transaction(),
            ):
                tx = Tx(connection)
                yield tx
                await tx.write_out()
                await failpoint("database.beforeCommit")
        except (*TRANSIENT, asyncpg.InterfaceError) as error:
            raise _as_refusal(error) from error
        await failpoint("database.afterCommit")

    async def statement(self, query: str, *args: Any, longer_s: float = 0.0) -> list[asyncpg.Record]:
        """One statement that is a transaction of its own: written when this returns, without the round trips of
        BEGIN and COMMIT. As above, a lost reply leaves the outcome unknown; what a deadlock undid is tried again.
        It may last so much `longer_s` than others, for what is known to be large."""
        for attempt in range(1, ATTEMPTS + 1):
            await failpoint("database.beforeCommit")
            try:
                async with self.reading() as connection:
                    if longer_s:
                        rows = await self._lengthy(connection, query, args, longer_s)
                    else:
                        rows = await connection.fetch(query, *args)
                break
            except DatabaseUnavailable as unavailable:
                if attempt == ATTEMPTS or not isinstance(
                    unavailable.__cause__, asyncpg.DeadlockDetectedError
                ):
                    raise
        await failpoint("database.afterCommit")
        return rows

    async def _lengthy(
        self, connection: Any, query: str, args: Sequence[Any], longer_s: float
    ) -> list[asyncpg.Record]:
        """Not in a transaction, whose client must not be silent for as long as it takes to send something large."""
        allowed_s = self._statement_timeout_s + longer_s
        await connection.execute(f"SET statement_timeout = {int(allowed_s * 1000)}")
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, *args, timeout=allowed_s + 5)
        finally:
            await connection.execute("RESET statement_timeout")
        return rows

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"]:
        """A connection for plain reads."""
        try:
            async with self.pool.acquire(timeout=self._acquire_timeout_s) as connection:
                yield connection
        except (*TRANSIENT, asyncpg.InterfaceError) as error:
            raise _as_refusal(error) from error


def _as_refusal(error: BaseException) -> BaseException:
    """Trouble with the connection is a refusal; a bug in how we call the driver stays a bug."""
    if isinstance(error, asyncpg.DataError) or (
        isinstance(error, asyncpg.InterfaceError) and not any(word in str(error) for word in _GONE)
    ):
        return error
    return DatabaseUnavailable(retry_after_s=1)


def _audited(fields: Mapping[str, Any] | None) -> str | None:
    if fields is None:
        return None
    return orjson.dumps({name: wire_value(value) for name, value in fields.items()}).decode()


async def _as_it_is(_: Any) -> None:
    """Nothing here leaves anything in a session (no advisory locks, no `LISTEN`, no `SET` but `SET LOCAL` and
    what is reset at once), so that
    nothing has to be cleaned: the driver's default is one more round trip for every use of a connection. What a
    broken transaction leaves it rolls back before this."""


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Work under the application's role, which may not change what was written down. A schema that is too old
    to have the role is found out by `require_current`."""
    await connection.execute(
        "SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = $1", APPLICATION_ROLE
    )
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=lambda text: text, decoder=orjson.loads, format="text"
        )
