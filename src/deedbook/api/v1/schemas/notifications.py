"""Bodies about what people are told."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from deedbook.api.v1.schemas.common import Answer, Body, Id, Moment
from deedbook.notifications import Channel, Kind
from deedbook.notifications.model import Contact, may_be_silenced
from deedbook.notifications.views import Preference

KINDS = tuple(kind.value for kind in Kind)


class DetailAnswer(Answer):
    """A label and its value, as they are shown."""

    label: str
    value: str


class NotificationAnswer(Answer):
    """What I was told. `subjectId` is the thing that it is about; `times` is more than 1 where many are told as one."""

    id: UUID
    kind: str
    subject_type: str
    subject_id: UUID
    title: str
    body: str
    details: list[DetailAnswer]
    times: int
    occurred_at: Moment
    created_at: Moment
    read_at: Moment | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> "NotificationAnswer":
        details = [DetailAnswer(label=label, value=value) for label, value in row["details"]]
        return cls.model_validate({**row, "id": row["notification_id"], "details": details})


class UnreadAnswer(Answer):
    """How many I have not read; counting ends at 1000."""

    unread: int


class ReadUpTo(Body):
    """The newest notification that I have seen."""

    up_to: Annotated[Id, Field(examples=["01981c3e-7d2a-7f30-9b1a-5a1d2f6c8e10"])]


class ReadAnswer(Answer):
    """How many were unread before."""

    marked: int


class OneNotificationAnswer(NotificationAnswer):
    """The same, with what I signed for the order, swap, deposit, withdrawal or transfer that it is about: field by
    field, as my wallet showed it."""

    signed: list[DetailAnswer]


class ChoiceAnswer(Answer):
    """Where I hear of a kind of thing. What has `required` always stands in my feed."""

    kind: str
    topic: str
    in_app: bool
    email: bool
    sms: bool
    push: bool
    required: bool

    @classmethod
    def of(cls, preference: Preference) -> "ChoiceAnswer":
        wanted = preference.wanted
        return cls(
            kind=preference.kind.value,
            topic=preference.kind.topic.value,
            in_app=wanted[Channel.IN_APP],
            email=wanted[Channel.EMAIL],
            sms=wanted[Channel.SMS],
            push=wanted[Channel.PUSH],
            required=not may_be_silenced(preference.kind),
        )


class ChoicesAnswer(Answer):
    """Where I hear of what. Mail and text messages go to contacts that I have proved alone, push to
    browsers that I have subscribed."""

    preferences: list[ChoiceAnswer]


class Choice(Body):
    """Where I want to hear of one kind of thing; what is left out stays as it is."""

    kind: Annotated[Literal[*KINDS], Field(examples=["order.partially_filled"])]  # type: ignore[valid-type]
    in_app: Annotated[bool | None, Field(strict=True, examples=[True])] = None
    email: Annotated[bool | None, Field(strict=True, examples=[False])] = None
    sms: Annotated[bool | None, Field(strict=True, examples=[False])] = None
    push: Annotated[bool | None, Field(strict=True, examples=[True])] = None

    def chosen(self) -> dict[tuple[Kind, Channel], bool]:
        kind = Kind(self.kind)
        told = {
            Channel.IN_APP: self.in_app,
            Channel.EMAIL: self.email,
            Channel.SMS: self.sms,
            Channel.PUSH: self.push,
        }
        return {(kind, channel): wanted for channel, wanted in told.items() if wanted is not None}


class Choices(Body):
    """What I want to hear otherwise than now. Of two about the same kind, the later one counts."""

    preferences: Annotated[list[Choice], Field(min_length=1, max_length=200)]

    def chosen(self) -> dict[tuple[Kind, Channel], bool]:
        return {key: wanted for choice in self.preferences for key, wanted in choice.chosen().items()}


class ContactAnswer(Answer):
    """Where I can be reached; nothing but a code is sent there until I have proved it."""

    channel: str
    address: str
    verified: bool
    verified_at: Moment | None

    @classmethod
    def of(cls, contact: Contact) -> "ContactAnswer":
        return cls(
            channel=contact.channel.value.lower(),
            address=contact.address,
            verified=contact.verified_at is not None,
            verified_at=contact.verified_at,
        )


class ContactsAnswer(Answer):
    """Where I can be reached, and by which ways this installation reaches anybody."""

    contacts: list[ContactAnswer]
    available: list[str]


class GiveContact(Body):
    """An address of mine: of mail, or a telephone number with `+` and its country."""

    address: Annotated[str, Field(strict=True, min_length=3, max_length=254, examples=["ada@example.com"])]


class ContactGiven(Answer):
    """A code is on its way there."""

    channel: str
    code_sent: bool = True


class Code(Body):
    """The digits that were sent there."""

    code: Annotated[str, Field(strict=True, pattern=r"^[0-9]{8}$", examples=["01234567"])]


class ContactVerified(Answer):
    channel: str
    verified: bool = True


class ContactRemoved(Answer):
    channel: str
    removed: bool = True
