"""Settlements: where a trade stands on the chain, for its parties; what waits and what failed, for operators."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator, Field

from deedbook import settlement
from deedbook.api.deps import SIGNED_IN, CallerDep, DatabaseDep, ResourcesDep, UnitDep, access
from deedbook.api.paging import Cursor, Limit, _whole, decode_position, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.custody import OnChainAnswer
from deedbook.api.v1.schemas.settlements import (
    SettlementAnswer,
    SettlementDeskAnswer,
    SettlementSummaryAnswer,
)
from deedbook.api.v1.trading import UserPath
from deedbook.identity import Role, Scope
from deedbook.infra.database import Tx
from deedbook.kernel.ids import UserId
from deedbook.settlement import SettlementStatus, views
from deedbook.settlement.errors import SettlementNotFound
from deedbook.trading.terms import TradeId
from deedbook.wiring import Resources

router = APIRouter(tags=["settlements"], route_class=StrictRoute)

_STAFF = frozenset({Role.OPERATOR, Role.COMPLIANCE, Role.ADMIN})
_READ = access(SIGNED_IN, bucket="reads", scope=Scope.READ)
_LOOK = access(Role.OPERATOR, Role.COMPLIANCE, Role.ADMIN, bucket="reads")
_OPERATE = access(Role.OPERATOR, Role.ADMIN, bucket="writes", keyed=True)
TradePath = Annotated[UUID, Path(alias="tradeId"), BeforeValidator(_uuid)]
StuckFor = Annotated[
    Annotated[int, Field(ge=0, le=30 * 86_400), BeforeValidator(_whole)] | None, Query(alias="stuckForS")
]


@router.get("/trading/trades/{tradeId}/settlement", openapi_extra=_READ)
async def trade_settlement(
    trade_id: TradePath, caller: CallerDep, resources: ResourcesDep
) -> SettlementAnswer:
    """Where a trade stands on the chain: for its parties, operators and compliance."""
    row = await views.of_trade(resources.db, trade_id)
    if row is None or not (caller.user_id in (row["buyer_id"], row["seller_id"]) or caller.roles & _STAFF):
        raise SettlementNotFound
    [shown] = await _shown(resources, [row])
    return shown


@router.get("/trading/users/{userId}/settlements", openapi_extra=_READ)
async def user_settlements(
    user_id: UserPath,
    caller: CallerDep,
    resources: ResourcesDep,
    status: SettlementStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[SettlementAnswer]:
    """The settlements of a user's trades, newest first: for themselves, operators and compliance."""
    if caller.user_id != user_id and not caller.roles & _STAFF:
        raise SettlementNotFound("there is no such user, or they are not you")
    before = decode_position("settlements", cursor)
    found = await views.of_user(resources.db, UserId(user_id), status, before, limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("settlements", page[-1]["place"]) if more else None
    return Page(data=await _shown(resources, page), next_cursor=following)


async def _shown(resources: Resources, rows: list[dict[str, Any]]) -> list[SettlementAnswer]:
    """With how deep each trade's batch lies in the chain."""
    depths = await _depths(resources, rows)
    return [SettlementAnswer.of(row, depths[row["trade_id"]]) for row in rows]


async def _depths(resources: Resources, rows: list[dict[str, Any]]) -> dict[UUID, OnChainAnswer | None]:
    chain_id, needed = resources.settings.SAPPHIRE_CHAIN_ID, resources.settings.confirmations
    found = await views.depths(resources.db, chain_id, rows)
    return {row["trade_id"]: OnChainAnswer.of(found.get(row["trade_id"]), needed) for row in rows}


@router.get("/admin/settlements/summary", openapi_extra=_LOOK)
async def summary(db: DatabaseDep) -> SettlementSummaryAnswer:
    """How settlement is doing: what waits and why, what failed and why, gas and lag."""
    return SettlementSummaryAnswer.of(await views.summary(db))


@router.get("/admin/settlements", openapi_extra=_LOOK)
async def settlements(
    resources: ResourcesDep,
    status: SettlementStatus | None = None,
    stuck_for_s: StuckFor = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[SettlementDeskAnswer]:
    """All settlements, newest first: those of one status, or those that should be over and are not."""
    before = decode_position("admin-settlements", cursor)
    found = await views.listing(resources.db, status, stuck_for_s, before, limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("admin-settlements", page[-1]["place"]) if more else None
    depths = await _depths(resources, page)
    shown = [SettlementDeskAnswer.of(row, depths[row["trade_id"]]) for row in page]
    return Page(data=shown, next_cursor=following)


@router.post(
    "/admin/settlements/{tradeId}/retry", openapi_extra=_OPERATE, response_model=SettlementDeskAnswer
)
async def retry(trade_id: TradePath, caller: CallerDep, unit: UnitDep) -> Response:
    """Have a trade that the contract has refused looked at with the next batch. One that has failed was compensated,
    and stays so."""

    async def work(tx: Tx) -> SettlementDeskAnswer:
        await settlement.desk.retry(tx, caller, TradeId(trade_id))
        row = await views.within(tx, trade_id)
        return SettlementDeskAnswer.of(row)

    return await unit.run(work, lambda answer: answer)
