"""One price level: its orders from the oldest to the newest, linked through the orders themselves.

Joining at the end and leaving from anywhere cost the same however many stand there.
"""

from deedbook.trading.engine.messages import Order


class Level:
    """The orders at one key of one side. `total` is what they offer together, in lots."""

    __slots__ = ("key", "newest", "oldest", "total")

    def __init__(self, key: int) -> None:
        self.key = key
        self.oldest: Order | None = None
        self.newest: Order | None = None
        self.total = 0

    def join(self, order: Order) -> None:
        """Stand at the end of the queue."""
        newest = self.newest
        order.level = self
        order.older = newest
        order.newer = None
        if newest is None:
            self.oldest = order
        else:
            newest.newer = order
        self.newest = order
        self.total += order.remaining

    def leave(self, order: Order) -> None:
        """Leave the queue from wherever the order stands, with what remains of it."""
        older, newer = order.older, order.newer
        if older is None:
            self.oldest = newer
        else:
            older.newer = newer
        if newer is None:
            self.newest = older
        else:
            newer.older = older
        order.level = order.older = order.newer = None
        self.total -= order.remaining
