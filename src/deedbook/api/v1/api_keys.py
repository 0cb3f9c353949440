"""My API keys. They are made and ended by whoever is signed in, never by a key."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BeforeValidator

from deedbook import identity
from deedbook.api.deps import SIGNED_IN, CallerDep, DatabaseDep, UnitDep, access
from deedbook.api.key_log import KeyLog
from deedbook.api.paging import Cursor, Limit, decode_moment_and_id, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.api_keys import (
    ApiKeyAnswer,
    CreateApiKey,
    KeyRequestAnswer,
    KeyRequestsAnswer,
    NewApiKeyAnswer,
)
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.identity import KeyId
from deedbook.identity.errors import KeyNotFound
from deedbook.identity.keys import NewKey
from deedbook.infra.database import Tx

router = APIRouter(prefix="/me/api-keys", tags=["identity"], route_class=StrictRoute)

_READ = access(SIGNED_IN, bucket="reads", in_person=True)
_WRITE = access(SIGNED_IN, bucket="writes", keyed=True)
KeyPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]


@router.post("", status_code=201, openapi_extra=_WRITE, response_model=NewApiKeyAnswer)
async def create(body: CreateApiKey, caller: CallerDep, unit: UnitDep) -> Response:
    """Make a key. Its text is in this answer and nowhere else: an answer that is kept for repeats goes without it."""
    made: list[NewKey] = []

    async def work(tx: Tx) -> NewKey:
        life = timedelta(days=body.expires_in_days)
        made.append(await identity.keys.create(tx, caller, body.name, body.terms(), life))
        return made[0]

    answer = await unit.run(work, NewApiKeyAnswer.without_secret, status=201)
    if not made:
        return answer
    told = NewApiKeyAnswer(key=ApiKeyAnswer.of(made[0].key), api_key=made[0].text)
    return Response(told.model_dump_json(by_alias=True), 201, media_type="application/json")


@router.get("", openapi_extra=_READ)
async def listed(
    caller: CallerDep, db: DatabaseDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[ApiKeyAnswer]:
    """My keys, the newest first, those that are over too."""
    after = decode_moment_and_id("api keys", cursor)
    found = await identity.keys_of(db, caller.user_id, after, limit + 1)
    page, last = found[:limit], found[limit - 1] if len(found) > limit else None
    following = encode_cursor("api keys", last.created_at, last.key_id) if last else None
    return Page(data=[ApiKeyAnswer.of(key) for key in page], next_cursor=following)


@router.get("/{id}/requests", openapi_extra=_READ)
async def requests(
    key_id: KeyPath, request: Request, caller: CallerDep, db: DatabaseDep
) -> KeyRequestsAnswer:
    """What was asked under a key of mine: the latest 200 requests of the last week, without those on sockets."""
    if not await identity.is_key_of(db, caller.user_id, key_id):
        raise KeyNotFound
    log: KeyLog = request.app.state.key_log
    found = await log.latest(key_id)
    return KeyRequestsAnswer(requests=[KeyRequestAnswer.model_validate(one) for one in found])


@router.delete("/{id}", openapi_extra=_WRITE, response_model=ApiKeyAnswer)
async def revoke(key_id: KeyPath, caller: CallerDep, unit: UnitDep) -> Response:
    """End a key. Whoever holds it is let in no longer, on a socket and for orders within two seconds."""
    return await unit.run(lambda tx: identity.keys.revoke(tx, caller, KeyId(key_id)), ApiKeyAnswer.of)
