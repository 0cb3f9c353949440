"""What is said of live events of orders and trades. Pure, and quick to pass over what nobody is told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from deedbook.kernel.ids import UserId
from deedbook.notifications.model import Notice, OrderNotice
from deedbook.notifications.terms import Kind
from deedbook.trading import live_facts

_TOLD = (
    live_facts.PARTIALLY_FILLED,
    live_facts.FILLED,
    live_facts.CANCELLED,
    live_facts.SETTLED,
    live_facts.SETTLEMENT_FAILED,
)
_BEGINNINGS = tuple(f'{{"eventId":"{event_type}.' for event_type in _TOLD)
_ORDER_DETAILS = (
    ("orderType", "Type"),
    ("quantity", "Quantity"),
    ("price", "Price"),
    ("filledQuantity", "Filled"),
    ("averageFillPrice", "Average price"),
    ("remainingQuantity", "Left"),
    ("reason", "Reason"),
)
_TRADE_DETAILS = (
    ("quantity", "Quantity"),
    ("price", "Price"),
    ("quoteAmount", "Value"),
    ("txHash", "Transaction"),
    ("reason", "Reason"),
)


def read(lines: Sequence[str]) -> list[dict[str, Any]]:
    """The events of which somebody is told. They begin with their type, so that the others need not be parsed."""
    return [orjson.loads(line) for line in lines if line.startswith(_BEGINNINGS)]


def notices(events: Sequence[dict[str, Any]], symbols: Mapping[str, str]) -> list[OrderNotice]:
    """What is told of these events; `symbols` are those of their pairs."""
    return [
        OrderNotice(
            user_id=UserId(UUID(event["userId"])),
            kind=_kind(event["eventType"], event["payload"]),
            order_id=UUID(event["orderId"]),
            pair_id=UUID(event["tradingPairId"]),
            symbol=symbols[event["tradingPairId"]],
            occurred_at=datetime.fromisoformat(event["timestamp"]),
            event=event,
        )
        for event in events
    ]


def worded(entry: OrderNotice) -> Notice:
    """The same in words."""
    event, kind, pair = entry.event, entry.kind, entry.symbol
    payload = event["payload"]
    of_trade = event["eventType"].startswith("trade.")
    return Notice(
        user_id=entry.user_id,
        kind=kind,
        source=event["eventId"],
        subject_type="order",
        subject_id=entry.order_id,
        title=_title(kind, payload, pair),
        body=_body(kind, payload, pair),
        details=(
            ("Pair", pair),
            ("Side", payload["side"]),
            *_details(payload, _TRADE_DETAILS if of_trade else _ORDER_DETAILS),
            *((("Trade", payload["tradeId"]),) if of_trade else ()),
            ("Order", event["orderId"]),
        ),
        data={"tradingPairId": event["tradingPairId"], "pair": pair, **payload},
        occurred_at=entry.occurred_at,
    )


def _details(payload: dict[str, Any], wanted: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(label, str(payload[name])) for name, label in wanted if payload.get(name)]


def _kind(event_type: str, payload: dict[str, Any]) -> Kind:
    if event_type != live_facts.CANCELLED:
        return Kind(event_type)
    if payload["status"] == "REJECTED":
        return Kind.ORDER_REJECTED
    return Kind.ORDER_EXPIRED if payload.get("reason") == "expired" else Kind.ORDER_CANCELLED


_WORDS = {
    Kind.ORDER_FILLED: "filled",
    Kind.ORDER_PARTIALLY_FILLED: "partly filled",
    Kind.ORDER_CANCELLED: "cancelled",
    Kind.ORDER_REJECTED: "rejected",
    Kind.ORDER_EXPIRED: "expired",
    Kind.TRADE_SETTLED: "settled",
    Kind.TRADE_SETTLEMENT_FAILED: "undone",
}


def _title(kind: Kind, payload: dict[str, Any], pair: str) -> str:
    what = "Trade" if kind in (Kind.TRADE_SETTLED, Kind.TRADE_SETTLEMENT_FAILED) else "Order"
    return f"{what} {_WORDS[kind]}: {payload['side']} {payload['quantity']} on {pair}"


def _body(kind: Kind, payload: dict[str, Any], pair: str) -> str:
    base, _, quote = pair.rpartition("-")
    done = f"{payload.get('filledQuantity')} of {payload['quantity']} {base}"
    match kind:
        case Kind.ORDER_FILLED | Kind.ORDER_PARTIALLY_FILLED:
            return f"{done} are traded, at {payload['averageFillPrice']} {quote} on average."
        case Kind.TRADE_SETTLED:
            return f"{payload['quantity']} {base} were delivered against {payload['quoteAmount']} {quote}."
        case Kind.TRADE_SETTLEMENT_FAILED:
            return (
                "It cannot be delivered. New entries in your ledger have given both sides back what it took."
            )
        case _:
            return f"{done} were traded before it ended."
