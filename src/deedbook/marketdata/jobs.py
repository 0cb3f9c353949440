"""Jobs of this room. They come by the clock, not by the trade: what a thousand trades have changed is done once.

Each pair has a transaction of its own, and a pair that another worker is busy with is passed over, so that any number
of workers share the pairs.
"""

import structlog

from deedbook.kernel.jobs import Job, every
from deedbook.marketdata import copies, service, views
from deedbook.marketdata.ports import MarketDataResources
from deedbook.marketdata.store import candles as candle_store
from deedbook.marketdata.store import stats as stats_store
from deedbook.marketdata.terms import AGGREGATE_CANDLES, UPDATE_STATS
from deedbook.trading.pairs import PairDirectory

log = structlog.get_logger(__name__)

PAIRS_AT_ONCE = 1000
FOLDS_AT_ONCE = 50


@every(1, AGGREGATE_CANDLES, lengthy=True)
async def aggregate_candles(resources: MarketDataResources, job: Job) -> None:
    """Fold what was traded since, on every pair, and take out what settlement has undone."""
    pairs = PairDirectory(resources.db)
    for pair_id in await candle_store.behind(resources.db, PAIRS_AT_ONCE):
        for _ in range(FOLDS_AT_ONCE):
            folded = await service.fold(resources.db, pair_id)
            if folded is None:
                break
            try:
                await copies.tell_candles(resources.redis, await pairs.spec(str(pair_id)), folded)
            except copies.AWAY as error:
                log.warning("copy_not_renewed", pair=str(pair_id), error=type(error).__name__)
            if not folded.more:
                break


@every(1, UPDATE_STATS, lengthy=True)
async def update_market_stats(resources: MarketDataResources, job: Job) -> None:
    """Count the last 24 hours of every pair where something has entered the window, or left it."""
    pairs = PairDirectory(resources.db)
    for pair_id in await stats_store.due(resources.db, None, PAIRS_AT_ONCE):
        counted = await service.count(resources.db, pair_id)
        if counted is None:
            continue
        spec = await pairs.spec(str(pair_id))
        try:
            await copies.tell_stats(resources.redis, spec, counted, views.price_told(spec, counted))
        except copies.AWAY as error:
            log.warning("copy_not_renewed", pair=str(pair_id), error=type(error).__name__)
