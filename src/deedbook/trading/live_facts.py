"""The live events of orders and trades, written as JSON text at once: thousands a second, so no detours.

Every value is an id, a number as text, or a word of ours; nothing in here needs escaping (client order ids
follow a grammar of letters, digits, `-` and `_`). The envelope is the published one: `eventId` (type, uuid,
time), `eventType`, `timestamp`, `userId`, `orderId`, `tradingPairId`, `payload`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import uuid_utils

from deedbook.kernel.clock import to_wire
from deedbook.trading.spec import PairSpec

CREATED = "order.created"
OPEN = "order.open"
PARTIALLY_FILLED = "order.partially_filled"
FILLED = "order.filled"
CANCELLED = "order.cancelled"
EXECUTED = "trade.executed"
SETTLEMENT_PENDING = "trade.settlement_pending"


@dataclass(frozen=True)
class Moment:
    """When a batch happened, in the two forms that events carry."""

    text: str
    epoch_ms: int

    @classmethod
    def of(cls, moment: datetime) -> "Moment":
        return cls(to_wire(moment), int(moment.timestamp() * 1000))


def envelope(
    event_type: str, moment: Moment, user_id: UUID, order_id: UUID, pair_id: UUID, payload: str
) -> str:
    """One event. `payload` is the inside of its JSON object."""
    return (
        f'{{"eventId":"{event_type}.{uuid_utils.uuid7()}.{moment.epoch_ms}","eventType":"{event_type}",'
        f'"timestamp":"{moment.text}","userId":"{user_id}","orderId":"{order_id}","tradingPairId":"{pair_id}",'
        f'"payload":{{{payload}}}}}'
    )


def order_payload(
    spec: PairSpec,
    order_id: UUID,
    *,
    status: str,
    buy: bool,
    kind: str,
    price_ticks: int,
    quantity: int,
    filled: int,
    filled_quote: int,
    remaining: int,
    client_id: str,
    more: str = "",
) -> str:
    """What all events of an order say of it."""
    average = f'"{average_price(spec, filled, filled_quote)}"' if filled else "null"
    client = f'"{client_id}"' if client_id else "null"
    return (
        f'"orderId":"{order_id}","status":"{status}","side":"{"BUY" if buy else "SELL"}","orderType":"{kind}",'
        f'"price":"{spec.price_text(price_ticks)}","quantity":"{spec.size_text(quantity)}",'
        f'"filledQuantity":"{spec.size_text(filled)}","remainingQuantity":"{spec.size_text(remaining)}",'
        f'"averageFillPrice":{average},"clientOrderId":{client}{more}'
    )


def average_price(spec: PairSpec, filled: int, filled_quote: int) -> str:
    """What was paid per base token on average, rounded down at the 18th place."""
    # One tick more of price is `tick` more of scaled text and `unit_quote` more of quote per lot.
    return _scaled_text(filled_quote * spec.tick // (spec.unit_quote * filled))


def _scaled_text(scaled: int) -> str:
    whole, fraction = divmod(scaled, 10**18)
    return f"{whole}.{fraction:018d}".rstrip("0").rstrip(".")
