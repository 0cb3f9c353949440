"""Identifiers: each kind its own type, so that a user's id can never stand where a market's belongs."""

from datetime import datetime
from typing import NewType
from uuid import UUID, SafeUUID

import uuid_utils

UserId = NewType("UserId", UUID)
EntityId = NewType("EntityId", UUID)
MarketId = NewType("MarketId", UUID)
TokenId = NewType("TokenId", UUID)
PairId = NewType("PairId", UUID)
DocumentId = NewType("DocumentId", UUID)
EventId = NewType("EventId", UUID)

_make, _set = object.__new__, object.__setattr__


def new_uuid() -> UUID:
    """A UUIDv7 (RFC 9562): time-ordered, so that indexes on it stay compact."""
    # `UUID(int=…)` takes seven times as long, for checks of arguments that it was not given.
    made = _make(UUID)
    _set(made, "int", uuid_utils.uuid7().int)
    _set(made, "is_safe", SafeUUID.unknown)
    return made


def least_uuid(moment: datetime) -> UUID:
    """The least UUIDv7 of this moment: what is looked up by its id is looked up by its age, without another index."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | 0b10 << 62)


def parse_uuid(text: str) -> UUID | None:
    """Read the canonical 36-character form only; `None` for anything else.

    `uuid.UUID` also takes braces, urn prefixes and missing hyphens, which would give one thing many names.
    """
    if len(text) != 36 or not text.isascii():
        return None
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if str(value) == text.lower() else None
