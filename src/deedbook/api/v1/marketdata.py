"""Market data: candles, the last 24 hours, prices. The book and the tape are in `trading`."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator, Field

from deedbook.api import marks
from deedbook.api.deps import PUBLIC, PairsDep, ResourcesDep, access
from deedbook.api.marks import SAME_STILL, SeenDep
from deedbook.api.paging import Cursor, _whole, decode_position
from deedbook.api.strict import StrictRoute
from deedbook.api.v1 import market_texts
from deedbook.api.v1.schemas.common import Page
from deedbook.api.v1.schemas.marketdata import AllStatsAnswer, CandleAnswer, PriceAnswer, StatsAnswer
from deedbook.api.v1.schemas.trading import PAIR_PATTERN
from deedbook.marketdata import Interval, views

router = APIRouter(prefix="/trading", tags=["market data"], route_class=StrictRoute)

_SHOW = access(PUBLIC, bucket="reads")
LAST_SECOND = 253_402_300_799
"""Of the year 9999."""
PairPath = Annotated[str, Path(alias="id", pattern=PAIR_PATTERN)]
Candles = Annotated[int, Field(ge=1, le=499), BeforeValidator(_whole), Query(alias="limit")]


@router.get(
    "/pairs/{id}/candles", openapi_extra=_SHOW, response_model=Page[CandleAnswer], responses=SAME_STILL
)
async def candles(
    name: PairPath,
    known: PairsDep,
    resources: ResourcesDep,
    interval: Interval = Interval.ONE_MINUTE,
    cursor: Cursor = None,
    limit: Candles = 100,
    seen: SeenDep = None,
) -> Response:
    """A pair's candles, newest first. The first may still burn. They are at most a few seconds behind the trades."""
    spec = await known.spec(name)
    before = decode_position(market_texts.candle_listing(interval), cursor)
    moment = datetime.fromtimestamp(min(before, LAST_SECOND), UTC) if before is not None else None
    found = await views.candles(resources.db, resources.redis, spec, interval, moment, limit)
    return _json(market_texts.candles(interval, found, limit), seen)


@router.get("/pairs/{id}/stats", openapi_extra=_SHOW, response_model=StatsAnswer, responses=SAME_STILL)
async def stats(name: PairPath, known: PairsDep, resources: ResourcesDep, seen: SeenDep = None) -> Response:
    """A pair's last 24 hours."""
    return _json(await views.stats(resources.db, resources.redis, await known.spec(name)), seen)


@router.get("/pairs/{id}/price", openapi_extra=_SHOW, response_model=PriceAnswer, responses=SAME_STILL)
async def price(name: PairPath, known: PairsDep, resources: ResourcesDep, seen: SeenDep = None) -> Response:
    """What a pair is worth."""
    return _json(await views.price(resources.db, resources.redis, await known.spec(name)), seen)


@router.get("/stats", openapi_extra=_SHOW, response_model=AllStatsAnswer, responses=SAME_STILL)
async def all_stats(resources: ResourcesDep, seen: SeenDep = None) -> Response:
    """Every pair's last 24 hours, and who leads."""
    return _json(await views.all_stats(resources.db, resources.redis), seen)


def _json(told: str, seen: str | None) -> Response:
    """As the copy has it: nothing is read and written again on the way."""
    return marks.answer(told.encode(), seen)
