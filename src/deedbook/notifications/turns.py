"""Who may be posted to now: one user's slow addresses hold some of a process's posts at a time, never all of them.

Whose addresses answer quickly is not bounded here: what is quick holds up nobody.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deedbook.kernel.ids import UserId

OF_A_SLOW_USER = 3
SLOW_S = 1.0
MAX_SLOW = 20_000
POSTPONED_S, APART_S, MOST_POSTPONED_S = 30.0, 1.0, 3600.0
"""What has to wait comes again one after the other, the first soon, and all within an hour."""


class Turns:
    """One per process that posts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: dict[UserId, list[float]] = defaultdict(list)
        self._slow: set[UserId] = set()
        self._next: dict[UserId, float] = {}

    def may_go(self, user_id: UserId) -> bool:
        """Whether one more may be posted for this user now."""
        begun = self._begun.get(user_id, [])
        slow = user_id in self._slow or (bool(begun) and self._clock() - begun[0] >= SLOW_S)
        return not slow or len(begun) < OF_A_SLOW_USER

    def later_s(self, user_id: UserId) -> float:
        """When to come again with what may not go now; `MOST_POSTPONED_S` where as much waits as an hour carries."""
        now = self._clock()
        at = max(self._next.get(user_id, 0.0), now + POSTPONED_S) + APART_S
        self._next[user_id] = min(at, now + MOST_POSTPONED_S)
        return self._next[user_id] - now

    @contextmanager
    def going(self, user_id: UserId) -> Iterator[None]:
        """For as long as one is posted for this user."""
        begun_at = self._clock()
        self._begun[user_id].append(begun_at)
        try:
            yield
        finally:
            self._begun[user_id].remove(begun_at)
            if not self._begun[user_id]:
                del self._begun[user_id]
            self._learn(user_id, self._clock() - begun_at >= SLOW_S)

    def _learn(self, user_id: UserId, slow: bool) -> None:
        if not slow:
            self._slow.discard(user_id)
            self._next.pop(user_id, None)
        elif len(self._slow) < MAX_SLOW:
            self._slow.add(user_id)
