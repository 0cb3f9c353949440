"""For operators: where prices from outside are asked."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BeforeValidator

from deedbook.api.deps import CallerDep, DatabaseDep, EntryDep, UnitDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.marketdata import (
    AddPriceSource,
    PriceSourceAdded,
    PriceSourceAnswer,
    PriceSourceRemoved,
)
from deedbook.identity import Role
from deedbook.infra.database import Tx
from deedbook.marketdata import SourceId, prices, views

router = APIRouter(prefix="/admin/price-sources", tags=["operations"], route_class=StrictRoute)

_LOOK = access(Role.OPERATOR, Role.ADMIN, bucket="reads")
_CHANGE = access(Role.OPERATOR, Role.ADMIN, bucket="writes", keyed=True)
IdPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]


@router.get("", openapi_extra=_LOOK)
async def listing(db: DatabaseDep) -> Page[PriceSourceAnswer]:
    """Everywhere that is asked, by pair, with what was said last and what is wrong."""
    rows = await views.price_sources(db, None, prices.MAX_SOURCES)
    return Page(data=[PriceSourceAnswer.of(row) for row in rows], next_cursor=None)


@router.post("", status_code=201, openapi_extra=_CHANGE, response_model=PriceSourceAdded)
async def add(body: AddPriceSource, caller: CallerDep, entry: EntryDep, unit: UnitDep) -> Response:
    """Ask for a pair's price in one more place."""
    spec = await entry.pairs.spec(body.trading_pair_id)
    source = body.source(spec)

    async def work(tx: Tx) -> UUID:
        await prices.add_source(tx, caller.actor, spec, source)
        return source.source_id

    return await unit.run(work, lambda source_id: PriceSourceAdded(id=source_id), status=201)


@router.delete("/{id}", openapi_extra=_CHANGE, response_model=PriceSourceRemoved)
async def remove(source_id: IdPath, caller: CallerDep, unit: UnitDep) -> Response:
    """Ask there no longer."""
    return await unit.run(
        lambda tx: prices.remove_source(tx, caller.actor, SourceId(source_id)),
        lambda _: PriceSourceRemoved(),
    )
