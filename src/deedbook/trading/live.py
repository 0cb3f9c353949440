"""A living order as the matcher keeps it: the engine's order and what the books say of it."""

from datetime import datetime
from typing import Any

from deedbook.trading import live_facts
from deedbook.trading.engine import Order, SelfTrade, Trailing
from deedbook.trading.spec import PairSpec

_SELF_TRADE = {mode.name: int(mode) for mode in SelfTrade}
_TRAIL = {mode.name: int(mode) for mode in Trailing}


class LiveOrder(Order):
    """What execution writes back. `quantity`, `filled` and `left` in lots; money in base units. `left` is what
    remains as of the outcomes that were taken in, while the engine may be further. `touched` marks the batch that has
    changed it, `member` is its text in the Redis book, `whose` and `head` are the parts of its events that stay the
    same. Ids are text in here: they are only compared, looked up and written."""

    __slots__ = (
        "client_id",
        "created_at",
        "expires_at",
        "fee",
        "fee_bps",
        "filled",
        "filled_quote",
        "head",
        "held",
        "kind",
        "left",
        "match_seq",
        "member",
        "order_id",
        "priority",
        "quantity",
        "reason",
        "status",
        "touched",
        "user_id",
        "whose",
    )

    order_id: str
    user_id: str
    client_id: str
    kind: str
    created_at: datetime
    expires_at: datetime
    quantity: int
    left: int
    filled: int
    filled_quote: int
    fee: int
    fee_bps: int
    held: int
    status: str
    reason: str | None
    match_seq: int | None
    priority: int | None
    member: str
    whose: str
    head: str
    touched: int


def live_order(row: Any) -> LiveOrder:
    """An order as the matcher keeps it, from its row."""
    order = LiveOrder(
        row["order_number"],
        row["trade_group"].int,
        row["side"] == "BUY",
        row["price_ticks"],
        row["remaining_lots"],
        row["time_in_force"] in ("IOC", "FOK") or row["order_type"] in ("MARKET", "STOP_MARKET"),
        row["time_in_force"] == "FOK",
        row["post_only"],
        _SELF_TRADE[row["self_trade"]],
        row["stop_ticks"],
        _TRAIL[row["trail"]],
        row["trail_distance"],
    )
    order.waiting = not row["triggered"]
    order.order_id = row["order_id"]
    order.user_id = row["user_id"]
    order.client_id = row["client_order_id"] or ""
    order.kind = row["order_type"]
    order.created_at = row["created_at"]
    order.expires_at = row["expires_at"]
    order.quantity = row["quantity_lots"]
    order.left = row["remaining_lots"]
    order.filled = row["filled_lots"]
    order.filled_quote = int(row["filled_quote"])
    order.fee = int(row["fee_charged"])
    order.fee_bps = row["fee_bps"]
    order.held = int(row["held"])
    order.status = row["status"]
    order.reason = None
    order.match_seq = row["match_seq"]
    order.priority = row["priority"]
    order.member = ""
    order.whose = order.head = ""
    order.touched = 0
    return order


def introduce(spec: PairSpec, order: LiveOrder) -> None:
    """Write the parts of its events that stay the same: at the first event, since most of a rebuilt book has none."""
    order.whose = live_facts.whose(order.user_id, order.order_id, spec.pair_text)
    order.head = live_facts.head(
        spec,
        order.order_id,
        buy=order.buy,
        kind=order.kind,
        price_ticks=order.limit,
        quantity=order.quantity,
        client_id=order.client_id,
    )
