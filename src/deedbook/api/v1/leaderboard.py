"""Whether I am shown among those who trade most. Nobody is who has not asked for it."""

from fastapi import APIRouter, Response

from deedbook.api.deps import SIGNED_IN, CallerDep, DatabaseDep, UnitDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.marketdata import ShowMe, ShownAnswer
from deedbook.marketdata import traders, views

router = APIRouter(prefix="/me/leaderboard", tags=["market data"], route_class=StrictRoute)

_READ = access(SIGNED_IN, bucket="reads")
_WRITE = access(SIGNED_IN, bucket="writes")


@router.get("", openapi_extra=_READ)
async def shown(caller: CallerDep, db: DatabaseDep) -> ShownAnswer:
    """The name under which I am shown."""
    return ShownAnswer(name=await views.shown_as(db, caller.user_id))


@router.put("", openapi_extra=_WRITE, response_model=ShownAnswer)
async def show(body: ShowMe, caller: CallerDep, unit: UnitDep) -> Response:
    """Show me under this name. What I trade from now on counts."""
    return await unit.run(lambda tx: traders.show(tx, caller, body.name), lambda name: ShownAnswer(name=name))


@router.delete("", openapi_extra=_WRITE, response_model=ShownAnswer)
async def hide(caller: CallerDep, unit: UnitDep) -> Response:
    """Show me no longer, and forget what was counted."""
    return await unit.run(lambda tx: traders.hide(tx, caller), lambda _: ShownAnswer(name=None))
