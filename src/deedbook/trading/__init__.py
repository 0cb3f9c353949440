"""Trading: pairs, orders and trades."""

from deedbook.trading import errors, events, settled
from deedbook.trading.service import follow_market, open_bare_pair, open_pair
from deedbook.trading.terms import Pair, PairStatus, PairTerms

__all__ = [
    "Pair",
    "PairStatus",
    "PairTerms",
    "errors",
    "events",
    "follow_market",
    "open_bare_pair",
    "open_pair",
    "settled",
]
