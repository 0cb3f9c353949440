"""Stops that wait: sorted so that the next to be triggered is the last of its list.

A buy stop is triggered by a last trade at its price or above, a sell stop at its price or below. A trailing
stop follows the best price since it came and never goes back.
"""

from bisect import bisect_left, insort

from deedbook.trading.engine.messages import Order, Trailing

BPS = 10_000


class Stops:
    """The waiting stops of a pair."""

    __slots__ = ("_buys", "_sells", "_trailing", "by_number")

    def __init__(self) -> None:
        self.by_number: dict[int, Order] = {}
        self._buys: list[tuple[int, int]] = []
        self._sells: list[tuple[int, int]] = []
        self._trailing: dict[int, Order] = {}

    def add(self, order: Order) -> None:
        self.by_number[order.number] = order
        if order.trailing:
            self._trailing[order.number] = order
        if order.stop > 0:
            insort(self._side(order), _place(order))

    def remove(self, order: Order) -> None:
        del self.by_number[order.number]
        self._trailing.pop(order.number, None)
        if order.stop > 0:
            self._displace(order)

    def follow(self, last: int) -> list[Order]:
        """Let the trailing stops follow the market; those that moved, oldest first."""
        moved = []
        for order in self._trailing.values():
            stop = trailed(order, last)
            if stop != order.stop:
                if order.stop > 0:
                    self._displace(order)
                order.stop = stop
                insort(self._side(order), _place(order))
                moved.append(order)
        return moved

    def triggered_by(self, last: int) -> list[Order]:
        """Take out those that this last trade triggers, oldest first."""
        numbers = []
        while self._buys and -self._buys[-1][0] <= last:
            numbers.append(-self._buys.pop()[1])
        while self._sells and self._sells[-1][0] >= last:
            numbers.append(-self._sells.pop()[1])
        numbers.sort()
        orders = [self.by_number.pop(number) for number in numbers]
        for order in orders:
            self._trailing.pop(order.number, None)
        return orders

    def _side(self, order: Order) -> list[tuple[int, int]]:
        return self._buys if order.buy else self._sells

    def _displace(self, order: Order) -> None:
        side = self._side(order)
        del side[bisect_left(side, _place(order))]


def trailed(order: Order, last: int) -> int:
    """Where a trailing stop stands when the last trade is at `last`, in ticks.

    A distance in basis points rounds up to whole ticks, so that a stop is never closer than was asked; a
    sell stop never falls below one tick.
    """
    distance = order.distance
    if order.trailing == Trailing.BPS:
        distance = -(-last * order.distance // BPS)
    if order.buy:
        return min(order.stop, last + distance) if order.stop > 0 else last + distance
    return max(order.stop, last - distance, 1)


def _place(order: Order) -> tuple[int, int]:
    return (-order.stop if order.buy else order.stop, -order.number)
