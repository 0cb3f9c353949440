"""Jobs: work that follows from a fact, a request or the clock. Declared beside what they call.

A `JobKind` is the name and the figures; a handler is attached to it in a room's `jobs.py` by `@handles`,
`@on(Fact)` or `@every`. `wiring.py` lists the modules; importing one registers nothing anywhere.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from deedbook.kernel.events import Fact


@dataclass(frozen=True)
class QueueSpec:
    """A BullMQ queue. `concurrency` and `attempts` of `None` take the defaults of `QUEUE_*`."""

    name: str
    concurrency: int | None = None
    attempts: int | None = None
    backoff_s: float = 1.0
    backoff_cap_s: float = 60.0
    jobs_per_s: int | None = None


# The queues of the architecture document, under its names and with its figures.
ORDER_MATCHING = QueueSpec("order-matching", concurrency=10, attempts=5, backoff_s=0.1, jobs_per_s=100)
SETTLEMENT = QueueSpec("execute-blockchain-settlement", concurrency=3, attempts=5)
TRADE_NOTIFICATION = QueueSpec("send-trade-notification", concurrency=10, attempts=3, backoff_s=10.0)
MARKET_STATS = QueueSpec("update-market-stats", concurrency=5, attempts=3)
EXTERNAL_PRICES = QueueSpec("fetch-external-prices")
CANDLES = QueueSpec("aggregate-candles")
TOKEN_METADATA = QueueSpec("update-token-metadata")
DEPLOY_TOKEN = QueueSpec("deploy-token", attempts=5, backoff_s=2.0)
MINT_TOKEN = QueueSpec("mint-token")
TRANSFER = QueueSpec("process-transfer")
BLOCKCHAIN_SYNC = QueueSpec("sync-blockchain")
COMPLIANCE = QueueSpec("verify-compliance")
WITHDRAWAL = QueueSpec("process-withdrawal")
RECONCILIATION = QueueSpec("reconciliation")
POSTING = QueueSpec("post-webhook", concurrency=10, attempts=3, backoff_s=10.0)
"""Ours: what goes to addresses that users have named. Nobody else waits for those that are slow."""
LIFECYCLE = QueueSpec("market-lifecycle", attempts=10, backoff_s=0.2, backoff_cap_s=10.0)
"""Ours: what follows from lifecycle facts inside the platform (pairs, caches, decisions polled)."""
HOUSEKEEPING = QueueSpec("housekeeping")
"""Ours: keys rotated, expired rows removed."""

QUEUES: tuple[QueueSpec, ...] = (
    ORDER_MATCHING,
    SETTLEMENT,
    TRADE_NOTIFICATION,
    MARKET_STATS,
    EXTERNAL_PRICES,
    CANDLES,
    TOKEN_METADATA,
    DEPLOY_TOKEN,
    MINT_TOKEN,
    TRANSFER,
    BLOCKCHAIN_SYNC,
    COMPLIANCE,
    WITHDRAWAL,
    RECONCILIATION,
    POSTING,
    LIFECYCLE,
    HOUSEKEEPING,
)


@dataclass(frozen=True)
class JobKind:
    """One sort of job: its BullMQ name and its queue.

    `repeat_by` is set where failing has taken something back, so that the job alone would do nothing: it tells
    an operator what to do instead of retrying the job.
    """

    name: str
    queue: QueueSpec
    repeat_by: str = ""


@dataclass(frozen=True)
class Job:
    """One job as its handler sees it. `attempt` counts from 1; `data` is trusted for ids only."""

    job_id: str
    name: str
    data: dict[str, Any]
    attempt: int = 1
    attempts: int = 1
    correlation_id: str = ""


Handler = Callable[[Any, Job], Awaitable[None]]


@dataclass(frozen=True)
class HandlerSpec:
    """A handler and when it runs.

    Handlers receive `(tx, job)` and share their transaction with the mark that the job is done, so that
    their effect happens once. A `lengthy` handler waits on the outside world: it receives `(resources,
    job)`, opens its own short transactions, and must be harmless when run again. `on_failure` is called as
    `(tx, job, error)` once, when the last attempt has failed.
    """

    kind: JobKind
    run: Handler
    lengthy: bool = False
    fact: type[Fact] | None = None
    every_s: int | None = None
    on_failure: Callable[[Any, Job, str], Awaitable[None]] | None = field(default=None)


H = TypeVar("H", bound=Handler)
_MARK = "__deedbook_handler__"


def handles(
    kind: JobKind,
    *,
    lengthy: bool = False,
    on_failure: Callable[[Any, Job, str], Awaitable[None]] | None = None,
) -> Callable[[H], H]:
    """Attach a handler to a job kind that is enqueued with `tx.enqueue`."""
    return lambda run: _mark(run, HandlerSpec(kind, run, lengthy, on_failure=on_failure))


def on(told: type[Fact], kind: JobKind, *, lengthy: bool = False) -> Callable[[H], H]:
    """Run the handler once for each fact of this type; `job.data` is the fact's payload plus `eventId`."""
    return lambda run: _mark(run, HandlerSpec(kind, run, lengthy, fact=told))


def every(seconds: int, kind: JobKind, *, lengthy: bool = False) -> Callable[[H], H]:
    """Run the handler on fixed slots of the clock, once per slot however many workers there are."""
    return lambda run: _mark(run, HandlerSpec(kind, run, lengthy, every_s=seconds))


def _mark(run: H, spec: HandlerSpec) -> H:
    setattr(run, _MARK, spec)
    return run


def handlers_of(module: object) -> list[HandlerSpec]:
    """The handlers declared in a module, in the order of their names."""
    found = (getattr(value, _MARK, None) for value in vars(module).values())
    return sorted((spec for spec in found if spec is not None), key=lambda spec: spec.kind.name)


def first_id(job_id: str) -> str:
    """The id under which a job was first asked for: a retry adds `.2`, `.3` … to it."""
    return job_id.split(".", 1)[0]
