"""Orders looked at and changed. Placing and cancelling are in `orders_fast`."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BeforeValidator

from deedbook.api.deps import SIGNED_IN, CallerDep, EntryDep, UnitDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import _uuid
from deedbook.api.v1.schemas.trading import (
    CancelAll,
    CancelAllAfter,
    CancelAllAfterAnswer,
    CancelAllAnswer,
    OrderAnswer,
    PreviewOrder,
    PreviewOrderAnswer,
    ReduceOrder,
)
from deedbook.identity import Scope
from deedbook.infra.database import Tx
from deedbook.kernel.ids import UserId
from deedbook.trading import exposure, order_views, orders
from deedbook.trading.admission import CLIENT_ID_PATTERN, lots_of
from deedbook.trading.entry import OrderEntry
from deedbook.trading.errors import OrderNotFound
from deedbook.trading.exposure import CancelledAll
from deedbook.trading.preview import preview as preview_order
from deedbook.trading.terms import OrderId

router = APIRouter(prefix="/trading", tags=["orders"], route_class=StrictRoute)

_READ = access(SIGNED_IN, bucket="reads", scope=Scope.READ)
_LESSEN = access(SIGNED_IN, bucket="cancels")
PREVIEW_EXPIRY_S = 60
OrderPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]
ClientIdPath = Annotated[str, Path(alias="clientOrderId", min_length=1, pattern=CLIENT_ID_PATTERN)]


@router.post("/orders/preview", openapi_extra=_READ, response_model=PreviewOrderAnswer)
async def preview(body: PreviewOrder, caller: CallerDep, entry: EntryDep) -> PreviewOrderAnswer:
    """What an order would set aside, cost and be told now. Filters refuse it as they would refuse the order itself."""
    now = entry.now()
    spec = await entry.pairs.spec(body.trading_pair_id)
    text = body.text(caller.account, spec, int(now.timestamp()) + PREVIEW_EXPIRY_S)
    judged = await entry.judge_text(text, spec, now)
    return PreviewOrderAnswer.of(await preview_order(entry, judged, caller))


@router.post("/orders/cancel-all", openapi_extra=_LESSEN, response_model=CancelAllAnswer)
async def cancel_all(body: CancelAll, caller: CallerDep, entry: EntryDep, unit: UnitDep) -> Response:
    """Cancel all my living orders, or those on one pair."""
    spec = await entry.pairs.spec(body.trading_pair_id) if body.trading_pair_id is not None else None
    done: list[CancelledAll] = []

    async def work(tx: Tx) -> CancelAllAnswer:
        done.append(await exposure.cancel_all(tx, caller.user_id, spec.pair_id if spec else None))
        return CancelAllAnswer(cancelled=done[0].count)

    answer = await unit.run(work, lambda told: told)
    for asked in done:
        entry.wake(asked.books)
    return answer


@router.post("/cancel-all-after", openapi_extra=_LESSEN, response_model=CancelAllAfterAnswer)
async def cancel_all_after(body: CancelAllAfter, caller: CallerDep, unit: UnitDep) -> Response:
    """Have all my orders cancelled unless I say this again in time: for programs that may fall silent."""
    return await unit.run(
        lambda tx: exposure.cancel_all_after(tx, caller.user_id, body.seconds),
        lambda deadline: CancelAllAfterAnswer(cancel_at=deadline),
    )


@router.post("/orders/{id}/reduce", status_code=202, openapi_extra=_LESSEN, response_model=OrderAnswer)
async def reduce(
    order_id: OrderPath, body: ReduceOrder, caller: CallerDep, entry: EntryDep, unit: UnitDep
) -> Response:
    """Let less of an order of mine remain. It keeps its place; if less remains by then anyway, nothing happens."""
    row = await _mine(entry, order_id, caller.user_id)
    spec = await entry.pairs.spec(str(row["pair_id"]))
    lots = lots_of(body.remaining_quantity, spec, "remainingQuantity")

    async def work(tx: Tx) -> OrderAnswer:
        await orders.reduce(tx, caller.user_id, OrderId(order_id), lots)
        now = (await order_views.rows_of(tx, [order_id]))[order_id]
        return OrderAnswer.model_validate(order_views.shown(now, spec))

    answer = await unit.run(work, lambda told: told, status=202)
    entry.wake([(order_id, spec.pair_id)])
    return answer


@router.get("/orders/by-client-id/{clientOrderId}", openapi_extra=_READ)
async def order_by_client_id(client_id: ClientIdPath, caller: CallerDep, entry: EntryDep) -> OrderAnswer:
    """One order of mine, by the name that I gave it."""
    row = await order_views.order_of_client_id(entry.db, caller.user_id, client_id)
    if row is None:
        raise OrderNotFound
    return await shown(entry, row)


@router.get("/orders/{id}", openapi_extra=_READ)
async def order(order_id: OrderPath, caller: CallerDep, entry: EntryDep) -> OrderAnswer:
    """One order of mine."""
    return await shown(entry, await _mine(entry, order_id, caller.user_id))


async def shown(entry: OrderEntry, row: dict[str, Any]) -> OrderAnswer:
    """An order as its owner sees it."""
    return OrderAnswer.model_validate(order_views.shown(row, await entry.pairs.spec(str(row["pair_id"]))))


async def _mine(entry: OrderEntry, order_id: UUID, user_id: UserId) -> dict[str, Any]:
    row = await order_views.order(entry.db, order_id)
    if row is None or row["user_id"] != user_id:
        raise OrderNotFound
    return row
