"""Refusals of this room.

Refusal
├─ PairNotFound        no such pair
├─ PairNotWhole        tick × lot would be a fraction of the quote token's smallest unit
├─ PairExists          two tokens have one pair, and what has ended does not begin again
├─ PairFollowsMarket   its market is paused, resumed or archived instead
├─ TokenNotTradable    absent, not active, or a market's own, which has its pair
├─ PairPaused · PairClosed · PairCongested · OrderFilter · NoPriceYet  why an order is not let in
├─ DuplicateOrder · ClientOrderIdUsed · OrderNotFound · OrderOver    what became of it before
├─ SwapNotFound        absent, or another's
└─ Fenced · BookOutdated · EligibilityChanged · HoldingsExceeded     why a batch was not written
"""

from deedbook.kernel.errors import Kind, Refusal


class PairNotFound(Refusal):
    code, kind, title = "pair_not_found", Kind.ABSENT, "There is no such trading pair"


class PairNotWhole(Refusal):
    code, kind, title = "pair_not_whole", Kind.INVALID, "Tick and lot do not give whole quote units"


class PairExists(Refusal):
    code, kind, title = "pair_exists", Kind.CONFLICT, "There is such a pair already, or it has ended"


class PairFollowsMarket(Refusal):
    code, kind, title = "pair_follows_market", Kind.CONFLICT, "The pair's status is its market's"


class TokenNotTradable(Refusal):
    code, kind, title = "token_not_tradable", Kind.INVALID, "No pair can be made of this token"


class Fenced(Refusal):
    code, kind, title = "writer_fenced", Kind.CONFLICT, "Another process matches this pair now"


class BookOutdated(Refusal):
    code, kind, title = "book_outdated", Kind.CONFLICT, "The book in memory is not what is stored"


class EligibilityChanged(Refusal):
    """`detail` is the user concerned, or empty when the token's rules changed."""

    code, kind, title = "eligibility_changed", Kind.CONFLICT, "Compliance has decided something meanwhile"


class HoldingsExceeded(Refusal):
    """`detail` is the buyer who would hold too much, or be one holder too many."""

    code, kind, title = "holdings_exceeded", Kind.CONFLICT, "The token's limits on holdings do not allow this"


class PairPaused(Refusal):
    code, kind, title = "pair_paused", Kind.CLOSED, "This pair takes no orders now"


class PairClosed(Refusal):
    code, kind, title = "pair_closed", Kind.CLOSED, "This pair has ended"


class PairCongested(Refusal):
    code, kind, title = "pair_congested", Kind.CLOSED, "Too many trades of this pair wait to be settled"


class OrderFilter(Refusal):
    """`errors[0].code` names the filter: tick, lot, min_quantity, max_quantity, min_notional, fee_cap …"""

    code, kind, title = "order_filter", Kind.INVALID, "The order does not pass the pair's filters"


class NoPriceYet(Refusal):
    code, kind, title = "no_price_yet", Kind.INVALID, "There is no price to protect this order by"


class DuplicateOrder(Refusal):
    code, kind, title = "duplicate_order", Kind.CONFLICT, "This order was accepted before"


class ClientOrderIdUsed(Refusal):
    code, kind, title = "client_order_id_used", Kind.CONFLICT, "This client order id was used before"


class OrderNotFound(Refusal):
    code, kind, title = "order_not_found", Kind.ABSENT, "There is no such order"


class OrderOver(Refusal):
    code, kind, title = "order_over", Kind.CONFLICT, "The order is over"


class SwapNotFound(Refusal):
    code, kind, title = "swap_not_found", Kind.ABSENT, "There is no such swap"
