"""By what one is let in."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True)
class ApiKey:
    """A key, without its secret: that nobody keeps."""

    id: UUID
    name: str
    scopes: tuple[str, ...]
    allowed_addresses: tuple[str, ...]
    orders_per_minute: int | None
    daily_notional: Decimal | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    last_used_from: str | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class NewApiKey:
    """A key that was made just now. `api_key` is its whole text, told this once: `None` where only the answer was given
    again, as after one that was lost. Whoever has lost it makes another key."""

    key: ApiKey
    api_key: str | None = field(repr=False)


@dataclass(frozen=True)
class Binding:
    """My account, or the `statement` of the message that makes one mine."""

    account: str | None
    statement: str | None


@dataclass(frozen=True)
class SignIn:
    """A session of my wallet's, or with `issuer` and `subject` a sign-in elsewhere that acts for my account."""

    id: UUID
    issuer: str | None
    subject: str | None
    is_this: bool
    began_at: datetime
    last_refreshed_at: datetime | None
    expires_at: datetime | None
