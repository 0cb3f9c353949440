"""The open book of one pair as a process that serves feeds keeps it: levels in ticks and lots. Pure."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

LOADED = 2000
"""How many levels of a side are kept; what lies beyond is not followed."""
FEW = 200
"""So many must be left of a side that goes on beyond what was loaded."""
Levels = Sequence[tuple[int, int]]


class Side:
    """One side, the best level at the end of its keys: bids by their price, asks by minus their price."""

    def __init__(self, sign: int, levels: Levels) -> None:
        self._sign = sign
        self._lots = {price * sign: lots for price, lots in levels}
        self._keys = sorted(self._lots)
        self._floor = self._keys[0] if len(levels) >= LOADED else None

    def put(self, price: int, lots: int) -> None:
        """The level has so much now; 0 for none."""
        key = price * self._sign
        if self._floor is not None and key < self._floor:
            return
        if not lots:
            if self._lots.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]
            return
        if key not in self._lots:
            insort(self._keys, key)
        self._lots[key] = lots

    def top(self, depth: int) -> list[tuple[int, int]]:
        """The best levels, the best first."""
        return [(key * self._sign, self._lots[key]) for key in self._keys[: -depth - 1 : -1]]

    @property
    def ran_short(self) -> bool:
        """Whether levels that were not loaded may be among the best by now."""
        return self._floor is not None and len(self._keys) < FEW


class Board:
    """Both sides, and the event that they stand after."""

    def __init__(self, seq: int, bids: Levels, asks: Levels) -> None:
        self.seq = seq
        self.bids = Side(1, bids)
        self.asks = Side(-1, asks)

    def apply(self, seq: int, bids: Iterable[Sequence[int]], asks: Iterable[Sequence[int]]) -> None:
        """Take in the totals of the levels that have changed."""
        for price, lots in bids:
            self.bids.put(price, lots)
        for price, lots in asks:
            self.asks.put(price, lots)
        self.seq = seq

    @property
    def ran_short(self) -> bool:
        return self.bids.ran_short or self.asks.ran_short


def difference(before: Levels, now: Levels) -> list[tuple[int, int]]:
    """What turns the one into the other: a level that is not there any more has 0."""
    was, remaining = dict(before), dict(now)
    gone = [(price, 0) for price, _ in before if price not in remaining]
    return gone + [(price, lots) for price, lots in now if was.get(price) != lots]
