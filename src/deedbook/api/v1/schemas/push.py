"""Bodies about browsers and telephones that are subscribed."""

import base64
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field

from deedbook.api.v1.schemas.common import Answer, Body, Line, Moment
from deedbook.notifications.model import Subscription
from deedbook.notifications.push import Offer

_65_BYTES, _16_BYTES = r"^[A-Za-z0-9_-]{87}=?$", r"^[A-Za-z0-9_-]{22}(==)?$"
"""In base64url, with padding or without."""
_POINT = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"  # of RFC 8291
)


class PushKeys(Body):
    """By what the browser alone reads what is for it: its public key, and a secret."""

    p256dh: Annotated[
        str,
        Field(
            alias="p256dh", strict=True, min_length=87, max_length=88, pattern=_65_BYTES, examples=[_POINT]
        ),
    ]
    auth: Annotated[
        str,
        Field(
            strict=True, min_length=22, max_length=24, pattern=_16_BYTES, examples=["BTBZMqHH6r4Tts7J_aSIgg"]
        ),
    ]


class Subscribe(Body):
    """What the browser's `PushSubscription.toJSON()` gives, and what I call it. `expirationTime` is not looked at: a
    push service says when a subscription is over."""

    endpoint: Annotated[
        str,
        Field(
            strict=True, min_length=8, max_length=500, examples=["https://push.example.com/push/JzLQ3raZJfFB"]
        ),
    ]
    expiration_time: Annotated[int, Field(strict=True, ge=0, lt=2**53)] | None = None
    keys: PushKeys
    description: Annotated[Line, Field(max_length=200, examples=["the telephone"])] = ""

    def offer(self) -> Offer:
        return Offer(self.endpoint, _raw(self.keys.p256dh), _raw(self.keys.auth), self.description)


class PushSubscriptionAnswer(Answer):
    """A browser or telephone. Of its address only the push service is told: who has all of it can send there."""

    id: UUID
    service: str
    description: str
    created_at: Moment

    @classmethod
    def of(cls, entry: Subscription) -> "PushSubscriptionAnswer":
        return cls(
            id=entry.subscription_id,
            service=urlsplit(entry.target.endpoint).hostname or "",
            description=entry.description,
            created_at=entry.created_at,
        )


class PushAnswer(Answer):
    """What I have subscribed. A browser subscribes with `applicationServerKey`: null where nothing is pushed."""

    application_server_key: str | None
    subscriptions: list[PushSubscriptionAnswer]


class Unsubscribed(Answer):
    """Nothing is shown there any more."""

    id: UUID
    removed: bool = True


def _raw(text: str) -> bytes:
    bare = text.rstrip("=")
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
