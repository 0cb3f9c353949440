"""A copy of an order book, kept from the feed and never wrong without saying so. Pure: messages in, a book out.

Subscribe to `book`, give every message of it to `apply`, and subscribe again when it raises: the next snapshot
mends whatever was wrong.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from deedbook.kernel.checksum import LEVELS, book_checksum


class BookOutOfStep(Exception):
    """The copy is not the book: something is missing, or came out wrong. Subscribe again."""


class LiveBook:
    """The best levels of one market, exact: prices and quantities as decimals, and as the text that was sent."""

    def __init__(self, market: str) -> None:
        self.market = market
        self.seq: int | None = None
        self._bids = _Side(best_is_high=True)
        self._asks = _Side(best_is_high=False)

    @property
    def ready(self) -> bool:
        """Whether there is a book to look at."""
        return self.seq is not None

    def apply(self, message: Mapping[str, Any]) -> None:
        """Take in a message of the channel `book` of this market.

        Raises:
            BookOutOfStep: the book is empty from now on, until the next snapshot.
        """
        if message["type"] == "snapshot":
            self._bids.clear()
            self._asks.clear()
        elif self.seq is None:
            return  # what is under way when a book was dropped
        elif message["prevSeq"] != self.seq:
            self._drop(f"{message['prevSeq']} does not follow {self.seq}")
        self._bids.put(message["bids"])
        self._asks.put(message["asks"])
        self.seq = message["seq"]
        if book_checksum(self._bids.texts(LEVELS), self._asks.texts(LEVELS)) != message["checksum"]:
            self._drop(f"the checksum of {self.seq} is another")

    def bids(self, depth: int | None = None) -> list[tuple[Decimal, Decimal]]:
        """Price and quantity of the best bids, the best first."""
        return [(Decimal(price), Decimal(quantity)) for price, quantity in self._bids.texts(depth)]

    def asks(self, depth: int | None = None) -> list[tuple[Decimal, Decimal]]:
        """The same of the asks."""
        return [(Decimal(price), Decimal(quantity)) for price, quantity in self._asks.texts(depth)]

    def levels(self, depth: int | None = None) -> tuple[list[list[str]], list[list[str]]]:
        """Bids and asks as the text that was sent, as HTTP tells them."""
        return self._bids.texts(depth), self._asks.texts(depth)

    def checksum(self) -> int:
        """Of the best ten levels."""
        return book_checksum(*self.levels(LEVELS))

    def _drop(self, why: str) -> None:
        self.seq = None
        raise BookOutOfStep(f"{self.market}: {why}")


class _Side:
    """Levels by their price, the best at the end of the keys."""

    def __init__(self, *, best_is_high: bool) -> None:
        self._sign = 1 if best_is_high else -1
        self._keys: list[Decimal] = []
        self._levels: dict[Decimal, list[str]] = {}

    def clear(self) -> None:
        self._keys.clear()
        self._levels.clear()

    def put(self, levels: Sequence[Sequence[str]]) -> None:
        for price, quantity in levels:
            key = Decimal(price) * self._sign
            if Decimal(quantity):
                if key not in self._levels:
                    insort(self._keys, key)
                self._levels[key] = [price, quantity]
            elif self._levels.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]

    def texts(self, depth: int | None) -> list[list[str]]:
        best_first = self._keys[::-1] if depth is None else self._keys[: -depth - 1 : -1]
        return [self._levels[key] for key in best_first]
