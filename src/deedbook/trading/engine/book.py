"""The book of one pair: price, then time. Every command is carried out whole before the next.

A level's key is its price for bids and minus its price for asks, and keys are sorted with the best at the
end: what is better is greater on both sides, so one loop serves both.
"""

import hashlib
from bisect import bisect_left, insort
from collections.abc import Iterator

from deedbook.trading.engine.level import Level
from deedbook.trading.engine.messages import (
    Closed,
    Ended,
    Opened,
    Order,
    Outcome,
    Prevented,
    Reduced,
    SelfTrade,
    Stopped,
    Trade,
    Triggered,
)
from deedbook.trading.engine.stops import Stops, trailed

_EXPIRE_TAKER = int(SelfTrade.EXPIRE_TAKER)
_EXPIRE_MAKER = int(SelfTrade.EXPIRE_MAKER)
_EXPIRE_BOTH = int(SelfTrade.EXPIRE_BOTH)


class Book:
    """Resting orders, waiting stops and the last price. `outcomes` collects what happens; who drives the book
    takes it away."""

    __slots__ = ("_asks", "_bids", "_orders", "_stops", "accepting", "last", "outcomes")

    def __init__(self, last: int = 0) -> None:
        self._bids = _Side()
        self._asks = _Side()
        self._orders: dict[int, Order] = {}
        self._stops = Stops()
        self.last = last
        self.accepting = True
        self.outcomes: list[Outcome] = []

    # Commands

    def submit(self, order: Order) -> None:
        """A new order: it takes what it can at once; what remains rests, waits or ends as its terms say."""
        if not self.accepting:
            self.refuse(order, Ended.PAUSED)
            return
        self.outcomes.append(Opened(order))
        if order.waiting:
            self._wait(order)
            self._trigger([self.last] if self.last else [])
        elif self._stops.by_number:
            self._trigger(self._traded_at(order))
        else:
            self._go_to_market(order)

    def refuse(self, order: Order, why: Ended) -> None:
        """A new order that is not let in: it is over before it began."""
        self.outcomes.append(Closed(order, why, order.remaining))

    def cancel(self, number: int, why: Ended = Ended.CANCELLED) -> bool:
        """Take an order out; `False` when it is over already."""
        order = self._orders.get(number)
        if order is not None:
            self._close_resting(order, why)
            return True
        order = self._stops.by_number.get(number)
        if order is None:
            return False
        self._stops.remove(order)
        self.outcomes.append(Closed(order, why, order.remaining))
        return True

    def reduce(self, number: int, remaining: int) -> bool:
        """Leave less of an order, in its place; `False` when no more than that remains anyway."""
        order = self._orders.get(number) or self._stops.by_number.get(number)
        if order is None or remaining >= order.remaining:
            return False
        if remaining <= 0:
            return self.cancel(number)
        given_up = order.remaining - remaining
        order.remaining = remaining
        if order.level is not None:
            order.level.total -= given_up
        self.outcomes.append(Reduced(order, given_up, remaining))
        return True

    def restore(self, order: Order) -> None:
        """Put an order back as it stood, while a book is rebuilt in the order of priority."""
        if order.waiting:
            self._stops.add(order)
        else:
            self._rest(order)

    # Questions

    def order(self, number: int) -> Order | None:
        """A living order."""
        return self._orders.get(number) or self._stops.by_number.get(number)

    def __len__(self) -> int:
        return len(self._orders) + len(self._stops.by_number)

    def best(self, *, buy: bool) -> int | None:
        """The best price of a side, in ticks."""
        keys = (self._bids if buy else self._asks).keys
        return abs(keys[-1]) if keys else None

    def depth(self, *, buy: bool, limit: int) -> list[tuple[int, int]]:
        """The best levels of a side: price in ticks, total in lots."""
        side = self._bids if buy else self._asks
        return [(abs(key), side.levels[key].total) for key in side.keys[: -limit - 1 : -1]]

    def total(self, price: int, *, buy: bool) -> int:
        """What is offered at one price of a side, in lots; 0 where nothing is."""
        level = self._bids.levels.get(price) if buy else self._asks.levels.get(-price)
        return level.total if level is not None else 0

    def resting(self, *, buy: bool) -> Iterator[Order]:
        """The orders of a side in the order in which they would trade."""
        side = self._bids if buy else self._asks
        for key in reversed(side.keys):
            order = side.levels[key].oldest
            while order is not None:
                yield order
                order = order.newer

    def waiting(self) -> list[Order]:
        """The stops that wait, oldest first."""
        return sorted(self._stops.by_number.values(), key=lambda order: order.number)

    def state_hash(self) -> str:
        """What two books that went through the same commands have in common, however they came to it."""
        told = hashlib.sha256(f"{self.last} {self.accepting:d}".encode())
        for buy in (True, False):
            for order in self.resting(buy=buy):
                told.update(_written(order))
        for order in self.waiting():
            told.update(_written(order))
        return told.hexdigest()

    # Matching

    def _go_to_market(self, order: Order) -> None:
        if order.buy:
            other, floor = self._asks, -order.limit
        else:
            other, floor = self._bids, order.limit
        keys = other.keys
        if keys and keys[-1] >= floor:
            if order.post_only:
                self.outcomes.append(Closed(order, Ended.WOULD_TAKE, order.remaining))
                return
            if order.all_or_nothing and not _fillable(order, other, floor):
                self.outcomes.append(Closed(order, Ended.NOT_FILLABLE, order.remaining))
                return
            if self._take(order, other, floor):
                return
        if order.all_or_nothing:
            self.outcomes.append(Closed(order, Ended.NOT_FILLABLE, order.remaining))
        elif order.immediate:
            self.outcomes.append(Closed(order, Ended.NOT_FILLED, order.remaining))
        else:
            self._rest(order)

    def _take(self, order: Order, other: "_Side", floor: int) -> bool:
        """Trade while the other side crosses; `True` when the order is over."""
        keys, levels, orders, outcomes = other.keys, other.levels, self._orders, self.outcomes
        remaining, group = order.remaining, order.group
        while keys and keys[-1] >= floor:
            key = keys[-1]
            level = levels[key]
            price = key if key > 0 else -key
            maker = level.oldest
            while maker is not None:
                if maker.group == group:
                    order.remaining = remaining
                    if self._prevent(order, maker):
                        other.drop_if_empty(level)
                        return True
                    remaining = order.remaining
                    maker = level.oldest
                    continue
                offered = maker.remaining
                size = offered if offered < remaining else remaining
                remaining -= size
                left = offered - size
                self.last = price
                outcomes.append(Trade(order, maker, price, size, remaining, left))
                if left:
                    maker.remaining = left
                    level.total -= size
                    order.remaining = 0
                    outcomes.append(Closed(order, Ended.FILLED, 0))
                    return True
                newer = maker.newer
                level.leave(maker)
                maker.remaining = 0
                del orders[maker.number]
                outcomes.append(Closed(maker, Ended.FILLED, 0))
                maker = newer
                if not remaining:
                    order.remaining = 0
                    outcomes.append(Closed(order, Ended.FILLED, 0))
                    if maker is None:
                        keys.pop()
                        del levels[key]
                    return True
            keys.pop()
            del levels[key]
        order.remaining = remaining
        return False

    def _prevent(self, order: Order, maker: Order) -> bool:
        """The order has met one of its own group; `True` when it is over by that."""
        mode = order.self_trade
        if mode == _EXPIRE_TAKER:
            self.outcomes.append(Closed(order, Ended.SELF_TRADE, order.remaining))
            return True
        if mode == _EXPIRE_MAKER:
            self._drop(maker, Ended.SELF_TRADE)
            return False
        if mode == _EXPIRE_BOTH:
            self._drop(maker, Ended.SELF_TRADE)
            self.outcomes.append(Closed(order, Ended.SELF_TRADE, order.remaining))
            return True
        size = min(order.remaining, maker.remaining)
        self.outcomes.append(Prevented(order, maker, size))
        assert maker.level is not None, "what is met rests"
        maker.level.total -= size
        maker.remaining -= size
        order.remaining -= size
        if not maker.remaining:
            self._drop(maker, Ended.SELF_TRADE)
        if not order.remaining:
            self.outcomes.append(Closed(order, Ended.SELF_TRADE, 0))
            return True
        return False

    def _rest(self, order: Order) -> None:
        if order.buy:
            self._bids.add(order, order.limit)
        else:
            self._asks.add(order, -order.limit)
        self._orders[order.number] = order

    def _close_resting(self, order: Order, why: Ended) -> None:
        level = order.level
        assert level is not None, "what rests has a level"
        self._drop(order, why)
        (self._bids if order.buy else self._asks).drop_if_empty(level)

    def _drop(self, order: Order, why: Ended) -> None:
        """Take a resting order out of its level, which may be empty afterwards."""
        assert order.level is not None, "what rests has a level"
        order.level.leave(order)
        del self._orders[order.number]
        self.outcomes.append(Closed(order, why, order.remaining))

    # Stops

    def _wait(self, order: Order) -> None:
        if order.trailing and self.last:
            order.stop = trailed(order, self.last)
        self._stops.add(order)
        self.outcomes.append(Stopped(order, order.stop))

    def _traded_at(self, order: Order) -> list[int]:
        """Send an order to market; the first and the last price at which it has traded. From the one to the other
        prices only go one way, so that no stop looks at what lies between."""
        begin = len(self.outcomes)
        self._go_to_market(order)
        for place in range(begin, len(self.outcomes)):
            outcome = self.outcomes[place]
            if isinstance(outcome, Trade):
                return [outcome.price] if outcome.price == self.last else [outcome.price, self.last]
        return []

    def _trigger(self, prices: list[int]) -> None:
        """Send to market what trades at these prices, one after the other, have triggered, and what that triggers in
        turn. It ends: each stop is triggered once."""
        while prices:
            triggered: list[Order] = []
            for price in prices:
                for order in self._stops.follow(price):
                    self.outcomes.append(Stopped(order, order.stop))
                triggered += self._stops.triggered_by(price)
            prices = []
            for order in triggered:
                order.waiting = False
                self.outcomes.append(Triggered(order))
                prices += self._traded_at(order)


class _Side:
    """The levels of one side by key, and their keys in order, the best at the end."""

    __slots__ = ("keys", "levels")

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.levels: dict[int, Level] = {}

    def add(self, order: Order, key: int) -> None:
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = Level(key)
            insort(self.keys, key)
        level.join(order)

    def drop_if_empty(self, level: Level) -> None:
        if level.oldest is None:
            del self.levels[level.key]
            del self.keys[bisect_left(self.keys, level.key)]


def _fillable(order: Order, other: _Side, floor: int) -> bool:
    """Whether an order could be filled as a whole right now, its own group's orders considered. Changes nothing."""
    missing = order.remaining
    for key in reversed(other.keys):
        if key < floor:
            return False
        maker = other.levels[key].oldest
        while maker is not None:
            if maker.group != order.group:
                missing -= maker.remaining
                if missing <= 0:
                    return True
            elif order.self_trade != _EXPIRE_MAKER:
                return False
            maker = maker.newer
    return False


def _written(order: Order) -> bytes:
    terms = (order.number, order.group, order.buy, order.limit, order.remaining, order.self_trade)
    stop = (order.stop, order.trailing, order.distance) if order.waiting else ()
    return repr((*map(int, terms), *stop)).encode()
