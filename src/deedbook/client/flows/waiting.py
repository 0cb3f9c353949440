"""Asking until it is so."""

from collections.abc import Callable
from typing import TypeVar

from deedbook.client.flow import Flow, Session, Wait

T = TypeVar("T")
FIRST_POLL_S = 0.1
LONGEST_POLL_S = 2.0


class StillWaiting(TimeoutError):
    """It is not so yet. Nothing is wrong with it: ask again later."""


def until(
    session: Session, look: Callable[[], Flow[T]], is_so: Callable[[T], bool], what: str, within_s: float
) -> Flow[T]:
    """Look, at first often, until it is so; what was seen then.

    Raises:
        StillWaiting: it is not, in time.
    """
    deadline, pause = session.clock() + within_s, FIRST_POLL_S
    while True:
        seen = yield from look()
        if is_so(seen):
            return seen
        if session.clock() + pause > deadline:
            status = getattr(seen, "status", "as it was")
            raise StillWaiting(f"{what} is still {status} after {within_s:g} s")
        yield Wait(pause)
        pause = min(pause * 1.3, LONGEST_POLL_S)
