"""Browsers and telephones that I have subscribed: what happens to me is shown there."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BeforeValidator

from deedbook.api.deps import SIGNED_IN, CallerDep, ResourcesDep, UnitDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import _uuid
from deedbook.api.v1.schemas.push import PushAnswer, PushSubscriptionAnswer, Subscribe, Unsubscribed
from deedbook.infra.database import Tx
from deedbook.notifications import Channel, push, views
from deedbook.notifications.derived import push_public_key
from deedbook.notifications.errors import ChannelNotSetUp
from deedbook.notifications.model import Subscription

router = APIRouter(prefix="/me/push-subscriptions", tags=["notifications"], route_class=StrictRoute)

_READ = access(SIGNED_IN, bucket="reads", in_person=True)
_KEYED = access(SIGNED_IN, bucket="writes", keyed=True)
IdPath = Annotated[UUID, Path(alias="id"), BeforeValidator(_uuid)]


@router.get("", openapi_extra=_READ)
async def listing(caller: CallerDep, resources: ResourcesDep) -> PushAnswer:
    """What I have subscribed, newest first, and by which key a browser subscribes."""
    found = await views.subscriptions(resources.db, caller.user_id)
    key = push_public_key(resources.message_policy.secret) if Channel.PUSH in resources.channels else None
    return PushAnswer(
        application_server_key=key, subscriptions=[PushSubscriptionAnswer.of(entry) for entry in found]
    )


@router.post("", status_code=201, openapi_extra=_KEYED, response_model=PushSubscriptionAnswer)
async def subscribe(body: Subscribe, caller: CallerDep, resources: ResourcesDep, unit: UnitDep) -> Response:
    """Have what happens to me shown by a browser: what `PushSubscription.toJSON()` gives there. One that is known keeps
    its id. What is sent to it nobody reads on the way."""
    private_too = not resources.settings.production

    async def work(tx: Tx) -> Subscription:
        if Channel.PUSH not in resources.channels:
            raise ChannelNotSetUp
        return await push.subscribe(tx, caller, body.offer(), private_too=private_too)

    return await unit.run(work, PushSubscriptionAnswer.of, status=201)


@router.delete("/{id}", openapi_extra=_KEYED, response_model=Unsubscribed)
async def unsubscribe(subscription_id: IdPath, caller: CallerDep, unit: UnitDep) -> Response:
    """Have nothing shown there any more."""
    return await unit.run(
        lambda tx: push.unsubscribe(tx, caller, subscription_id), lambda _: Unsubscribed(id=subscription_id)
    )
