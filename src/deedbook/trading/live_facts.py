"""The live events of orders and trades, written as JSON text at once: thousands a second, so no detours.

Every value is an id, a number as text, or a word of ours; nothing in here needs escaping (client order ids
follow a grammar of letters, digits, `-` and `_`). The envelope is the published one: `eventId` (type, uuid,
time), `eventType`, `timestamp`, `userId`, `orderId`, `tradingPairId`, `payload`.
"""

from datetime import datetime
from typing import NamedTuple

import uuid_utils

from deedbook.kernel.clock import to_wire
from deedbook.trading.spec import PairSpec

CREATED = "order.created"
OPEN = "order.open"
PARTIALLY_FILLED = "order.partially_filled"
FILLED = "order.filled"
REDUCED = "order.reduced"
CANCELLED = "order.cancelled"
EXECUTED = "trade.executed"
SETTLEMENT_PENDING = "trade.settlement_pending"
SETTLED = "trade.settled"
SETTLEMENT_FAILED = "trade.settlement_failed"


class Moment(NamedTuple):
    """When a batch happened, in the two forms that events carry."""

    text: str
    epoch_ms: int

    @classmethod
    def of(cls, moment: datetime) -> "Moment":
        return cls(to_wire(moment), int(moment.timestamp() * 1000))


def whose(user_id: object, order_id: object, pair_id: object) -> str:
    """The part of an envelope that all events of an order share."""
    return f'"userId":"{user_id}","orderId":"{order_id}","tradingPairId":"{pair_id}"'


def head(
    spec: PairSpec,
    order_id: object,
    *,
    buy: bool,
    kind: str,
    price_ticks: int,
    quantity: int,
    client_id: str,
) -> str:
    """The part of a payload that all events of an order share."""
    client = f'"{client_id}"' if client_id else "null"
    return (
        f'"orderId":"{order_id}","side":"{"BUY" if buy else "SELL"}","orderType":"{kind}",'
        f'"price":"{spec.price_text(price_ticks)}","quantity":"{spec.size_text(quantity)}","clientOrderId":{client}'
    )


def envelope(event_type: str, moment: Moment, whose_order: str, payload: str) -> str:
    """One event. `payload` is the inside of its JSON object."""
    return (
        f'{{"eventId":"{event_type}.{uuid_utils.uuid7()}.{moment.epoch_ms}","eventType":"{event_type}",'
        f'"timestamp":"{moment.text}",{whose_order},"payload":{{{payload}}}}}'
    )


def progress(spec: PairSpec, status: str, filled: int, filled_quote: int, remaining: int) -> str:
    """The part of a payload that says how far an order has come."""
    if not filled:
        left = spec.size_text(remaining)
        return (
            f'"status":"{status}","filledQuantity":"0","remainingQuantity":"{left}","averageFillPrice":null'
        )
    return (
        f'"status":"{status}","filledQuantity":"{spec.size_text(filled)}",'
        f'"remainingQuantity":"{spec.size_text(remaining)}",'
        f'"averageFillPrice":"{average_price(spec, filled, filled_quote)}"'
    )


def average_price(spec: PairSpec, filled: int, filled_quote: int) -> str:
    """What was paid per base token on average, rounded down at the 18th place."""
    # One tick more of price is `tick` more of scaled text and `unit_quote` more of quote per lot.
    return _scaled_text(filled_quote * spec.tick // (spec.unit_quote * filled))


def _scaled_text(scaled: int) -> str:
    whole, fraction = divmod(scaled, 10**18)
    return f"{whole}.{fraction:018d}".rstrip("0").rstrip(".")
