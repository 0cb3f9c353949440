"""The living orders of a pair as its matcher looks them up: by id, by owner, by when they end."""

import heapq
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from deedbook.trading.live import LiveOrder

SPARE = 1000
"""How many orders that are over may still stand among those that will expire, beside as many as live."""


class LivingOrders:
    """Whoever is over is forgotten at once, so that nothing in here depends on where a batch ends."""

    __slots__ = ("_by_id", "_expiries", "_of_user")

    def __init__(self) -> None:
        self._by_id: dict[str, LiveOrder] = {}
        self._of_user: dict[str, int] = defaultdict(int)
        self._expiries: list[tuple[datetime, int, LiveOrder]] = []

    def keep(self, order: LiveOrder) -> None:
        self._by_id[order.order_id] = order
        self._of_user[order.user_id] += 1
        heapq.heappush(self._expiries, (order.expires_at, order.number, order))

    def forget(self, order: LiveOrder) -> None:
        """It is over. Harmless for one that was never kept."""
        if self._by_id.pop(order.order_id, None) is None:
            return
        self._of_user[order.user_id] -= 1
        if not self._of_user[order.user_id]:
            del self._of_user[order.user_id]
        if len(self._expiries) > 2 * len(self._by_id) + SPARE:
            self._expiries = [entry for entry in self._expiries if entry[2].order_id in self._by_id]
            heapq.heapify(self._expiries)

    def find(self, order_id: str) -> LiveOrder | None:
        return self._by_id.get(order_id)

    def count_of(self, user_id: str) -> int:
        """How many a user has."""
        return self._of_user.get(user_id, 0)

    def owners(self) -> set[str]:
        return set(self._of_user)

    def of(self, users: set[str]) -> list[LiveOrder]:
        """Those of these users."""
        return [order for order in self._by_id.values() if order.user_id in users]

    def by_number(self) -> list[LiveOrder]:
        return sorted(self._by_id.values(), key=lambda order: order.number)

    def due(self, moment: datetime) -> Iterator[LiveOrder]:
        """Those that have expired, the first to expire first."""
        while self._expiries and self._expiries[0][0] <= moment:
            order = heapq.heappop(self._expiries)[2]
            if order.order_id in self._by_id:
                yield order
