"""Jobs of this room: pairs follow their markets; whoever may not trade any more, or has taken back on the chain what
they signed, has their orders ended."""

from uuid import UUID

from deedbook.compliance.events import AccountFrozen, AccountScreened, ComplianceExpired, RecordChanged
from deedbook.custody.events import ConsentWithdrawn
from deedbook.infra.database import Tx
from deedbook.kernel.ids import MarketId, TokenId, UserId
from deedbook.kernel.jobs import Job, on
from deedbook.markets.events import MarketActivated, MarketArchived, MarketPaused, MarketResumed
from deedbook.trading import order_store, orders, service
from deedbook.trading.terms import (
    BAR_EXPIRED,
    BAR_FROZEN,
    BAR_RECORD,
    BAR_SANCTIONED,
    CLOSE_PAIR,
    END_WITHDRAWN,
    OPEN_PAIR,
    PAUSE_PAIR,
    RESUME_PAIR,
)


@on(MarketActivated, OPEN_PAIR)
async def open_pair(tx: Tx, job: Job) -> None:
    await service.open_pair(tx, MarketId(UUID(job.data["marketId"])))


@on(MarketPaused, PAUSE_PAIR)
async def pause_pair(tx: Tx, job: Job) -> None:
    await service.follow_market(tx, MarketId(UUID(job.data["marketId"])))


@on(MarketResumed, RESUME_PAIR)
async def resume_pair(tx: Tx, job: Job) -> None:
    await service.follow_market(tx, MarketId(UUID(job.data["marketId"])))


@on(MarketArchived, CLOSE_PAIR)
async def close_pair(tx: Tx, job: Job) -> None:
    await service.follow_market(tx, MarketId(UUID(job.data["marketId"])))


@on(AccountFrozen, BAR_FROZEN)
async def bar_frozen(tx: Tx, job: Job) -> None:
    await orders.bar(tx, UserId(UUID(job.data["userId"])), None)


@on(AccountScreened, BAR_SANCTIONED)
async def bar_sanctioned(tx: Tx, job: Job) -> None:
    await orders.bar(tx, UserId(UUID(job.data["userId"])), None)


@on(RecordChanged, BAR_RECORD)
async def bar_changed(tx: Tx, job: Job) -> None:
    await orders.bar(tx, UserId(UUID(job.data["userId"])), TokenId(UUID(job.data["tokenId"])))


@on(ComplianceExpired, BAR_EXPIRED)
async def bar_expired(tx: Tx, job: Job) -> None:
    await orders.bar(tx, UserId(UUID(job.data["userId"])), TokenId(UUID(job.data["tokenId"])))


@on(ConsentWithdrawn, END_WITHDRAWN)
async def end_withdrawn(tx: Tx, job: Job) -> None:
    await order_store.cancel_one(tx, UUID(job.data["actionId"]))
