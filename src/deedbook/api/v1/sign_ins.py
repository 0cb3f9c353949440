"""What lets me in: my sessions, and the sign-ins elsewhere that act for my account."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BeforeValidator

from deedbook import identity
from deedbook.api.deps import SIGNED_IN, CallerDep, DatabaseDep, UnitDep, access
from deedbook.api.paging import Cursor, Limit, decode_moment_and_id, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.auth import Done, SignInAnswer
from deedbook.api.v1.schemas.common import Page, _uuid

router = APIRouter(prefix="/me/sign-ins", tags=["identity"], route_class=StrictRoute)

_READ = access(SIGNED_IN, bucket="reads", in_person=True)
_WRITE = access(SIGNED_IN, bucket="writes", keyed=True)
SignInPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]


@router.get("", openapi_extra=_READ)
async def listed(
    caller: CallerDep, db: DatabaseDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[SignInAnswer]:
    """By what I am let in now, the newest first."""
    after = decode_moment_and_id("sign-ins", cursor)
    found = await identity.sign_ins.of_user(db, caller.user_id, after, limit + 1)
    page, last = found[:limit], found[limit - 1] if len(found) > limit else None
    following = encode_cursor("sign-ins", last.began_at, last.sign_in_id) if last else None
    return Page(data=[SignInAnswer.of(one, caller) for one in page], next_cursor=following)


@router.delete("/{id}", openapi_extra=_WRITE, response_model=Done)
async def end(sign_in_id: SignInPath, caller: CallerDep, unit: UnitDep) -> Response:
    """End one, also the one that I came by. Whoever holds it is let in no longer, on a socket and for orders within two
    seconds. My wallet signs in anew at any time; a sign-in elsewhere needs its signature to act for me again."""
    return await unit.run(lambda tx: identity.sign_ins.end(tx, caller, sign_in_id), lambda _: Done())
