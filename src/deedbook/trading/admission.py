"""May this order come in, and as what? Pure: text as it was signed in, whole numbers out, or a refusal.

Checks come in one order, so that the same bad order always gets the same answer.
"""

import re
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from deedbook.kernel.amounts import MalformedAmount
from deedbook.kernel.errors import FieldError, Refusal
from deedbook.kernel.ids import TokenId, UserId
from deedbook.trading.engine import Order, SelfTrade, Trailing
from deedbook.trading.engine.stops import trailed
from deedbook.trading.errors import NoPriceYet, OrderFilter, PairClosed, PairCongested, PairPaused
from deedbook.trading.spec import BPS, PairSpec, hold_for, whole
from deedbook.trading.terms import OrderId, OrderType, PairStatus, Side, TimeInForce

CLIENT_ID_PATTERN = r"^[A-Za-z0-9_-]{0,64}$"
STOP_PATTERN = r"^(|(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?|trail:[1-9][0-9]{0,8}(bps)?)$"
MAX_TICKS = 10**15
_TRAIL = re.compile(r"trail:([1-9][0-9]{0,8})(bps)?")


class OrderText(NamedTuple):
    """An order in the words that were signed. Empty text stands for what was left out."""

    trader: str
    pair: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    post_only: bool
    self_trade: SelfTrade
    quantity: str
    price: str
    stop_price: str
    max_fee_bps: int
    client_order_id: str
    nonce: str
    expiry: int

    def values(self) -> dict[str, Any]:
        """As the fields of the signed struct, in their order."""
        return {
            "trader": self.trader,
            "tradingPairId": self.pair,
            "side": self.side,
            "orderType": self.order_type,
            "timeInForce": self.time_in_force,
            "postOnly": self.post_only,
            "selfTrade": self.self_trade.name,
            "quantity": self.quantity,
            "price": self.price,
            "stopPrice": self.stop_price,
            "maxFeeBps": self.max_fee_bps,
            "clientOrderId": self.client_order_id,
            "nonce": self.nonce,
            "expiry": self.expiry,
        }


class Quotes(NamedTuple):
    """What the pair's book shows: best prices and the last one, in ticks; 0 where there is none."""

    best_bid: int
    best_ask: int
    last: int


class Terms(NamedTuple):
    """An order in whole numbers. `price_ticks` is the worst price, for market orders too."""

    quantity_lots: int
    price_ticks: int
    stop_ticks: int
    trailing: Trailing
    distance: int
    hold_token_id: TokenId
    hold_units: int


class Admitted(NamedTuple):
    """An order that may come in: what intake writes, all at once or nothing. With it, the order that it `replaces`
    is asked to end."""

    order_id: OrderId
    user_id: UserId
    spec: PairSpec
    text: OrderText
    terms: Terms
    digest: bytes
    signature: bytes
    expires_at: datetime
    created_at: datetime
    idempotency_key: str | None
    fingerprint: bytes | None
    answer: bytes
    fact: str
    replaces: OrderId | None = None

    @property
    def id(self) -> UUID:
        return self.order_id


def judge(text: OrderText, spec: PairSpec, quotes: Quotes) -> Terms:
    """The order in whole numbers.

    Raises:
        PairPaused · PairClosed · PairCongested: the pair takes no orders.
        OrderFilter: names the filter, and the field.
        NoPriceYet: a market order, and nothing to protect it by.
    """
    require_open(spec)
    lots = lots_of(text.quantity, spec, "quantity")
    if lots < spec.min_quantity_lots:
        raise _filter("quantity", "min_quantity", f"at least {spec.size_text(spec.min_quantity_lots)}")
    if lots > spec.max_quantity_lots:
        raise _filter("quantity", "max_quantity", f"at most {spec.size_text(spec.max_quantity_lots)}")
    if text.max_fee_bps < spec.fee_bps:
        raise _filter("maxFeeBps", "fee_cap", f"this pair's fee is {spec.fee_bps} basis points")
    _require_possible(text)
    stop, trailing, distance = _stop(text, spec, quotes)
    price = _worst_price(text, spec, quotes, stop)
    if spec.notional(price, lots) < spec.min_notional:
        raise _filter("quantity", "min_notional", f"at least {spec.quote_text(spec.min_notional)} in value")
    buy = text.side is Side.BUY
    return Terms(
        quantity_lots=lots,
        price_ticks=price,
        stop_ticks=stop if trailing is Trailing.NONE else 0,
        trailing=trailing,
        distance=distance,
        hold_token_id=spec.quote_token_id if buy else spec.base_token_id,
        hold_units=hold_for(spec, buy=buy, price_ticks=price, lots=lots, fee_bps=spec.fee_bps),
    )


def require_open(spec: PairSpec) -> None:
    """Make sure that the pair takes orders.

    Raises:
        PairPaused · PairClosed · PairCongested: it does not.
    """
    if spec.status is PairStatus.PAUSED:
        raise PairPaused("the market is paused; open orders can be cancelled")
    if spec.status is PairStatus.CLOSED:
        raise PairClosed("this pair has ended")
    if spec.congested:
        raise PairCongested("open orders can be cancelled; new ones are taken once the chain has caught up")


def _require_possible(text: OrderText) -> None:
    if text.post_only and (
        text.order_type.is_market or text.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)
    ):
        raise _filter("postOnly", "post_only", "an order that only rests cannot be immediate")
    if text.order_type.is_stop and not text.stop_price:
        raise _filter("stopPrice", "stop_price", "a stop order has a stop price")
    if not text.order_type.is_stop and text.stop_price:
        raise _filter("stopPrice", "stop_price", "only stop orders have a stop price")
    if not text.order_type.is_market and not text.price:
        raise _filter("price", "price", "a limit order has a price")


def _stop(text: OrderText, spec: PairSpec, quotes: Quotes) -> tuple[int, Trailing, int]:
    """The trigger in ticks, and how it trails. The trigger of a trailing stop is where it stands today."""
    if not text.stop_price:
        return 0, Trailing.NONE, 0
    match = _TRAIL.fullmatch(text.stop_price)
    if match is None:
        ticks = _steps(text.stop_price, spec.tick, "stopPrice", "tick", spec.price_text(1))
        return ticks, Trailing.NONE, 0
    trailing, distance = Trailing.BPS if match[2] else Trailing.TICKS, int(match[1])
    if trailing is Trailing.BPS and distance >= BPS:
        raise _filter("stopPrice", "trailing", "less than 10000 basis points")
    if not quotes.last:
        raise NoPriceYet("there was no trade yet that a stop could trail")
    shown = Order(0, 0, text.side is Side.BUY, 0, 0, trailing=int(trailing), distance=distance)
    return trailed(shown, quotes.last), trailing, distance


def _worst_price(text: OrderText, spec: PairSpec, quotes: Quotes, stop: int) -> int:
    """The price that was signed; for a market order without one, the pair's protection band around what it
    would meet (rounded towards the taker's safety), beyond which it never trades."""
    if text.price:
        return _steps(text.price, spec.tick, "price", "tick", spec.price_text(1))
    buy = text.side is Side.BUY
    reference = stop or (quotes.best_ask if buy else quotes.best_bid)
    if not reference:
        raise NoPriceYet("nobody is on the other side of the book; set a price")
    if buy:
        return min(reference * (BPS + spec.protection_bps) // BPS, MAX_TICKS)
    return max(-(-reference * (BPS - spec.protection_bps) // BPS), 1)


def lots_of(text: str, spec: PairSpec, field: str) -> int:
    """A quantity in lots.

    Raises:
        OrderFilter: it is no whole number of them.
    """
    return _steps(text, spec.lot, field, "lot", spec.size_text(1))


def _steps(text: str, step: int, field: str, name: str, size: str) -> int:
    try:
        count = whole(text, step)
    except MalformedAmount as problem:
        raise _filter(field, "amount", str(problem)) from None
    if count is None:
        raise _filter(field, name, f"a multiple of {size}")
    if not 0 < count <= MAX_TICKS:
        raise _filter(field, "range", "out of range")
    return count


def _filter(field: str, name: str, detail: str) -> Refusal:
    return OrderFilter(f"{field}: {detail}", errors=(FieldError(f"/{field}", name, detail),))
