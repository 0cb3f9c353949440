"""Bodies about pairs, queues and events."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from deedbook.api.v1.schemas.common import Answer, Body, Moment, Text


class PairSide(Answer):
    symbol: str
    decimals: int
    contract_address: str | None


class PairFilters(Answer):
    """What orders must pass besides tick and lot; a refusal names the filter."""

    min_quantity: str
    max_quantity: str
    min_notional: str
    max_open_orders: int
    protection_bps: int


class PairAnswer(Answer):
    """A trading pair. Sizes are decimal text: `tickSize` in quote tokens, `lotSize` in base tokens. Fees are taken
    from what each side receives (`received`), or in the quote token (`quote`)."""

    id: UUID
    symbol: str
    market_id: UUID | None
    status: str
    base: PairSide
    quote: PairSide
    tick_size: str
    lot_size: str
    fee_bps: int
    fee_mode: str
    filters: PairFilters
    created_at: Moment

    @classmethod
    def of(cls, row: dict[str, Any]) -> "PairAnswer":
        sides = {
            side: PairSide(
                symbol=row[f"{side}_symbol"],
                decimals=row[f"{side}_decimals"],
                contract_address=row[f"{side}_address"],
            )
            for side in ("base", "quote")
        }
        filters = PairFilters.model_validate(row)
        return cls(**{**row, **sides, "filters": filters, "id": row["pair_id"]})


class WebhookAnswer(Answer):
    """What became of an event: `success`, `failed`, `skipped` or `duplicate`."""

    received: bool = True
    event_id: str
    status: str


class ProcessedEventAnswer(Answer):
    """An event from outside and what became of it."""

    event_id: str
    event_type: str
    source: str
    received_via: str
    payload: dict[str, Any]
    context: dict[str, Any]
    processing_status: str
    processing_error: str | None
    attempts: int
    received_at: Moment
    processed_at: Moment


class QueueAnswer(Answer):
    """A queue: what BullMQ holds (`counts`, null while Redis is away), and what PostgreSQL knows."""

    name: str
    concurrency: int
    attempts: int
    counts: dict[str, int] | None
    pending: int
    failed: int
    oldest_pending_at: Moment | None


class JobAnswer(Answer):
    """A job as recorded in PostgreSQL."""

    job_id: str
    name: str
    data: dict[str, Any]
    status: str
    attempts_made: int
    last_error: str | None
    retry_of: str | None
    parked_reason: str | None
    correlation_id: str
    created_at: Moment
    finished_at: Moment | None


class RetryJob(Body):
    """Why a job is asked for again. It stands in the audit log."""

    reason: Annotated[Text, Field(max_length=1000)] = ""


class ParkJob(Body):
    """Why a job is put aside."""

    reason: Annotated[
        Text, Field(min_length=1, max_length=1000, examples=["The provider is away until Monday"])
    ]


class JobRetried(Answer):
    """The new job that repeats the one that failed or was put aside."""

    job_id: str


class ParkedAnswer(Answer):
    """The job that was put aside."""

    job_id: str
    status: str


class ExchangeInfo(Answer):
    """What programs need to know before they start."""

    server_time: Moment
    version: str
    chain_id: int
    contracts: dict[str, str]
    eip712_domain: dict[str, Any]
    eip712_types: dict[str, list[dict[str, str]]]
    limits: dict[str, int]
    pairs: list[PairAnswer]


class TimeAnswer(Answer):
    server_time: Moment
    epoch_ms: int
