"""Trading looked at: users' orders and trades, the tape, the open book; and pairs that operators make."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator, Field

from deedbook.api import marks
from deedbook.api.deps import (
    PUBLIC,
    SIGNED_IN,
    CallerDep,
    EntryDep,
    PairsDep,
    ResourcesDep,
    UnitDep,
    access,
)
from deedbook.api.marks import SAME_STILL, SeenDep
from deedbook.api.paging import Cursor, Limit, _whole, decode_id, decode_position, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1 import market_texts
from deedbook.api.v1.orders import shown
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.operations import PairAnswer
from deedbook.api.v1.schemas.pairs import ChangePairBody, OpenPairBody
from deedbook.api.v1.schemas.trading import PAIR_PATTERN, DepthAnswer, MyTrade, OrderAnswer, PublicTrade
from deedbook.identity import Caller, Role, Scope
from deedbook.infra.database import Tx
from deedbook.kernel.ids import PairId, UserId
from deedbook.trading import order_views, pair_desk, trade_views, views
from deedbook.trading.entry import OrderEntry
from deedbook.trading.errors import OrderNotFound
from deedbook.trading.terms import OrderStatus, PairStatus

router = APIRouter(prefix="/trading", tags=["trading"], route_class=StrictRoute)

_STAFF = frozenset({Role.OPERATOR, Role.COMPLIANCE, Role.ADMIN})
_OPERATE = access(Role.OPERATOR, Role.ADMIN, bucket="writes", keyed=True)
_READ = access(SIGNED_IN, bucket="reads", scope=Scope.READ)
_SHOW = access(PUBLIC, bucket="reads")
UserPath = Annotated[UUID, Path(alias="userId"), BeforeValidator(_uuid)]
PairPath = Annotated[str, Path(alias="id", pattern=PAIR_PATTERN)]
PairQuery = Annotated[str | None, Query(alias="tradingPairId", pattern=PAIR_PATTERN)]
Levels = Annotated[int, Field(ge=1, le=100), BeforeValidator(_whole), Query(alias="depth")]


@router.post("/pairs", status_code=201, openapi_extra=_OPERATE, response_model=PairAnswer)
async def open_pair(body: OpenPairBody, caller: CallerDep, unit: UnitDep) -> Response:
    """Open a pair of two tokens that no market of ours issued, such as `BTC-USDC`."""

    async def work(tx: Tx) -> PairAnswer:
        pair_id = await pair_desk.open_pair(tx, caller.actor, body.command())
        return await _pair(tx, pair_id)

    return await unit.run(work, lambda pair: pair, status=201)


@router.patch("/pairs/{id}", openapi_extra=_OPERATE, response_model=PairAnswer)
async def change_pair(
    name: PairPath, body: ChangePairBody, caller: CallerDep, entry: EntryDep, unit: UnitDep
) -> Response:
    """Change what orders of a pair must pass, its fee, or its status. Open orders stay as they were admitted."""
    pair_id = (await entry.pairs.spec(name)).pair_id
    status = PairStatus(body.status) if body.status is not None else None

    async def work(tx: Tx) -> PairAnswer:
        await pair_desk.change_pair(tx, caller.actor, pair_id, body.filters(), status)
        return await _pair(tx, pair_id)

    return await unit.run(work, lambda pair: pair)


@router.get("/pairs/{id}/orderbook", openapi_extra=_SHOW, response_model=DepthAnswer, responses=SAME_STILL)
async def orderbook(
    name: PairPath, known: PairsDep, resources: ResourcesDep, levels: Levels = 100, seen: SeenDep = None
) -> Response:
    """The aggregated open book, best prices first."""
    spec = await known.spec(name)
    told = await trade_views.depth(resources.db, resources.redis, spec, levels)
    return marks.answer(orjson.dumps(told), seen)


@router.get("/pairs/{id}/trades", openapi_extra=_SHOW, response_model=Page[PublicTrade], responses=SAME_STILL)
async def tape(
    name: PairPath,
    known: PairsDep,
    resources: ResourcesDep,
    cursor: Cursor = None,
    limit: Limit = 50,
    seen: SeenDep = None,
) -> Response:
    """A pair's trades, newest first."""
    spec = await known.spec(name)
    before = decode_position("tape", cursor)
    page, older = await trade_views.page(resources.db, resources.redis, spec, before=before, limit=limit)
    return marks.answer(market_texts.tape(page, older).encode(), seen)


@router.get("/users/{userId}/orders", openapi_extra=_READ)
async def user_orders(
    user_id: UserPath,
    caller: CallerDep,
    entry: EntryDep,
    status: OrderStatus | None = None,
    pair: PairQuery = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[OrderAnswer]:
    """A user's orders, newest first: for themselves, operators and compliance."""
    _require_sight(caller, user_id)
    before, pair_id = decode_position("orders", cursor), await _pair_id(entry, pair)
    found = await order_views.orders_of(
        entry.db, UserId(user_id), status=status, pair_id=pair_id, before=before, limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("orders", page[-1]["order_number"]) if more else None
    return Page(data=[await shown(entry, row) for row in page], next_cursor=following)


@router.get("/users/{userId}/trades", openapi_extra=_READ)
async def user_trades(
    user_id: UserPath,
    caller: CallerDep,
    entry: EntryDep,
    pair: PairQuery = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[MyTrade]:
    """A user's trades, newest first: for themselves, operators and compliance."""
    _require_sight(caller, user_id)
    before, pair_id = decode_id("trades", cursor), await _pair_id(entry, pair)
    found = await trade_views.trades_of_user(
        entry.db, UserId(user_id), pair_id=pair_id, before=before, limit=limit + 1
    )
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("trades", page[-1]["trade_id"]) if more else None
    data = []
    for row in page:
        spec = await entry.pairs.spec(str(row["pair_id"]))
        data.append(MyTrade.model_validate(trade_views.of_party(row, spec, user_id)))
    return Page(data=data, next_cursor=following)


def _require_sight(caller: Caller, user_id: UUID) -> None:
    if caller.user_id != user_id and not caller.roles & _STAFF:
        raise OrderNotFound("there is no such user, or they are not you")


async def _pair_id(entry: OrderEntry, name: str | None) -> PairId | None:
    return (await entry.pairs.spec(name)).pair_id if name is not None else None


async def _pair(tx: Tx, pair_id: PairId) -> PairAnswer:
    row = await views.pair_within(tx, pair_id)
    assert row is not None, "it was opened, or found, in this very transaction"
    return PairAnswer.of(row)
