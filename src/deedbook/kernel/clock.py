"""Time as an argument. Rooms receive `now`; only the edges ask a clock."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Gives the current moment, always with a zone."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def to_wire(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and a `Z`."""
    told = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return told.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
