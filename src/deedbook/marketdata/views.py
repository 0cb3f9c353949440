"""Market data as screens see it: from the copies in Redis, or from PostgreSQL where there is none."""

from datetime import datetime
from typing import Any

import orjson
from redis.asyncio import Redis

from deedbook.infra.database import Database
from deedbook.infra.telemetry import MARKET_DATA_READS
from deedbook.kernel.amounts import to_text
from deedbook.kernel.clock import to_wire
from deedbook.kernel.ids import PairId, UserId
from deedbook.marketdata import copies
from deedbook.marketdata.model import LEADERS, Stats, ranking
from deedbook.marketdata.store import candles as candle_store
from deedbook.marketdata.store import references as reference_store
from deedbook.marketdata.store import stats as stats_store
from deedbook.marketdata.store import traders as trader_store
from deedbook.marketdata.store.traders import Shown
from deedbook.marketdata.terms import Interval, Reference
from deedbook.trading.pairs import every_spec
from deedbook.trading.spec import PLACES, PairSpec


async def candles(
    db: Database, redis: Redis, spec: PairSpec, interval: Interval, before: datetime | None, limit: int
) -> list[str]:
    """The last candles before a moment, newest first, as JSON texts; one more than `limit` where there are more."""
    if before is None:
        found = await copies.candles(redis, spec.pair_id, interval, limit + 1)
        if found:
            MARKET_DATA_READS.labels("copy").inc()
            return found
    MARKET_DATA_READS.labels("database").inc()
    wanted = max(copies.KEPT, limit + 1) if before is None else limit + 1
    stored, revision = await candle_store.candles(db, spec.pair_id, interval, before, wanted)
    told = [candle.told(spec) for candle in stored]
    if before is None:
        await _leave(copies.fill_candles(redis, spec, interval, revision, told[: copies.KEPT]))
    return told[: limit + 1]


async def stats(db: Database, redis: Redis, spec: PairSpec) -> str:
    """The pair's last 24 hours as JSON."""
    if found := await copies.copy(redis, copies.stats_key(spec.pair_id)):
        MARKET_DATA_READS.labels("copy").inc()
        return found
    MARKET_DATA_READS.labels("database").inc()
    told = orjson.dumps((await counted(db, spec)).told(spec))
    await _leave(copies.fill(redis, copies.stats_key(spec.pair_id), told))
    return told.decode()


async def price(db: Database, redis: Redis, spec: PairSpec) -> str:
    """What the pair is worth as JSON."""
    if found := await copies.copy(redis, copies.price_key(spec.pair_id)):
        MARKET_DATA_READS.labels("copy").inc()
        return found
    MARKET_DATA_READS.labels("database").inc()
    told = orjson.dumps(price_told(spec, await counted(db, spec), await reference(db, spec)))
    await _leave(copies.fill(redis, copies.price_key(spec.pair_id), told))
    return told.decode()


async def all_stats(db: Database, redis: Redis) -> str:
    """Every pair's last 24 hours as JSON, and who leads."""
    if found := await copies.copy(redis, copies.ALL_STATS_KEY):
        MARKET_DATA_READS.labels("copy").inc()
        return found
    MARKET_DATA_READS.labels("database").inc()
    specs = await every_spec(db)
    async with db.reading() as connection:
        now = await connection.fetchval("SELECT now()")
        kept = await stats_store.kept(connection)
        leading = await trader_store.leaders(connection, now, LEADERS)
    ranked = ranking([(spec, kept.get(spec.pair_id) or Stats.nothing(spec.pair_id, now)) for spec in specs])
    told = orjson.dumps({"asOf": to_wire(now), **ranked, "traders": [_leader(shown) for shown in leading]})
    await _leave(copies.fill(redis, copies.ALL_STATS_KEY, told, copies.ALL_STATS_TTL_S))
    return told.decode()


def _leader(shown: Shown) -> dict[str, Any]:
    return {
        "name": shown.name,
        "quote": shown.quote,
        "volume24h": to_text(shown.volume, shown.decimals),
        "trades24h": shown.trades,
    }


async def shown_as(db: Database, user_id: UserId) -> str | None:
    """The name under which a user is shown among those who trade most; `None` where they did not ask for it."""
    async with db.reading() as connection:
        return await trader_store.shown_as(connection, user_id)


def opened_at(candle: str) -> int:
    """When a candle opened, in seconds, from its JSON."""
    return int(datetime.fromisoformat(orjson.loads(candle)["openedAt"]).timestamp())


async def counted(db: Database, spec: PairSpec) -> Stats:
    """The pair's last 24 hours as of now, from what is folded."""
    async with db.reading() as connection:
        now = await connection.fetchval("SELECT now()")
        return await stats_store.count(connection, spec.pair_id, now)


async def reference(db: Database, spec: PairSpec) -> Reference | None:
    """What sources outside say together; `None` where none were ever asked."""
    async with db.reading() as connection:
        return await reference_store.reference(connection, spec.pair_id)


async def price_sources(db: Database, pair_id: PairId | None, limit: int) -> list[dict[str, Any]]:
    """The sources with what each said last, and how asking goes."""
    async with db.reading() as connection:
        return await reference_store.listing(connection, pair_id, limit)


def price_told(spec: PairSpec, stats: Stats, outside: Reference | None) -> dict[str, Any]:
    """The price as JSON-ready values: what was paid last; before anything was, what sources outside say."""
    known = outside if outside is not None and outside.price is not None else None
    price, source, moment = None, None, None
    if stats.last_ticks is not None:
        price, source, moment = spec.price_text(stats.last_ticks), "trade", stats.last_at
    elif known is not None and known.price is not None:
        price, source, moment = to_text(known.price, PLACES), "reference", known.observed_at
    return {
        "tradingPairId": str(spec.pair_id),
        "pair": spec.symbol,
        "price": price,
        "source": source,
        "timestamp": to_wire(moment) if moment is not None else None,
        "reference": _reference_told(outside) if outside is not None else None,
    }


def _reference_told(outside: Reference) -> dict[str, Any]:
    moment = outside.observed_at
    return {
        "price": to_text(outside.price, PLACES) if outside.price is not None else None,
        "observedAt": to_wire(moment) if moment is not None else None,
        "state": outside.state.value,
        "sources": outside.sources,
        "spreadBps": outside.spread_bps,
    }


async def _leave(work: Any) -> None:
    """A copy for the next reader, unless Redis is away."""
    try:
        await work
    except copies.AWAY:
        return
