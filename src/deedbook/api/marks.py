"""Marks of answers (ETag): who asks with the one that they have seen, and it is the same still, is told only that."""

import hashlib
from typing import Annotated, Any

from fastapi import Header, Response

MAX_SHOWN = 1000
"""What stands in If-None-Match beyond that is not looked at."""
SeenDep = Annotated[
    str | None,
    Header(alias="If-None-Match", description="The ETag of what you have: 304 where it is the same still"),
]
SAME_STILL: dict[int | str, dict[str, Any]] = {304: {"description": "What you have is the same still"}}


def mark_of(told: bytes) -> str:
    """The same for the same answer, in every process."""
    return f'"{hashlib.blake2b(told, digest_size=12).hexdigest()}"'


def answer(told: bytes, shown: str | None, mark: str | None = None) -> Response:
    """The answer, as JSON, or that it is still the one with the mark that is shown (RFC 9110, section 13.1.2)."""
    mark = mark or mark_of(told)
    if shown is not None and len(shown) <= MAX_SHOWN and _has(shown, mark):
        return Response(status_code=304, headers={"ETag": mark})
    return Response(told, media_type="application/json", headers={"ETag": mark})


def _has(shown: str, mark: str) -> bool:
    return shown.strip() == "*" or mark in (part.strip().removeprefix("W/") for part in shown.split(","))
