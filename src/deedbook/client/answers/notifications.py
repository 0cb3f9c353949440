"""What I am told, and where."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Detail:
    """A label and its value, as they are shown."""

    label: str
    value: str


@dataclass(frozen=True)
class Notification:
    """What I was told. `times` is more than 1 where many are told as one. `signed` is there where one notification
    is asked for: what I signed for what it is about."""

    id: UUID
    kind: str
    subject_type: str
    subject_id: UUID
    title: str
    body: str
    details: tuple[Detail, ...]
    times: int
    occurred_at: datetime
    created_at: datetime
    read_at: datetime | None
    signed: tuple[Detail, ...] = ()


@dataclass(frozen=True)
class Preference:
    """Where I hear of a kind of thing. What has `required` always stands in my feed."""

    kind: str
    topic: str
    in_app: bool
    email: bool
    sms: bool
    push: bool
    required: bool


@dataclass(frozen=True)
class Contact:
    """Where I can be reached; nothing but a code is sent there until I have proved it."""

    channel: str
    address: str
    verified: bool
    verified_at: datetime | None


@dataclass(frozen=True)
class Contacts:
    """Where I can be reached, and by which ways this installation reaches anybody."""

    contacts: tuple[Contact, ...]
    available: tuple[str, ...]


@dataclass(frozen=True)
class PushSubscription:
    """A browser or telephone that I have subscribed, and whose push service carries what is shown there."""

    id: UUID
    service: str
    description: str
    created_at: datetime


@dataclass(frozen=True)
class Push:
    """What I have subscribed. A browser subscribes with `application_server_key`; `None` where nothing is pushed."""

    application_server_key: str | None
    subscriptions: tuple[PushSubscription, ...]


@dataclass(frozen=True)
class Webhook:
    """Where what happens to me is posted: of these kinds, or of all where there are none. `failing_since` is when it
    began to take nothing."""

    id: UUID
    url: str
    description: str
    kinds: tuple[str, ...]
    enabled: bool
    failing_since: datetime | None
    former_secret_until: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class NewWebhook:
    """A webhook and the secret that signs what it gets, told this once: `None` where only the answer was given
    again. One that was lost is rotated."""

    webhook: Webhook
    secret: str | None = field(repr=False)


@dataclass(frozen=True)
class WebhookMessage:
    """Something that was posted, or shall be. `webhook_id` stands in its header, the same each time it is posted."""

    id: UUID
    webhook_id: str
    kind: str
    status: str
    attempts: int
    outcome: str | None
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    payload: dict[str, Any]
