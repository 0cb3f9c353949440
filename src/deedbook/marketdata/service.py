"""Use cases: fold what was traded into candles, and count the last 24 hours."""

from dataclasses import dataclass, field
from datetime import datetime

from deedbook.infra.database import Database
from deedbook.kernel.ids import PairId
from deedbook.marketdata.model import Candle, Stats
from deedbook.marketdata.store import candles as candle_store
from deedbook.marketdata.store import stats as stats_store
from deedbook.marketdata.store import traders as trader_store

FOLDED_AT_ONCE = 20_000
REPAIRED_AT_ONCE = 500


@dataclass(frozen=True)
class Folded:
    """What one commit did to a pair's candles: from which edition to which. Where something was taken out,
    `anew` says that the changes are not all that changed."""

    pair_id: PairId
    before: int
    revision: int
    changes: list[Candle] = field(default_factory=list)
    anew: bool = False
    more: bool = False


async def fold(db: Database, pair_id: PairId) -> Folded | None:
    """Fold the pair's next trades; `None` where there is nothing to do, or another does it. Harmless when repeated:
    the cursor moves with what was folded."""
    async with db.transaction() as tx:
        cursor = await candle_store.claim(tx, pair_id)
        if cursor is None:
            return None
        newest = await candle_store.newest(tx, pair_id)
        upto = min(newest, cursor.trade_number + FOLDED_AT_ONCE)
        changes = await candle_store.fold(tx, pair_id, cursor.trade_number, upto)
        await trader_store.fold(tx, pair_id, cursor.trade_number, upto)
        # Only after the fold: a trade that failed while we looked at it is taken out again here.
        minutes = await candle_store.take_repairs(tx, pair_id, upto, REPAIRED_AT_ONCE)
        if minutes:
            await candle_store.compute_anew(tx, pair_id, minutes, upto)
            await trader_store.compute_anew(tx, pair_id, minutes, upto)
        if upto == cursor.trade_number and not minutes:
            return None
        now = await candle_store.advance(tx, pair_id, upto)
    return Folded(pair_id, cursor.revision, now.revision, changes, bool(minutes), upto < newest)


async def count(db: Database, pair_id: PairId, now: datetime | None = None) -> Stats | None:
    """Count the pair's last 24 hours and write it down; `None` while another does."""
    async with db.transaction() as tx:
        if not await stats_store.claim(tx, pair_id):
            return None
        stats = await stats_store.count(tx, pair_id, now or await tx.now())
        await stats_store.keep(tx, stats)
    return stats
