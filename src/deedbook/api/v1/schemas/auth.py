"""Bodies about signing in."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from deedbook.api.v1.schemas.common import Answer, Body, Moment
from deedbook.identity import Caller, Credentials, sign_ins


class NonceAnswer(Answer):
    """What a sign-in message (EIP-4361) must hold."""

    nonce: str
    expires_at: Moment
    domain: str
    uri: str
    chain_id: int
    version: str = "1"


class SignIn(Body):
    """The message exactly as it was signed, and the wallet's signature (personal_sign)."""

    message: Annotated[str, Field(strict=True, min_length=1, max_length=4000)]
    signature: Annotated[str, Field(strict=True, min_length=1, max_length=200)]


class Refresh(Body):
    refresh_token: Annotated[str, Field(strict=True, min_length=20, max_length=200)]


class CredentialsAnswer(Answer):
    """Keep both secret. The access token goes into `Authorization: Bearer …`."""

    user_id: UUID
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    refresh_token: str

    @classmethod
    def of(cls, credentials: Credentials) -> "CredentialsAnswer":
        return cls(
            user_id=credentials.user_id,
            access_token=credentials.access_token,
            expires_in=credentials.expires_in_s,
            refresh_token=credentials.refresh_token,
        )


class Done(Answer):
    done: bool = True


class BindingAnswer(Answer):
    """My account, or the `statement` of the message that makes one mine."""

    account: str | None
    statement: str | None


class SignInAnswer(Answer):
    """A session of my wallet's, or with `issuer` and `subject` a sign-in elsewhere that acts for my account until it is
    ended. `isThis` is the one that I ask by."""

    id: UUID
    issuer: str | None
    subject: str | None
    is_this: bool
    began_at: Moment
    last_refreshed_at: Moment | None
    expires_at: Moment | None

    @classmethod
    def of(cls, found: sign_ins.SignIn, caller: Caller) -> "SignInAnswer":
        return cls(
            id=found.sign_in_id,
            issuer=found.issuer,
            subject=found.subject,
            is_this=found.sign_in_id == caller.session_id,
            began_at=found.began_at,
            last_refreshed_at=found.last_at,
            expires_at=found.expires_at,
        )
