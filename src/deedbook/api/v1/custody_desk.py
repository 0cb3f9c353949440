"""Custody: where a user's money may go, who approves what leaves, limits, and the watcher of the vault."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BeforeValidator

from deedbook import custody
from deedbook.api.deps import SIGNED_IN, CallerDep, DatabaseDep, IfMatchDep, ResourcesDep, UnitDep, access
from deedbook.api.paging import Cursor, Limit, decode_moment_and_id
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.custody import withdrawal_page
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.custody import WithdrawalAnswer
from deedbook.api.v1.schemas.custody_desk import (
    AddAddress,
    Approval,
    DestinationsAnswer,
    LimitsAnswer,
    ListedAddress,
    Rejection,
    Removed,
    Rescan,
    RescanAnswer,
    SetAllowList,
    SetLimits,
    WatcherAnswer,
)
from deedbook.api.v1.schemas.tokens import AddressText
from deedbook.custody import Destinations, Limits, Verdict, WithdrawalId, WithdrawalStatus, views, watching
from deedbook.custody.errors import VaultNotDeployed, WithdrawalNotFound
from deedbook.custody.terms import Listed
from deedbook.identity import Role
from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.amounts import MalformedAmount
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import TokenId
from deedbook.tokens import Token
from deedbook.wiring import Resources

router = APIRouter(tags=["custody"], route_class=StrictRoute)

_OWN = access(SIGNED_IN, bucket="writes", keyed=True)
_DECIDE = access(Role.COMPLIANCE, Role.ADMIN, Role.OPERATOR, bucket="writes", keyed=True)
_STAFF = access(Role.COMPLIANCE, Role.ADMIN, Role.OPERATOR, bucket="reads")
_ADMIN = access(Role.ADMIN, bucket="writes", keyed=True)
_OPERATE = access(Role.OPERATOR, Role.ADMIN, bucket="writes", keyed=True)
IdPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]
TokenPath = Annotated[UUID, Path(alias="tokenId"), BeforeValidator(_uuid)]


@router.get("/withdrawals/addresses", openapi_extra=access(SIGNED_IN, bucket="reads"))
async def addresses(caller: CallerDep, db: DatabaseDep) -> DestinationsAnswer:
    """Where my withdrawals may go."""
    wanted, listed = await views.destinations(db, caller.user_id)
    shown = [ListedAddress.of(one) for one in listed]
    return DestinationsAnswer(
        allow_list_only=wanted.allow_list_only, open_from=wanted.open_from, addresses=shown
    )


@router.post("/withdrawals/addresses", status_code=201, openapi_extra=_OWN, response_model=ListedAddress)
async def add_address(
    body: AddAddress, caller: CallerDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """List an address. It counts after the delay."""

    async def work(tx: Tx) -> Listed:
        delay_s = resources.withdrawal_policy.address_delay_s
        return await custody.destinations.add(tx, caller, Address(body.address), body.label, delay_s)

    return await unit.run(work, ListedAddress.of, status=201)


@router.delete("/withdrawals/addresses/{address}", openapi_extra=_OWN, response_model=Removed)
async def remove_address(
    address: Annotated[AddressText, Path()], caller: CallerDep, unit: UnitDep
) -> Response:
    """Take an address off my list, at once."""
    return await unit.run(
        lambda tx: custody.destinations.remove(tx, caller, Address(address)), lambda _: Removed()
    )


@router.put("/withdrawals/allow-list", openapi_extra=_OWN, response_model=DestinationsAnswer)
async def set_allow_list(
    body: SetAllowList, caller: CallerDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """Restrict my withdrawals and transfers to the list at once, or, after the delay, no longer."""
    _, listed = await views.destinations(resources.db, caller.user_id)
    delay_s = resources.withdrawal_policy.address_delay_s

    def answer(wanted: Destinations) -> DestinationsAnswer:
        shown = [ListedAddress.of(one) for one in listed]
        return DestinationsAnswer(
            allow_list_only=wanted.allow_list_only, open_from=wanted.open_from, addresses=shown
        )

    return await unit.run(
        lambda tx: custody.destinations.restrict(tx, caller, body.allow_list_only, delay_s), answer
    )


@router.post("/withdrawals/{id}/approve", openapi_extra=_DECIDE, response_model=WithdrawalAnswer)
async def approve(
    withdrawal_id: IdPath,
    body: Approval,
    caller: CallerDep,
    resources: ResourcesDep,
    unit: UnitDep,
    seen: IfMatchDep,
) -> Response:
    """Approve somebody else's withdrawal. With the last approval that it needs it is on its way."""
    return await _decide(resources, unit, caller, withdrawal_id, Verdict.APPROVED, body.reason, seen)


@router.post("/withdrawals/{id}/reject", openapi_extra=_DECIDE, response_model=WithdrawalAnswer)
async def reject(
    withdrawal_id: IdPath,
    body: Rejection,
    caller: CallerDep,
    resources: ResourcesDep,
    unit: UnitDep,
    seen: IfMatchDep,
) -> Response:
    """Refuse somebody else's withdrawal. What was held is theirs again."""
    return await _decide(resources, unit, caller, withdrawal_id, Verdict.REJECTED, body.reason, seen)


async def _decide(
    resources: Resources,
    unit: UnitDep,
    caller: CallerDep,
    withdrawal_id: UUID,
    verdict: Verdict,
    reason: str,
    seen: int | None,
) -> Response:
    found = await views.withdrawal(resources.db, withdrawal_id)
    if found is None:
        raise WithdrawalNotFound
    return await unit.run(
        lambda tx: custody.withdrawals.decide(tx, caller, WithdrawalId(withdrawal_id), verdict, reason, seen),
        lambda withdrawal: WithdrawalAnswer.of(withdrawal, found[1]),
    )


@router.get("/admin/withdrawals", openapi_extra=_STAFF)
async def all_withdrawals(
    resources: ResourcesDep,
    status: WithdrawalStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[WithdrawalAnswer]:
    """Everybody's withdrawals, newest first: the desk of those who decide."""
    after = decode_moment_and_id("all-withdrawals", cursor)
    found = await views.withdrawals(resources.db, None, status, after, limit + 1)
    return await withdrawal_page(resources, "all-withdrawals", found, limit)


@router.get("/admin/withdrawal-limits/{tokenId}", openapi_extra=_STAFF)
async def limits(token_id: TokenPath, resources: ResourcesDep) -> LimitsAnswer:
    """What withdrawals of a token are measured by."""
    async with resources.db.transaction() as tx:
        return _shown(await custody.limits.read(tx, TokenId(token_id), resources.withdrawal_policy))


@router.put("/admin/withdrawal-limits/{tokenId}", openapi_extra=_ADMIN, response_model=LimitsAnswer)
async def set_limits(
    token_id: TokenPath, body: SetLimits, caller: CallerDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """Set what withdrawals of a token are measured by. 0 for `automaticUpTo` always asks a person."""
    wanted = (body.automatic_up_to, body.four_eyes_above, body.daily_limit)

    async def work(tx: Tx) -> tuple[Token, Limits]:
        try:
            return await custody.limits.change(
                tx, caller, TokenId(token_id), wanted, resources.withdrawal_policy
            )
        except MalformedAmount as error:
            detail = str(error)
            raise Invalid(detail, errors=(FieldError("/", "bad_amount", detail),)) from None

    return await unit.run(work, _shown)


def _shown(found: tuple[Token, Limits]) -> LimitsAnswer:
    token, limits = found
    told = custody.limits.as_text(token, limits)
    return LimitsAnswer(
        token_id=token.token_id,
        symbol=token.symbol,
        automatic_up_to=told["automaticUpTo"],
        four_eyes_above=told["fourEyesAbove"],
        daily_limit=told["dailyLimit"],
    )


@router.get("/admin/chain/watcher", openapi_extra=_STAFF)
async def watcher(resources: ResourcesDep) -> WatcherAnswer:
    """How far the vault's events were read, and what waits."""
    found = await custody.standing(resources.db, resources.settings.SAPPHIRE_CHAIN_ID)
    if found is None:
        raise VaultNotDeployed
    return WatcherAnswer.of(found)


@router.post("/admin/chain/rescan", status_code=202, openapi_extra=_OPERATE, response_model=RescanAnswer)
async def rescan(body: Rescan, caller: CallerDep, unit: UnitDep) -> Response:
    """Read blocks again, for events that a node may have left out. What was credited is never credited again."""

    async def work(tx: Tx) -> str:
        return watching.request_rescan(tx, caller, body.from_block, body.to_block)

    return await unit.run(work, lambda job_id: RescanAnswer(job_id=job_id), status=202)
