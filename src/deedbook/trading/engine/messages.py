"""What goes into the engine and what comes out. Prices are whole ticks, sizes whole lots."""

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deedbook.trading.engine.level import Level


class SelfTrade(IntEnum):
    """What happens when an order meets one of its own trade group. The taker's mode governs."""

    EXPIRE_TAKER = 0
    EXPIRE_MAKER = 1
    EXPIRE_BOTH = 2
    DECREMENT = 3


class Trailing(IntEnum):
    """In what a trailing stop keeps its distance from the best price since it came."""

    NONE = 0
    TICKS = 1
    BPS = 2


class Ended(IntEnum):
    """Why an order left the engine."""

    FILLED = 0
    CANCELLED = 1
    NOT_FILLED = 2
    """What an immediate order could not get at once."""
    NOT_FILLABLE = 3
    """A fill-or-kill order that could not be filled as a whole."""
    WOULD_TAKE = 4
    """A post-only order that would have taken."""
    SELF_TRADE = 5
    EXPIRED = 6
    PAUSED = 7
    """It came while the pair took no orders."""
    FROZEN = 8
    """Its owner may not trade any more."""
    CLOSED = 9
    """The pair has ended."""
    CROWDED = 10
    """Its owner has as many open orders on the pair as one may have."""
    TOO_LITTLE = 11
    """A swap for which the book does not have what it wants."""


class Order:
    """An order, from its command to its end: the engine changes `remaining`, `limit` never.

    `number` is unique in the pair and grows with intake; `group` is the trade group for self-trade
    prevention; `limit` is the worst price in ticks, for market orders too. A stop waits until the last trade
    is at `stop` or beyond; with `trailing` its `stop` follows the market at `distance` (ticks or basis points).
    """

    __slots__ = (
        "all_or_nothing",
        "buy",
        "distance",
        "group",
        "immediate",
        "level",
        "limit",
        "newer",
        "number",
        "older",
        "post_only",
        "remaining",
        "self_trade",
        "stop",
        "trailing",
        "waiting",
    )

    def __init__(
        self,
        number: int,
        group: int,
        buy: bool,
        limit: int,
        remaining: int,
        immediate: bool = False,
        all_or_nothing: bool = False,
        post_only: bool = False,
        self_trade: int = 0,
        stop: int = 0,
        trailing: int = 0,
        distance: int = 0,
    ) -> None:
        self.number = number
        self.group = group
        self.buy = buy
        self.limit = limit
        self.remaining = remaining
        self.immediate = immediate
        self.all_or_nothing = all_or_nothing
        self.post_only = post_only
        self.self_trade = self_trade
        self.stop = stop
        self.trailing = trailing
        self.distance = distance
        self.waiting = stop > 0 or trailing > 0
        self.level: Level | None = None
        self.older: Order | None = None
        self.newer: Order | None = None

    def __repr__(self) -> str:
        side = "buy" if self.buy else "sell"
        stop = f" stop {self.stop}" if self.waiting else ""
        return f"<{self.number}: {side} {self.remaining}@{self.limit}{stop} of {self.group}>"


class Outcome:
    """Base of what the engine says happened, in the order in which it happened."""

    __slots__ = ("order",)

    def __init__(self, order: Order) -> None:
        self.order = order

    def told(self) -> tuple[object, ...]:
        """As plain values: what two engines must agree on."""
        return (type(self).__name__, self.order.number)


class Opened(Outcome):
    """The order was accepted by the engine; its fills follow, if there are any."""

    __slots__ = ()


class Stopped(Outcome):
    """The stop's trigger price is now `stop`: at its coming, and whenever a trailing one moves."""

    __slots__ = ("stop",)

    def __init__(self, order: Order, stop: int) -> None:
        self.order = order
        self.stop = stop

    def told(self) -> tuple[object, ...]:
        return ("Stopped", self.order.number, self.stop)


class Triggered(Outcome):
    """The stop became an ordinary order and goes to market now."""

    __slots__ = ()


class Trade(Outcome):
    """`order` took `size` lots from `maker` at the maker's `price` in ticks; what remains of each is told too."""

    __slots__ = ("maker", "maker_remaining", "price", "remaining", "size")

    def __init__(
        self, order: Order, maker: Order, price: int, size: int, remaining: int, maker_remaining: int
    ) -> None:
        self.order = order
        self.maker = maker
        self.price = price
        self.size = size
        self.remaining = remaining
        self.maker_remaining = maker_remaining

    def told(self) -> tuple[object, ...]:
        return (
            "Trade",
            self.order.number,
            self.maker.number,
            self.price,
            self.size,
            self.remaining,
            self.maker_remaining,
        )


class Prevented(Outcome):
    """`order` met `maker` of its own group: this many lots did not trade and are given up by both (DECREMENT)."""

    __slots__ = ("maker", "size")

    def __init__(self, order: Order, maker: Order, size: int) -> None:
        self.order = order
        self.maker = maker
        self.size = size

    def told(self) -> tuple[object, ...]:
        return ("Prevented", self.order.number, self.maker.number, self.size)


class Reduced(Outcome):
    """Its owner gave up a part of the order: this remains, in its old place."""

    __slots__ = ("given_up", "remaining")

    def __init__(self, order: Order, given_up: int, remaining: int) -> None:
        self.order = order
        self.given_up = given_up
        self.remaining = remaining

    def told(self) -> tuple[object, ...]:
        return ("Reduced", self.order.number, self.given_up, self.remaining)


class Closed(Outcome):
    """The order is over. `given_up` lots were neither traded nor prevented."""

    __slots__ = ("given_up", "why")

    def __init__(self, order: Order, why: Ended, given_up: int) -> None:
        self.order = order
        self.why = why
        self.given_up = given_up

    def told(self) -> tuple[object, ...]:
        return ("Closed", self.order.number, int(self.why), self.given_up)
