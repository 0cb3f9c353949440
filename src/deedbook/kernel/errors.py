"""Refusals: what the house says when it will not do something.

Every expected refusal is a class with a stable `code` (never renamed) and a `Kind`. One table in the API
maps kinds to HTTP status, one in the workers to retry-or-stop; a room only says what happened.

    Refusal
    ├─ identity      Unauthenticated … SignInRefused …
    ├─ markets       MarketNotFound · IllegalTransition · SymbolTaken …
    └─ infra         Unavailable · RateLimited · IdempotencyKeyReused …
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """What sort of refusal this is: the only thing that the edges decide by."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    ABSENT = "absent"
    NOT_ALLOWED = "not_allowed"
    CONFLICT = "conflict"
    STALE = "stale"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    INVALID = "invalid"
    CLOSED = "closed"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class FieldError:
    """One bad field: `pointer` is an RFC 6901 JSON pointer into the request body or `query/<name>`."""

    pointer: str
    code: str
    detail: str


class Refusal(Exception):
    """Base of every expected refusal.

    `detail` is for a person and says what to do next; it never holds a secret, a key or a signature.
    `retry_after_s` is set where waiting helps.
    """

    code: ClassVar[str]
    kind: ClassVar[Kind]
    title: ClassVar[str]
    registry: ClassVar[dict[str, type["Refusal"]]] = {}

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "code" in cls.__dict__:
            assert cls.code not in Refusal.registry, f"two refusals share the code {cls.code}"
            Refusal.registry[cls.code] = cls

    def __init__(
        self,
        detail: str = "",
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after_s: float | None = None,
        extra: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.extra = extra or {}


class Malformed(Refusal):
    """The request could not be read at all."""

    code, kind, title = "malformed_request", Kind.MALFORMED, "The request could not be read"


class Invalid(Refusal):
    """The request was read and means something that is not allowed."""

    code, kind, title = "invalid_request", Kind.INVALID, "The request is not valid"


class TooLarge(Refusal):
    """The body is larger than this route takes."""

    code, kind, title = "body_too_large", Kind.TOO_LARGE, "The request body is too large"


class UnsupportedMediaType(Refusal):
    """The body is not JSON."""

    code, kind, title = "unsupported_media_type", Kind.UNSUPPORTED, "Only application/json is read here"


class RouteNotFound(Refusal):
    """No such address."""

    code, kind, title = "not_found", Kind.ABSENT, "There is nothing at this address"


class MethodNotAllowed(Refusal):
    """The address exists, the method does not."""

    code, kind, title = "method_not_allowed", Kind.NOT_ALLOWED, "This method is not available here"


class RateLimited(Refusal):
    """Too many requests from this caller."""

    code, kind, title = "rate_limited", Kind.RATE_LIMITED, "Too many requests"


class Unavailable(Refusal):
    """Something the request needs does not answer. Nothing was done; try again."""

    code, kind, title = "unavailable", Kind.UNAVAILABLE, "The service cannot do this right now"


class IdempotencyKeyReused(Refusal):
    """The key names another request than this one."""

    code, kind, title = "idempotency_key_reused", Kind.INVALID, "This key was used for another request"


class InternalError(Refusal):
    """A bug of ours. Listed so that even this answer has a code."""

    code, kind, title = "internal_error", Kind.UNAVAILABLE, "Something went wrong on our side"
