"""Facts of this room."""

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
    """A session ended before its time; `reason` is `logout` or `refresh_token_reused`."""

    user_id: UserId
    session_id: str
    reason: str
