"""Cursors: opaque to clients, bound to their list, and checked like any other input."""

import base64
import binascii
import json
import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BeforeValidator, Field

from deedbook.kernel.clock import to_wire
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import parse_uuid

MAX_CURSOR = 300
_WHOLE = re.compile(r"[0-9]{1,9}")


def _whole(value: Any) -> Any:
    """Digits alone: `int` would also take `1_0`, ` 5` and `5.0`."""
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("a whole number in digits")
    return value


Limit = Annotated[int, Field(ge=1, le=200), BeforeValidator(_whole), Query()]
Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR)]


def encode_cursor(listing: str, *parts: datetime | UUID | int) -> str:
    """The cursor after an entry of the list."""
    told = [listing, *(to_wire(part) if isinstance(part, datetime) else part for part in parts)]
    return base64.urlsafe_b64encode(json.dumps(told, default=str).encode()).decode().rstrip("=")


def decode_moment_and_id(listing: str, cursor: str | None) -> tuple[datetime, UUID] | None:
    """Read a cursor of (moment, id).

    Raises:
        Invalid: forged, damaged, or of another list.
    """
    if cursor is None:
        return None
    parts = _decode(listing, cursor, 2)
    entry = parse_uuid(str(parts[1]))
    if entry is None:
        raise _bad()
    return _moment(parts[0]), entry


def decode_moment_and_position(listing: str, cursor: str | None) -> tuple[datetime, int] | None:
    """Read a cursor of (moment, position).

    Raises:
        Invalid: forged, damaged, or of another list.
    """
    if cursor is None:
        return None
    moment, position = _decode(listing, cursor, 2)
    return _moment(moment), _position(position)


def decode_position(listing: str, cursor: str | None) -> int | None:
    """Read a cursor of one position.

    Raises:
        Invalid: forged, damaged, or of another list.
    """
    if cursor is None:
        return None
    (position,) = _decode(listing, cursor, 1)
    return _position(position)


def decode_id(listing: str, cursor: str | None) -> UUID | None:
    """Read a cursor of one id.

    Raises:
        Invalid: forged, damaged, or of another list.
    """
    if cursor is None:
        return None
    (told,) = _decode(listing, cursor, 1)
    entry = parse_uuid(str(told))
    if entry is None:
        raise _bad()
    return entry


def decode_ids(listing: str, cursor: str | None) -> tuple[UUID, UUID] | None:
    """Read a cursor of two ids.

    Raises:
        Invalid: forged, damaged, or of another list.
    """
    if cursor is None:
        return None
    first, second = _decode(listing, cursor, 2)
    return _ids(first, second)


def decode_moment_and_ids(listing: str, cursor: str | None) -> tuple[datetime, UUID, UUID] | None:
    """Read a cursor of (moment, id, id).

    Raises:
        Invalid: forged, damaged, or of another list.
    """
    if cursor is None:
        return None
    moment, first, second = _decode(listing, cursor, 3)
    return _moment(moment), *_ids(first, second)


def _ids(*told: Any) -> tuple[UUID, UUID]:
    first, second = (parse_uuid(str(one)) for one in told)
    if first is None or second is None:
        raise _bad()
    return first, second


def _moment(told: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(told)
        as_we_write_it = to_wire(moment) == told
    except (TypeError, ValueError, OverflowError):
        raise _bad() from None
    if not as_we_write_it:
        raise _bad()
    return moment


def _position(told: Any) -> int:
    if type(told) is not int or not 0 <= told < 2**62:
        raise _bad()
    return told


def _decode(listing: str, cursor: str, parts: int) -> list[Any]:
    try:
        if len(cursor) > MAX_CURSOR or not cursor.isascii():
            raise ValueError
        told = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise _bad() from None
    if not isinstance(told, list) or len(told) != parts + 1 or told[0] != listing:
        raise _bad()
    return told[1:]


def _bad() -> Invalid:
    detail = "take the cursor from nextCursor of the same list"
    return Invalid(detail, errors=(FieldError("/query/cursor", "bad_cursor", detail),))
