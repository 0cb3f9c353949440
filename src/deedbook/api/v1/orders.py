"""Orders looked at and changed. Placing and cancelling are in `orders_fast`."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BeforeValidator

from deedbook.api.deps import SIGNED_IN, CallerDep, EntryDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import _uuid
from deedbook.api.v1.schemas.trading import OrderAnswer
from deedbook.trading import order_views
from deedbook.trading.admission import CLIENT_ID_PATTERN
from deedbook.trading.entry import OrderEntry
from deedbook.trading.errors import OrderNotFound

router = APIRouter(prefix="/trading", tags=["orders"], route_class=StrictRoute)

_READ = access(SIGNED_IN, bucket="reads")
OrderPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]
ClientIdPath = Annotated[str, Path(alias="clientOrderId", min_length=1, pattern=CLIENT_ID_PATTERN)]


@router.get("/orders/by-client-id/{clientOrderId}", openapi_extra=_READ)
async def order_by_client_id(client_id: ClientIdPath, caller: CallerDep, entry: EntryDep) -> OrderAnswer:
    """One order of mine, by the name that I gave it."""
    row = await order_views.order_of_client_id(entry.db, caller.user_id, client_id)
    if row is None:
        raise OrderNotFound
    return await _shown(entry, row)


@router.get("/orders/{id}", openapi_extra=_READ)
async def order(order_id: OrderPath, caller: CallerDep, entry: EntryDep) -> OrderAnswer:
    """One order of mine."""
    row = await order_views.order(entry.db, order_id)
    if row is None or row["user_id"] != caller.user_id:
        raise OrderNotFound
    return await _shown(entry, row)


async def _shown(entry: OrderEntry, row: dict[str, Any]) -> OrderAnswer:
    return OrderAnswer.model_validate(order_views.shown(row, await entry.pairs.spec(str(row["pair_id"]))))
