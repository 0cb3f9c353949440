"""Jobs of this room: pairs follow their markets."""

from uuid import UUID

from deedbook.infra.database import Tx
from deedbook.kernel.ids import MarketId
from deedbook.kernel.jobs import Job, on
from deedbook.markets.events import MarketActivated, MarketArchived, MarketPaused, MarketResumed
from deedbook.trading import service
from deedbook.trading.terms import CLOSE_PAIR, OPEN_PAIR, PAUSE_PAIR, RESUME_PAIR


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
