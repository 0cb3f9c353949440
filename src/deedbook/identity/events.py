"""Facts of this room."""

from datetime import datetime
from uuid import UUID

from deedbook.identity.terms import KeyId
from deedbook.kernel.events import Audience, Fact, fact
from deedbook.kernel.ids import UserId


@fact("user.registered", stream="user_id", audience=Audience.OPERATORS)
class UserRegistered(Fact):
    """A wallet signed in for the first time, or was granted a role before that."""

    user_id: UserId
    account: str


@fact("user.role_granted", stream="user_id", audience=Audience.OPERATORS)
class RoleGranted(Fact):
    """A user received a role on this platform."""

    user_id: UserId
    role: str
    granted_by: str


@fact("user.session_revoked", stream="user_id", audience=Audience.OPERATORS)
class SessionRevoked(Fact):
    """A session ended before its time; `reason` is `logout`, `ended` or `refresh_token_reused`."""

    user_id: UserId
    session_id: str
    reason: str


@fact("api_key.created", stream="key_id", audience=Audience.OPERATORS)
class ApiKeyCreated(Fact):
    """A user made an API key; of its secret nobody but them knows."""

    key_id: KeyId
    user_id: UserId
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime


@fact("api_key.revoked", stream="key_id", audience=Audience.OPERATORS)
class ApiKeyRevoked(Fact):
    """A user ended an API key."""

    key_id: KeyId
    user_id: UserId


@fact("subject.bound", stream="subject_id", audience=Audience.OPERATORS)
class SubjectBound(Fact):
    """Somebody whom an issuer vouches for has shown an account, and acts for it from now on."""

    subject_id: UUID
    user_id: UserId
    issuer: str
    account: str


@fact("subject.released", stream="subject_id", audience=Audience.OPERATORS)
class SubjectReleased(Fact):
    """A user no longer lets somebody act for their account whom an issuer vouches for."""

    subject_id: UUID
    user_id: UserId
    issuer: str
    subject: str
