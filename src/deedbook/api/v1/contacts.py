"""Where I hear of what, and where I can be reached."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response

from deedbook import notifications
from deedbook.api.deps import SIGNED_IN, CallerDep, DatabaseDep, ResourcesDep, UnitDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.notifications import (
    ChoiceAnswer,
    Choices,
    ChoicesAnswer,
    Code,
    ContactAnswer,
    ContactGiven,
    ContactRemoved,
    ContactsAnswer,
    ContactVerified,
    GiveContact,
)
from deedbook.infra.database import Tx
from deedbook.notifications import Channel, contacts, views
from deedbook.notifications.views import Preference

router = APIRouter(prefix="/me", tags=["notifications"], route_class=StrictRoute)

_READ = access(SIGNED_IN, bucket="reads")
_IN_PERSON = access(SIGNED_IN, bucket="reads", in_person=True)
_WRITE = access(SIGNED_IN, bucket="writes")
_KEYED = access(SIGNED_IN, bucket="writes", keyed=True)
ChannelPath = Annotated[Literal["email", "sms"], Path()]


@router.get("/notification-preferences", openapi_extra=_READ)
async def preferences(caller: CallerDep, db: DatabaseDep) -> ChoicesAnswer:
    """Where I hear of what: everything that there is."""
    found = await views.choices(db, caller.user_id)
    return ChoicesAnswer(preferences=[ChoiceAnswer.of(preference) for preference in found])


@router.put("/notification-preferences", openapi_extra=_WRITE, response_model=ChoicesAnswer)
async def choose(body: Choices, caller: CallerDep, unit: UnitDep) -> Response:
    """Hear of these things elsewhere, or no longer; the others stay as they are."""

    async def work(tx: Tx) -> list[Preference]:
        await notifications.choose(tx, caller, body.chosen())
        return await views.choices_within(tx, caller.user_id)

    return await unit.run(
        work, lambda found: ChoicesAnswer(preferences=[ChoiceAnswer.of(preference) for preference in found])
    )


@router.get("/contacts", openapi_extra=_IN_PERSON)
async def my_contacts(caller: CallerDep, resources: ResourcesDep) -> ContactsAnswer:
    """Where I can be reached."""
    found = await views.contacts(resources.db, caller.user_id)
    available = sorted(channel.value.lower() for channel in resources.channels - {Channel.PUSH})
    return ContactsAnswer(contacts=[ContactAnswer.of(contact) for contact in found], available=available)


@router.put("/contacts/{channel}", openapi_extra=_KEYED, response_model=ContactGiven)
async def give(
    channel: ChannelPath, body: GiveContact, caller: CallerDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """Give an address of mine in the place of the one before. A code is sent there, which holds for 15 minutes."""
    way, set_up = Channel(channel.upper()), resources.channels
    texts_an_hour = resources.settings.SMS_CODES_PER_HOUR
    return await unit.run(
        lambda tx: contacts.put(tx, caller, way, body.address, set_up, texts_an_hour),
        lambda _: ContactGiven(channel=channel),
    )


@router.post("/contacts/{channel}/verify", openapi_extra=_WRITE, response_model=ContactVerified)
async def verify(
    channel: ChannelPath, body: Code, caller: CallerDep, resources: ResourcesDep, unit: UnitDep
) -> Response:
    """Prove by the code that an address is mine. Each code has five tries."""
    way, secret = Channel(channel.upper()), resources.message_policy.secret
    return await unit.run(
        lambda tx: contacts.verify(tx, caller, way, body.code, secret),
        lambda _: ContactVerified(channel=channel),
        before=lambda: contacts.count_try(resources.db, caller.user_id, way),
    )


@router.delete("/contacts/{channel}", openapi_extra=_WRITE, response_model=ContactRemoved)
async def remove(channel: ChannelPath, caller: CallerDep, unit: UnitDep) -> Response:
    """Have nothing sent there any more, and the address forgotten."""
    way = Channel(channel.upper())
    return await unit.run(
        lambda tx: contacts.remove(tx, caller, way), lambda _: ContactRemoved(channel=channel)
    )
