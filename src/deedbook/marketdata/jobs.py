"""Jobs of this room. They come by the clock, not by the trade: what a thousand trades have changed is done once.

Each pair has a transaction of its own, and a pair that another worker is busy with is passed over, so that any number
of workers share the pairs.
"""

from uuid import UUID

import structlog

from deedbook.infra.database import Tx
from deedbook.kernel.ids import PairId
from deedbook.kernel.jobs import Job, every, on
from deedbook.marketdata import copies, prices, service, traders, views
from deedbook.marketdata.events import PriceMoved
from deedbook.marketdata.model import Stats
from deedbook.marketdata.ports import MarketDataResources, PriceResources
from deedbook.marketdata.store import candles as candle_store
from deedbook.marketdata.store import stats as stats_store
from deedbook.marketdata.terms import (
    AGGREGATE_CANDLES,
    FETCH_PRICES,
    NOTE_MOVED_VALUE,
    NOTE_VALUES,
    REMOVE_OLD_PRICES,
    UPDATE_STATS,
)
from deedbook.trading.pairs import PairDirectory
from deedbook.trading.spec import PairSpec

log = structlog.get_logger(__name__)

PAIRS_AT_ONCE = 1000
FOLDS_AT_ONCE = 50
TOKENS_AT_ONCE = 10_000


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
        await _tell(resources, await pairs.spec(str(pair_id)), counted)


@every(10, FETCH_PRICES, lengthy=True)
async def fetch_external_prices(resources: PriceResources, job: Job) -> None:
    """Ask every source outside, and tell what follows."""
    asked = await prices.sources(resources.db)
    if not asked:
        return
    answers = await resources.price_feeds.ask(asked)
    pairs = PairDirectory(resources.db)
    for pair_id in await prices.take_in(resources.db, asked, answers, resources.price_policy):
        spec = await pairs.spec(str(pair_id))
        await _tell(resources, spec, await views.counted(resources.db, spec))


@every(86_400, NOTE_VALUES)
async def note_market_values(tx: Tx, job: Job) -> None:
    """Tell beside each token what it is worth outside, once a day."""
    await prices.note_values(tx, None, TOKENS_AT_ONCE)


@on(PriceMoved, NOTE_MOVED_VALUE)
async def note_moved_value(tx: Tx, job: Job) -> None:
    """The same at once for a token whose price has moved significantly."""
    await prices.note_values(tx, PairId(UUID(job.data["tradingPairId"])), 1)


@every(3600, REMOVE_OLD_PRICES)
async def remove_old_prices(tx: Tx, job: Job) -> None:
    """Forget what nobody asks for any more: quotes, and hours of traders."""
    await prices.remove_old(tx)
    await traders.remove_old(tx)


async def _tell(resources: MarketDataResources, spec: PairSpec, stats: Stats) -> None:
    price = views.price_told(spec, stats, await views.reference(resources.db, spec))
    try:
        await copies.tell_stats(resources.redis, spec, stats, price)
    except copies.AWAY as error:
        log.warning("copy_not_renewed", pair=spec.symbol, error=type(error).__name__)
