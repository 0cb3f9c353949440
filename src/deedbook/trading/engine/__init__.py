"""The engine: a pair's book as a pure function of its commands. Whole numbers in, outcomes out.

No await, clock, log, database or randomness in here: the same commands give the same outcomes, trade for
trade, on any machine and in any year.
"""

from deedbook.trading.engine.book import Book
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
    Trailing,
    Triggered,
)

__all__ = [
    "Book",
    "Closed",
    "Ended",
    "Opened",
    "Order",
    "Outcome",
    "Prevented",
    "Reduced",
    "SelfTrade",
    "Stopped",
    "Trade",
    "Trailing",
    "Triggered",
]
