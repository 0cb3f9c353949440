"""Webhooks: where what happens to me is posted, signed as Standard Webhooks are."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BeforeValidator

from deedbook.api.deps import SIGNED_IN, CallerDep, DatabaseDep, ResourcesDep, Unit, UnitDep, access
from deedbook.api.paging import Cursor, Limit, decode_id, encode_cursor
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import Page, _uuid
from deedbook.api.v1.schemas.webhooks_out import (
    AddWebhook,
    MessageAnswer,
    MessageAsked,
    MyWebhookAnswer,
    MyWebhookRemoved,
    MyWebhookSecretAnswer,
)
from deedbook.identity import Caller
from deedbook.infra.database import Database, Tx
from deedbook.notifications import views, webhooks
from deedbook.notifications.errors import WebhookNotFound
from deedbook.notifications.model import Endpoint
from deedbook.notifications.ports import MessagePolicy

router = APIRouter(prefix="/me/webhooks", tags=["notifications"], route_class=StrictRoute)

_READ = access(SIGNED_IN, bucket="reads", in_person=True)
_WRITE = access(SIGNED_IN, bucket="writes")
_KEYED = access(SIGNED_IN, bucket="writes", keyed=True)
_LISTING = "webhook messages"
IdPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]
MessagePath = Annotated[UUID, Path(alias="messageId"), BeforeValidator(_uuid)]


async def _with_secret(
    unit: Unit, work: Callable[[Tx], Awaitable[Endpoint]], policy: MessagePolicy, status: int
) -> Response:
    """The secret stands in this answer alone: what is kept for a repeated request goes without it."""
    made: list[Endpoint] = []

    async def noted(tx: Tx) -> Endpoint:
        made.append(await work(tx))
        return made[-1]

    def told(endpoint: Endpoint, secret: str | None) -> MyWebhookSecretAnswer:
        return MyWebhookSecretAnswer(webhook=MyWebhookAnswer.of(endpoint), secret=secret)

    answer = await unit.run(noted, lambda endpoint: told(endpoint, None), status=status)
    if not made:
        return answer
    shown = told(made[-1], webhooks.secret_of(made[-1], policy))
    return Response(shown.model_dump_json(by_alias=True), status, media_type="application/json")


@router.post("", status_code=201, openapi_extra=_KEYED, response_model=MyWebhookSecretAnswer)
async def add(body: AddWebhook, caller: CallerDep, resources: ResourcesDep, unit: UnitDep) -> Response:
    """Have what happens to me posted to an address. Its secret is shown once, in this answer."""
    private_too = not resources.settings.production

    async def work(tx: Tx) -> Endpoint:
        return await webhooks.add(
            tx, caller, body.url, body.description, frozenset(body.kinds), private_too=private_too
        )

    return await _with_secret(unit, work, resources.message_policy, 201)


@router.get("", openapi_extra=_READ)
async def listing(caller: CallerDep, db: DatabaseDep) -> Page[MyWebhookAnswer]:
    """My webhooks, newest first."""
    found = await views.webhooks(db, caller.user_id)
    return Page(data=[MyWebhookAnswer.of(endpoint) for endpoint in found], next_cursor=None)


@router.get("/{id}", openapi_extra=_READ)
async def one(endpoint_id: IdPath, caller: CallerDep, db: DatabaseDep) -> MyWebhookAnswer:
    """One of my webhooks."""
    return MyWebhookAnswer.of(await _mine(db, caller, endpoint_id))


@router.delete("/{id}", openapi_extra=_KEYED, response_model=MyWebhookRemoved)
async def remove(endpoint_id: IdPath, caller: CallerDep, unit: UnitDep) -> Response:
    """Have nothing posted there any more, and forget what was."""
    return await unit.run(lambda tx: webhooks.remove(tx, caller, endpoint_id), lambda _: MyWebhookRemoved())


@router.post("/{id}/rotate", openapi_extra=_KEYED, response_model=MyWebhookSecretAnswer)
async def rotate(endpoint_id: IdPath, caller: CallerDep, resources: ResourcesDep, unit: UnitDep) -> Response:
    """Sign with another secret, which is shown once. For a day the former one signs beside it."""
    return await _with_secret(
        unit, lambda tx: webhooks.rotate(tx, caller, endpoint_id), resources.message_policy, 200
    )


@router.post("/{id}/enable", openapi_extra=_WRITE, response_model=MyWebhookAnswer)
async def enable(endpoint_id: IdPath, caller: CallerDep, unit: UnitDep) -> Response:
    """Post there again after it was switched off. What was missed can be replayed."""
    return await unit.run(lambda tx: webhooks.enable(tx, caller, endpoint_id), MyWebhookAnswer.of)


@router.post("/{id}/test", status_code=202, openapi_extra=_WRITE, response_model=MessageAsked)
async def test(endpoint_id: IdPath, caller: CallerDep, unit: UnitDep) -> Response:
    """Have a `webhook.test` posted there, ten times an hour at most."""
    return await unit.run(
        lambda tx: webhooks.test(tx, caller, endpoint_id),
        lambda message_id: MessageAsked(id=message_id),
        status=202,
    )


@router.get("/{id}/messages", openapi_extra=_READ)
async def messages(
    endpoint_id: IdPath, caller: CallerDep, db: DatabaseDep, cursor: Cursor = None, limit: Limit = 50
) -> Page[MessageAnswer]:
    """What was posted there in the last 30 days, or shall be, newest first."""
    before = decode_id(_LISTING, cursor)
    endpoint = await _mine(db, caller, endpoint_id)
    found = await views.messages(db, endpoint.endpoint_id, before, limit + 1)
    page, more = found[:limit], len(found) > limit
    following = encode_cursor(_LISTING, page[-1]["delivery_id"]) if more else None
    return Page(data=[MessageAnswer.of(row) for row in page], next_cursor=following)


@router.post(
    "/{id}/messages/{messageId}/replay", status_code=202, openapi_extra=_WRITE, response_model=MessageAsked
)
async def replay(endpoint_id: IdPath, message_id: MessagePath, caller: CallerDep, unit: UnitDep) -> Response:
    """Post a message again, under the id that it had."""
    return await unit.run(
        lambda tx: webhooks.replay(tx, caller, endpoint_id, message_id),
        lambda _: MessageAsked(id=message_id),
        status=202,
    )


async def _mine(db: Database, caller: Caller, endpoint_id: UUID) -> Endpoint:
    endpoint = await views.webhook(db, caller.user_id, endpoint_id)
    if endpoint is None:
        raise WebhookNotFound
    return endpoint
