"""What I was told: a feed, newest first, and what I have read of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator

from deedbook import notifications
from deedbook.api.deps import SIGNED_IN, CallerDep, DatabaseDep, UnitDep, access
from deedbook.api.paging import Cursor, Limit, decode_id, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.notifications import (
    DetailAnswer,
    NotificationAnswer,
    OneNotificationAnswer,
    ReadAnswer,
    ReadUpTo,
    UnreadAnswer,
)
from deedbook.notifications import views
from deedbook.notifications.errors import NotificationNotFound

router = APIRouter(prefix="/me/notifications", tags=["notifications"], route_class=StrictRoute)

_READ = access(SIGNED_IN, bucket="reads")
_WRITE = access(SIGNED_IN, bucket="writes")
_LISTING = "notifications"
IdPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]


@router.get("", openapi_extra=_READ)
async def listing(
    caller: CallerDep,
    db: DatabaseDep,
    unread: Annotated[bool, Query()] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[NotificationAnswer]:
    """My notifications, newest first; with `unread`, those that I have not read."""
    before = decode_id(_LISTING, cursor)
    found = await views.listing(db, caller.user_id, unread=unread, before=before, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor(_LISTING, page[-1]["notification_id"]) if more else None
    return Page(data=[NotificationAnswer.of(row) for row in page], next_cursor=following)


@router.get("/unread-count", openapi_extra=_READ)
async def unread_count(caller: CallerDep, db: DatabaseDep) -> UnreadAnswer:
    """How many I have not read."""
    return UnreadAnswer(unread=await views.unread(db, caller.user_id))


@router.post("/read-all", openapi_extra=_WRITE, response_model=ReadAnswer)
async def read_all(body: ReadUpTo, caller: CallerDep, unit: UnitDep) -> Response:
    """I have read everything up to this one. What came since stays unread."""
    return await unit.run(
        lambda tx: notifications.mark_all_read(tx, caller.user_id, body.up_to),
        lambda marked: ReadAnswer(marked=marked),
    )


@router.get("/{id}", openapi_extra=_READ)
async def one(notification_id: IdPath, caller: CallerDep, db: DatabaseDep) -> OneNotificationAnswer:
    """One of my notifications, with what I signed where it confirms an order."""
    row = await views.one(db, caller.user_id, notification_id)
    if row is None:
        raise NotificationNotFound
    signed = [DetailAnswer(label=label, value=value) for label, value in await views.signed(db, row)]
    plain = NotificationAnswer.of(row)
    return OneNotificationAnswer(**dict(plain), signed=signed)


@router.post("/{id}/read", openapi_extra=_WRITE, response_model=ReadAnswer)
async def read(notification_id: IdPath, caller: CallerDep, unit: UnitDep) -> Response:
    """I have read this one."""
    return await unit.run(
        lambda tx: notifications.mark_read(tx, caller.user_id, notification_id),
        lambda _: ReadAnswer(marked=1),
    )
