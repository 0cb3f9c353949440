"""What the API refuses, as exceptions. Each `code` has a class of its own in `refusals`, below its kind:

DeedbookError
├─ Unreachable            no answer came
├─ MalformedError         400
├─ UnauthenticatedError   401
├─ ForbiddenError         403
├─ AbsentError            404
├─ NotAllowedError        405
├─ ConflictError          409
├─ StaleError             412
├─ TooLargeError          413
├─ UnsupportedError       415
├─ InvalidError           422
├─ ClosedError            423
├─ RateLimitedError       429
└─ UnavailableError       500, 503
"""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class FieldError:
    """One bad field: where it stands (RFC 6901), what is wrong with it, and the same for a person."""

    pointer: str
    code: str
    detail: str


class DeedbookError(Exception):
    """A request that was refused. `detail` says what to do next; `retry_after` is in seconds, where waiting helps."""

    code: str = ""
    statuses: ClassVar[tuple[int, ...]] = ()
    by_code: ClassVar[dict[str, type["DeedbookError"]]] = {}
    by_status: ClassVar[dict[int, type["DeedbookError"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" in cls.__dict__:
            DeedbookError.by_code[cls.code] = cls
        if "statuses" in cls.__dict__:
            DeedbookError.by_status.update(dict.fromkeys(cls.statuses, cls))

    def __init__(
        self,
        detail: str,
        *,
        code: str = "",
        status: int = 0,
        request_id: str = "",
        errors: tuple[FieldError, ...] = (),
        retry_after: float | None = None,
        problem: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.status = status
        self.request_id = request_id
        self.errors = errors
        self.retry_after = retry_after
        self.problem = problem or {}

    def __str__(self) -> str:
        others = [error for error in self.errors if error.detail not in self.detail]
        fields = "".join(f"; {error.pointer}: {error.detail}" for error in others)
        return f"{self.detail}{fields} ({self.code or self.status})"


class Unreachable(DeedbookError):
    """No answer came, or none of Deedbook's: what became of the request is not known."""

    code = "unreachable"


class MalformedError(DeedbookError):
    """The request could not be read."""

    statuses = (400,)


class UnauthenticatedError(DeedbookError):
    """It is not known who asks."""

    statuses = (401,)


class ForbiddenError(DeedbookError):
    """They may not do this."""

    statuses = (403,)


class AbsentError(DeedbookError):
    """There is no such thing, or it is somebody else's."""

    statuses = (404,)


class NotAllowedError(DeedbookError):
    """The address does not take this method."""

    statuses = (405,)


class ConflictError(DeedbookError):
    """What stands there does not allow it."""

    statuses = (409,)


class StaleError(DeedbookError):
    """It has changed since it was looked at."""

    statuses = (412,)


class TooLargeError(DeedbookError):
    """The body is too large."""

    statuses = (413,)


class UnsupportedError(DeedbookError):
    """The body is not JSON."""

    statuses = (415,)


class InvalidError(DeedbookError):
    """The request was read, and means something that is not allowed."""

    statuses = (422,)


class ClosedError(DeedbookError):
    """The pair or the market takes nothing of the kind now."""

    statuses = (423,)


class RateLimitedError(DeedbookError):
    """Too many."""

    statuses = (429,)


class UnavailableError(DeedbookError):
    """Nothing was done; it may work later."""

    statuses = (500, 503)
