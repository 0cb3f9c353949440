"""Compliance: who may hold what. Records, checks, freezes, a token's rules, and previews."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator

from deedbook import compliance
from deedbook.api.deps import PUBLIC, SIGNED_IN, CallerDep, DatabaseDep, IfMatchDep, UnitDep, access
from deedbook.api.paging import Cursor, Limit, decode_id, decode_ids, decode_moment_and_ids, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.compliance import (
    Because,
    GivenMoment,
    PreviewOperation,
    RecordAnswer,
    RestrictedAnswer,
    RulesAnswer,
    Screen,
    SetRecord,
    SetRules,
    StandingAnswer,
    Verify,
    WriteNote,
)
from deedbook.api.v1.schemas.compliance_previews import PreviewAnswer, RecordPreviewAnswer
from deedbook.compliance import KycStatus, TokenRules, views
from deedbook.compliance.errors import ComplianceRecordNotFound, TokenNotFound
from deedbook.compliance.terms import TokenFacts
from deedbook.compliance.views import ShownStanding
from deedbook.identity import Caller, Role
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import TokenId, UserId

router = APIRouter(tags=["compliance"], route_class=StrictRoute)

_OFFICERS = frozenset({Role.COMPLIANCE, Role.ADMIN})
_DECIDE = access(Role.COMPLIANCE, bucket="writes", keyed=True)
_ENFORCE = access(Role.COMPLIANCE, Role.ADMIN, bucket="writes", keyed=True)
_BOTH_SIDES = frozenset({"sender", "receiver"})
UserPath = Annotated[UUID, Path(alias="userId"), BeforeValidator(_uuid)]
TokenPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]


@router.post("/tokens/compliance/{userId}", openapi_extra=_DECIDE, response_model=RecordAnswer)
async def set_record(
    user_id: UserPath, body: SetRecord, caller: CallerDep, unit: UnitDep, seen: IfMatchDep
) -> Response:
    """Write what was decided of a user for a token. It holds at once, and the chain hears of it right after."""
    change = body.command()
    return await unit.run(
        lambda tx: compliance.set_record(
            tx, caller, UserId(user_id), TokenId(body.token_id), change, if_version=seen
        ),
        RecordAnswer.of,
    )


@router.get("/tokens/compliance/{userId}", openapi_extra=access(SIGNED_IN, bucket="reads"))
async def standing(user_id: UserPath, caller: CallerDep, db: DatabaseDep) -> StandingAnswer:
    """How a user stands: for themselves, compliance and admins."""
    if caller.user_id != user_id and not caller.roles & _OFFICERS:
        raise ComplianceRecordNotFound
    async with db.transaction() as tx:
        return StandingAnswer.of(await _standing(tx, user_id))


@router.post(
    "/tokens/compliance/{userId}/preview",
    openapi_extra=access(Role.COMPLIANCE, bucket="reads"),
    response_model=RecordPreviewAnswer,
)
async def preview_record(user_id: UserPath, body: SetRecord, db: DatabaseDep) -> RecordPreviewAnswer:
    """What a change of a record would mean, by the very routine that ends orders: who may not trade a token after it
    has none open any more. Nothing is changed."""
    change = body.command()
    async with db.transaction() as tx:
        await _standing(tx, user_id)
        told = await compliance.rehearse(tx, UserId(user_id), TokenId(body.token_id), change)
    return RecordPreviewAnswer.of(told)


@router.post(
    "/tokens/compliance/{userId}/verify",
    status_code=202,
    openapi_extra=access(SIGNED_IN, bucket="writes"),
    response_model=RecordAnswer,
)
async def verify(user_id: UserPath, body: Verify, caller: CallerDep, unit: UnitDep) -> Response:
    """Have a user checked by the KYC provider: by themselves, or by compliance. Answers before the provider does."""
    return await unit.run(
        lambda tx: compliance.request_check(
            tx, caller, UserId(user_id), TokenId(body.token_id), body.command()
        ),
        RecordAnswer.of,
        status=202,
    )


@router.post("/compliance/{userId}/freeze", openapi_extra=_ENFORCE, response_model=StandingAnswer)
async def freeze(user_id: UserPath, body: Because, caller: CallerDep, unit: UnitDep) -> Response:
    """Stop everything that an account could move, of any token, here and on the chain."""

    async def work(tx: Tx) -> ShownStanding:
        await compliance.freeze(tx, caller.actor, UserId(user_id), body.reason)
        return await _standing(tx, user_id)

    return await unit.run(work, StandingAnswer.of)


@router.post("/compliance/{userId}/unfreeze", openapi_extra=_ENFORCE, response_model=StandingAnswer)
async def unfreeze(user_id: UserPath, body: Because, caller: CallerDep, unit: UnitDep) -> Response:
    """Let an account move again, as far as its records allow."""

    async def work(tx: Tx) -> ShownStanding:
        await compliance.unfreeze(tx, caller.actor, UserId(user_id), body.reason)
        return await _standing(tx, user_id)

    return await unit.run(work, StandingAnswer.of)


@router.post("/compliance/{userId}/sanctions", openapi_extra=_ENFORCE, response_model=StandingAnswer)
async def screen(user_id: UserPath, body: Screen, caller: CallerDep, unit: UnitDep) -> Response:
    """Put an account on the list of those who are not served, or take it off: the KYC provider only ever adds."""

    async def work(tx: Tx) -> ShownStanding:
        await compliance.set_sanctioned(tx, caller.actor, UserId(user_id), body.sanctioned, body.reason)
        return await _standing(tx, user_id)

    return await unit.run(work, StandingAnswer.of)


@router.post(
    "/compliance/{userId}/notes", status_code=201, openapi_extra=_ENFORCE, response_model=StandingAnswer
)
async def write_note(user_id: UserPath, body: WriteNote, caller: CallerDep, unit: UnitDep) -> Response:
    """Put a note about a case into the sealed record: `GET /admin/audit` tells it, to staff alone."""

    async def work(tx: Tx) -> ShownStanding:
        await compliance.write_note(tx, caller.actor, UserId(user_id), body.text)
        return await _standing(tx, user_id)

    return await unit.run(work, StandingAnswer.of, status=201)


@router.get("/compliance/restricted", openapi_extra=access(Role.COMPLIANCE, Role.ADMIN, bucket="reads"))
async def restricted(db: DatabaseDep, cursor: Cursor = None, limit: Limit = 50) -> Page[RestrictedAnswer]:
    """Accounts that are frozen or on the sanctions list, in the order of their users."""
    found = await views.restricted(db, decode_id("restricted", cursor), limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("restricted", page[-1].user_id) if more else None
    return Page(data=[RestrictedAnswer.of(entry) for entry in page], next_cursor=following)


@router.get("/compliance/records", openapi_extra=access(Role.COMPLIANCE, bucket="reads"))
async def records(
    db: DatabaseDep,
    status: KycStatus | None = None,
    expiring_before: Annotated[GivenMoment | None, Query(alias="expiringBefore")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[RecordAnswer]:
    """Records of all users, in the order of their ids; those that end before a moment, the earliest first."""
    before: datetime | None = expiring_before
    if before is not None:
        return await _ending(db, status, before, cursor, limit)
    found = await views.records(db, status, decode_ids("compliance", cursor), limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("compliance", page[-1].user_id, page[-1].token_id) if more else None
    return Page(data=[RecordAnswer.of(record) for record in page], next_cursor=following)


async def _ending(
    db: Database, status: KycStatus | None, before: datetime, cursor: str | None, limit: int
) -> Page[RecordAnswer]:
    after = decode_moment_and_ids("ending", cursor)
    found = await views.ending(db, status, before, after, limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor("ending", *views.place(page[-1])) if more else None
    return Page(data=[RecordAnswer.of(record) for record in page], next_cursor=following)


@router.get("/tokens/{id}/rules", openapi_extra=access(PUBLIC, bucket="reads"))
async def rules(token_id: TokenPath, db: DatabaseDep, response: Response) -> RulesAnswer:
    """What a token asks of those who hold it. The ETag is its version, for If-Match."""
    async with db.transaction() as tx:
        shown = await _rules(tx, token_id)
    response.headers["ETag"] = f'"{shown[1].version}"'
    return RulesAnswer.of(shown)


@router.put("/tokens/{id}/rules", openapi_extra=_ENFORCE, response_model=RulesAnswer)
async def set_rules(
    token_id: TokenPath, body: SetRules, caller: CallerDep, unit: UnitDep, seen: IfMatchDep
) -> Response:
    """Put other rules in the place of a token's. They hold at once for whatever is admitted or executed."""

    async def work(tx: Tx) -> tuple[TokenFacts, TokenRules]:
        token, _ = await _rules(tx, token_id)
        wanted = body.command(token)
        return token, await compliance.set_rules(tx, caller, token.token_id, wanted, if_version=seen)

    return await unit.run(work, RulesAnswer.of)


@router.post("/tokens/{id}/pause", openapi_extra=_ENFORCE, response_model=RulesAnswer)
async def pause(token_id: TokenPath, body: Because, caller: CallerDep, unit: UnitDep) -> Response:
    """Stop every move of a token, here and on the chain."""
    return await unit.run(lambda tx: _pause(tx, caller, token_id, body, paused=True), RulesAnswer.of)


@router.post("/tokens/{id}/unpause", openapi_extra=_ENFORCE, response_model=RulesAnswer)
async def unpause(token_id: TokenPath, body: Because, caller: CallerDep, unit: UnitDep) -> Response:
    """Let a token move again."""
    return await unit.run(lambda tx: _pause(tx, caller, token_id, body, paused=False), RulesAnswer.of)


@router.post(
    "/tokens/{id}/compliance/preview",
    openapi_extra=access(SIGNED_IN, bucket="reads"),
    response_model=PreviewAnswer,
)
async def preview(
    token_id: TokenPath, body: PreviewOperation, caller: CallerDep, db: DatabaseDep
) -> PreviewAnswer:
    """What an operation would be told now, by the very routine that judges it. Nothing is changed."""
    sender, receiver = body.parties()
    async with db.transaction() as tx:
        token, _ = await _rules(tx, token_id)
        sides = _sides(caller, token, sender, receiver)
        units = body.units(token)
        told = await compliance.preview(tx, body.operation, token.token_id, sender, receiver, units)
    return PreviewAnswer.of(told, sides=sides)


def _sides(
    caller: Caller, token: TokenFacts, sender: UserId | None, receiver: UserId | None
) -> frozenset[str]:
    """The parties whose checks the caller may see: of another's standing nobody learns more than the operation
    itself would tell.

    Raises:
        ComplianceRecordNotFound: the caller is no party to it.
    """
    if caller.roles & _OFFICERS or caller.user_id == token.issuer:
        return _BOTH_SIDES
    named = {"sender": sender, "receiver": receiver}
    own = frozenset(side for side, user_id in named.items() if user_id == caller.user_id)
    if not own:
        raise ComplianceRecordNotFound("you are no party to this")
    return own


async def _standing(tx: Tx, user_id: UUID) -> ShownStanding:
    found = await views.standing(tx, UserId(user_id))
    if found is None:
        raise ComplianceRecordNotFound
    return found


async def _rules(tx: Tx, token_id: UUID) -> tuple[TokenFacts, TokenRules]:
    found = await views.rules(tx, TokenId(token_id))
    if found is None:
        raise TokenNotFound
    return found


async def _pause(
    tx: Tx, caller: Caller, token_id: UUID, body: Because, *, paused: bool
) -> tuple[TokenFacts, TokenRules]:
    token, _ = await _rules(tx, token_id)
    changed = await compliance.pause_token(tx, caller.actor, token.token_id, body.reason, paused=paused)
    return token, changed
