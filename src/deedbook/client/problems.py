"""From the problem details of an answer (RFC 9457) to the exception of its code."""

from collections.abc import Mapping
from typing import Any

from deedbook.client import refusals
from deedbook.client.errors import DeedbookError, FieldError, Unreachable

assert refusals.__name__, "loading them makes them known by their codes"


def error_of(status: int, told: Any, headers: Mapping[str, str] | None = None) -> DeedbookError:
    """The exception for an answer that is no success. What is no problem of ours came from something in between."""
    if not isinstance(told, dict) or "code" not in told:
        return Unreachable(f"something that is not Deedbook answered {status}", status=status)
    code = str(told["code"])
    kind = DeedbookError.by_code.get(code) or DeedbookError.by_status.get(status) or DeedbookError
    fields = tuple(FieldError(e["pointer"], e["code"], e["detail"]) for e in told.get("errors") or ())
    return kind(
        str(told.get("detail", "")),
        code=code,
        status=status,
        request_id=str(told.get("requestId", "")),
        errors=fields,
        retry_after=_retry_after(told, headers or {}),
        problem=told,
    )


def _retry_after(told: Mapping[str, Any], headers: Mapping[str, str]) -> float | None:
    if told.get("retryAfterMs") is not None:
        return float(told["retryAfterMs"]) / 1000
    text = headers.get("retry-after", "")
    return float(text) if text.isdigit() else None
