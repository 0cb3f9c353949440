"""For auditors: what happened, who did it, and what it was before and after."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BeforeValidator

from deedbook.api.deps import DatabaseDep, access
from deedbook.api.paging import Cursor, Limit, decode_moment_and_position, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.audit import AuditAnswer, RecordVerified, StreamVerified
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.compliance import GivenMoment
from deedbook.identity import Role
from deedbook.infra import audit
from deedbook.kernel.errors import FieldError, Invalid, Kind, Refusal

router = APIRouter(prefix="/admin/audit", tags=["operations"], route_class=StrictRoute)

MAX_PERIOD = timedelta(days=366)
NEWEST_SEALS = 200
VERIFY_TIMEOUT_S = 20.0
_AUDITORS = access(Role.OPERATOR, Role.ADMIN, Role.COMPLIANCE, bucket="reads")
_EXPORTED: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The period's entries, oldest first",
        "content": {"text/csv": {}, "application/json": {}},
    }
}
_WORD = r"^[A-Za-z][A-Za-z0-9_.]{0,99}$"


class VerificationTooLong(Refusal):
    """The record is longer than what is verified within a request; `deedbook audit verify` has no such bound."""

    code, kind, title = (
        "verification_too_long",
        Kind.UNAVAILABLE,
        "The record is too long to be verified here",
    )


@router.get("", openapi_extra=_AUDITORS)
async def entries(
    db: DatabaseDep,
    entity_type: Annotated[
        str | None, Query(alias="entityType", max_length=100, pattern=r"^[a-z][a-z0-9_.]*$")
    ] = None,
    entity_id: Annotated[UUID | None, BeforeValidator(_uuid), Query(alias="entityId")] = None,
    actor_id: Annotated[UUID | None, BeforeValidator(_uuid), Query(alias="actorId")] = None,
    action: Annotated[str | None, Query(pattern=_WORD)] = None,
    first: Annotated[GivenMoment | None, Query(alias="from")] = None,
    last: Annotated[GivenMoment | None, Query(alias="to")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Page[AuditAnswer]:
    """Everything that happened, newest first. `from` is included, `to` is not."""
    wanted = audit.Wanted(entity_type, entity_id, actor_id, action, first, last)
    rows = await audit.entries(db, wanted, decode_moment_and_position("audit", cursor), limit + 1)
    page, more = rows[:limit], len(rows) > limit
    following = encode_cursor("audit", page[-1]["created_at"], page[-1]["position"]) if more else None
    return Page(data=[AuditAnswer(**row) for row in page], next_cursor=following)


@router.get("/export", openapi_extra=_AUDITORS, response_class=StreamingResponse, responses=_EXPORTED)
async def export(
    db: DatabaseDep,
    first: Annotated[GivenMoment, Query(alias="from")],
    last: Annotated[GivenMoment, Query(alias="to")],
    form: Annotated[audit.Form, Query(alias="format")] = "csv",
) -> StreamingResponse:
    """A period as a file for regulators, at most a leap year of it. `from` is included, `to` is not."""
    if not timedelta(0) < last - first <= MAX_PERIOD:
        detail = f"after `from`, and at most {MAX_PERIOD.days} days after it"
        raise Invalid(detail, errors=(FieldError("/query/to", "bad_period", detail),))
    rows = audit.period(db, audit.Wanted(first=first, last=last))
    name = f"audit-{_day(first)}-{_day(last)}.{form}"
    return StreamingResponse(
        audit.exported(rows, form),
        media_type="text/csv" if form == "csv" else "application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.get("/verification", openapi_extra=_AUDITORS)
async def verification(db: DatabaseDep) -> RecordVerified:
    """Whether the sealed record holds: each seal follows the one before it, and the newest fit their rows."""
    try:
        async with asyncio.timeout(VERIFY_TIMEOUT_S):
            reports = await audit.verify(db, newest_seals=NEWEST_SEALS)
    except TimeoutError:
        raise VerificationTooLong("run `deedbook audit verify`, which takes the time it needs") from None
    return RecordVerified(
        holds=not any(report.findings for report in reports),
        newest_seals=NEWEST_SEALS,
        streams=[StreamVerified.of(report) for report in reports],
        verified_at=datetime.now(UTC),
    )


def _day(moment: datetime) -> str:
    return moment.strftime("%Y%m%d")
