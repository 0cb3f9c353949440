"""The market lifecycle."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator

from deedbook import identity, markets
from deedbook.api.deps import (
    PUBLIC,
    SIGNED_IN,
    CallerDep,
    DatabaseDep,
    IfMatchDep,
    ResourcesDep,
    UnitDep,
    access,
)
from deedbook.api.paging import Cursor, Limit, decode_moment_and_id, decode_position, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page, _clean_line, _uuid
from deedbook.api.v1.schemas.markets import (
    AssetAnswer,
    Decide,
    MarketAnswer,
    MarketDetailsAnswer,
    MarketEventAnswer,
    Reason,
    RegisterMarket,
)
from deedbook.identity import Action
from deedbook.identity.errors import FourEyes
from deedbook.infra.database import Database
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import MarketId
from deedbook.markets import AssetType, Decision, Market, MarketStatus, views
from deedbook.markets.errors import MarketNotFound
from deedbook.markets.views import MarketFilter

router = APIRouter(prefix="/markets", tags=["markets"], route_class=StrictRoute)

_KEYED = access(SIGNED_IN, bucket="writes", keyed=True)
MarketPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]


@router.post(
    "/register",
    status_code=201,
    openapi_extra=access(SIGNED_IN, bucket="writes"),
    response_model=MarketAnswer,
)
async def register(
    body: RegisterMarket, caller: CallerDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """Register an asset. Answers at once; approval and deployment follow by themselves."""
    entity_id = markets.issuer_entity(caller)
    return await unit.run(
        lambda tx: markets.register(tx, caller, body.command()),
        MarketAnswer.of,
        status=201,
        before=lambda: identity.require_permission(resources.permissions, caller, Action.REGISTER, entity_id),
    )


@router.post("/{id}/approve", openapi_extra=_KEYED, response_model=MarketAnswer)
async def approve(
    market_id: MarketPath,
    body: Decide,
    caller: CallerDep,
    resources: ResourcesDep,
    unit: UnitDep,
    seen: IfMatchDep,
) -> Response:
    """Approve or reject a registration. Approval starts the token's deployment by itself."""
    decision = Decision.APPROVED if body.decision == "approve" else Decision.REJECTED
    if decision is Decision.REJECTED and not body.reason:
        raise Invalid("say why", errors=(FieldError("/reason", "missing", "a rejection needs a reason"),))
    action = Action.APPROVE if decision is Decision.APPROVED else Action.REJECT

    async def allowed() -> None:
        market = await _market(resources.db, market_id)
        await identity.require_permission(resources.permissions, caller, action, market.issuer_id)
        if market.issuer_user_id == caller.user_id:
            raise FourEyes("an issuer does not decide on their own registration")

    return await unit.run(
        lambda tx: markets.decide(
            tx, MarketId(market_id), decision, body.reason, caller.actor, if_version=seen
        ),
        MarketAnswer.of,
        before=allowed,
    )


@router.post("/{id}/activate", openapi_extra=_KEYED, response_model=MarketAnswer)
async def activate(
    market_id: MarketPath, caller: CallerDep, resources: ResourcesDep, unit: UnitDep, seen: IfMatchDep
) -> Response:
    """Start the deployment by hand: the way on after one that failed for good."""
    return await unit.run(
        lambda tx: markets.activate(tx, MarketId(market_id), caller.actor, if_version=seen),
        MarketAnswer.of,
        before=lambda: _require(resources, caller, market_id, Action.APPROVE),
    )


@router.post("/{id}/pause", openapi_extra=_KEYED, response_model=MarketAnswer)
async def pause(
    market_id: MarketPath,
    caller: CallerDep,
    resources: ResourcesDep,
    unit: UnitDep,
    seen: IfMatchDep,
    body: Reason = Reason(),
) -> Response:
    """Refuse new orders until the market resumes. Cancelling goes on."""
    return await unit.run(
        lambda tx: markets.pause(tx, MarketId(market_id), body.reason, caller.actor, if_version=seen),
        MarketAnswer.of,
        before=lambda: _require(resources, caller, market_id, Action.PAUSE),
    )


@router.post("/{id}/resume", openapi_extra=_KEYED, response_model=MarketAnswer)
async def resume(
    market_id: MarketPath,
    caller: CallerDep,
    resources: ResourcesDep,
    unit: UnitDep,
    seen: IfMatchDep,
    body: Reason = Reason(),
) -> Response:
    """Let trading go on. Whoever may pause may resume."""
    return await unit.run(
        lambda tx: markets.resume(tx, MarketId(market_id), body.reason, caller.actor, if_version=seen),
        MarketAnswer.of,
        before=lambda: _require(resources, caller, market_id, Action.PAUSE),
    )


@router.post("/{id}/archive", openapi_extra=_KEYED, response_model=MarketAnswer)
async def archive(
    market_id: MarketPath,
    caller: CallerDep,
    resources: ResourcesDep,
    unit: UnitDep,
    seen: IfMatchDep,
    body: Reason = Reason(),
) -> Response:
    """End trading for good."""
    return await unit.run(
        lambda tx: markets.archive(tx, MarketId(market_id), body.reason, caller.actor, if_version=seen),
        MarketAnswer.of,
        before=lambda: _require(resources, caller, market_id, Action.ARCHIVE),
    )


@router.get("", openapi_extra=access(PUBLIC, bucket="reads"))
async def listing(
    db: DatabaseDep,
    status: MarketStatus | None = None,
    asset_type: Annotated[AssetType | None, Query(alias="assetType")] = None,
    issuer_id: Annotated[
        UUID | None, Query(alias="issuerId"), BeforeValidator(lambda v: v and _uuid(v))
    ] = None,
    text: Annotated[str | None, Query(max_length=100)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[MarketAnswer]:
    """Markets, newest first."""
    after = decode_moment_and_id("markets", cursor)
    wanted = MarketFilter(status, asset_type, issuer_id, _search_text(text))
    found = await views.listing(db, wanted, after, limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("markets", page[-1].created_at, page[-1].market_id) if more else None
    return Page(data=[MarketAnswer.of(market) for market in page], next_cursor=following)


@router.get("/{id}", openapi_extra=access(PUBLIC, bucket="reads"))
async def one(market_id: MarketPath, db: DatabaseDep, response: Response) -> MarketAnswer:
    """One market. The ETag is its version, for If-Match."""
    market = await _market(db, market_id)
    response.headers["ETag"] = f'"{market.version}"'
    return MarketAnswer.of(market)


@router.get("/{id}/details", openapi_extra=access(PUBLIC, bucket="reads"))
async def details(market_id: MarketPath, db: DatabaseDep, response: Response) -> MarketDetailsAnswer:
    """One market with its asset and documents."""
    market = await _market(db, market_id)
    response.headers["ETag"] = f'"{market.version}"'
    asset = await views.asset(db, market.market_id)
    return MarketDetailsAnswer(market=MarketAnswer.of(market), asset=AssetAnswer.of(asset))


@router.get("/{id}/events", openapi_extra=access(PUBLIC, bucket="reads"))
async def events(
    market_id: MarketPath, db: DatabaseDep, cursor: Cursor = None, limit: Limit = 100
) -> Page[MarketEventAnswer]:
    """The market's history, oldest first."""
    market = await _market(db, market_id)
    after = decode_position("market-events", cursor) or 0
    found = await views.history(db, market.market_id, after, limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("market-events", page[-1]["position"]) if more else None
    return Page(data=[MarketEventAnswer.of(row) for row in page], next_cursor=following)


async def _market(db: Database, market_id: UUID) -> Market:
    market = await markets.read(db, MarketId(market_id))
    if market is None:
        raise MarketNotFound
    return market


async def _require(resources: ResourcesDep, caller: CallerDep, market_id: UUID, action: Action) -> None:
    market = await _market(resources.db, market_id)
    await identity.require_permission(resources.permissions, caller, action, market.issuer_id)


def _search_text(text: str | None) -> str | None:
    try:
        return _clean_line(text) if text else None
    except ValueError as error:
        raise Invalid("bad text", errors=(FieldError("/query/text", "bad_text", str(error)),)) from None
