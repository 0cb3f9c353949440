"""Orders as screens and programs see them: in the very words of the answer that an accepted order gets."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from deedbook.infra.database import Database, Tx
from deedbook.kernel.clock import to_wire
from deedbook.kernel.ids import PairId, UserId
from deedbook.trading import live_facts
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import FINAL, OrderStatus, OrderType

# What was signed is kept until its expiry has passed, at least; the order itself for ever.
_ORDER = """
    SELECT o.order_id, o.order_number, o.pair_id, o.user_id, o.side, o.order_type, o.time_in_force, o.post_only,
           o.self_trade, o.quantity_lots, o.price_ticks, o.stop_ticks, o.trail, o.trail_distance, o.max_fee_bps,
           o.client_order_id, o.nonce, o.expires_at, o.status, o.reason, o.triggered, o.remaining_lots, o.filled_lots,
           o.filled_quote, o.fee_charged, o.created_at,
           CASE WHEN o.match_seq IS NULL THEN o.created_at ELSE greatest(o.created_at, o.updated_at) END AS updated_at,
           u.account, a.signed_text, a.digest
    FROM orders o JOIN users u USING (user_id)
    LEFT JOIN signed_actions a ON (a.account, a.nonce, a.action_id) = (u.account, o.nonce, o.order_id)
"""
# What carries a swap out is looked at as the swap that it is.
_NO_SWAP = "o.order_type <> 'SWAP'"


async def rows_of(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """These orders by their ids, for `shown`."""
    rows = await tx.fetch(f"{_ORDER} WHERE o.order_id = ANY($1) AND {_NO_SWAP}", order_ids)
    return {row["order_id"]: dict(row) for row in rows}


async def order(db: Database, order_id: UUID) -> dict[str, Any] | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(
            _ORDER + " WHERE o.order_id = $1 AND o.order_type <> 'SWAP'", order_id
        )
    return dict(row) if row else None


async def order_of_client_id(db: Database, user_id: UserId, client_id: str) -> dict[str, Any] | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(
            _ORDER + " WHERE o.user_id = $1 AND o.client_order_id = $2", user_id, client_id
        )
    return dict(row) if row else None


async def signed_of(db: Database, order_ids: Sequence[UUID]) -> dict[UUID, tuple[str, dict[str, Any], str]]:
    """What was signed for these orders, where it is still kept: the name of its type, its text and its hash."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT o.order_id, a.action, a.signed_text, a.digest FROM orders o JOIN users u USING (user_id)
            JOIN signed_actions a ON (a.account, a.nonce, a.action_id) = (u.account, o.nonce, o.order_id)
            WHERE o.order_id = ANY ($1)
            """,
            order_ids,
        )
    return {
        row["order_id"]: (row["action"], row["signed_text"], "0x" + bytes(row["digest"]).hex())
        for row in rows
    }


async def orders_of(
    db: Database,
    user_id: UserId,
    *,
    status: OrderStatus | None,
    pair_id: PairId | None,
    before: int | None,
    limit: int,
) -> list[dict[str, Any]]:
    """A user's orders, newest first."""
    # Those that live are few, and have an index of their own: they are not looked for among all that ever were.
    living = " AND o.living" if status is not None and status not in FINAL else ""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""{_ORDER}
            WHERE o.user_id = $1 AND {_NO_SWAP} AND ($2::text IS NULL OR o.status = $2)
              AND ($3::uuid IS NULL OR o.pair_id = $3)
              AND ($4::bigint IS NULL OR o.order_number < $4){living}
            ORDER BY o.order_number DESC LIMIT $5
            """,
            user_id,
            status.value if status else None,
            pair_id,
            before,
            limit,
        )
    return [dict(row) for row in rows]


def shown(row: dict[str, Any], spec: PairSpec) -> dict[str, Any]:
    """An order in the words of the API."""
    signed = row["signed_text"] or _as_signed(row, spec)
    filled, quote = row["filled_lots"], int(row["filled_quote"])
    buy = row["side"] == "BUY"
    return {
        "id": str(row["order_id"]),
        "tradingPairId": str(row["pair_id"]),
        "pair": spec.symbol,
        "userId": str(row["user_id"]),
        "userAddress": row["account"],
        "side": row["side"],
        "orderType": row["order_type"],
        "timeInForce": row["time_in_force"],
        "postOnly": row["post_only"],
        "selfTrade": row["self_trade"],
        "quantity": signed["quantity"],
        "price": signed["price"] or None,
        "worstPrice": spec.price_text(row["price_ticks"]),
        "stopPrice": signed["stopPrice"] or None,
        "maxFeeBps": row["max_fee_bps"],
        "clientOrderId": row["client_order_id"],
        "nonce": row["nonce"],
        "expiry": int(row["expires_at"].timestamp()),
        "status": row["status"],
        "reason": row["reason"],
        "triggered": row["triggered"],
        "filledQuantity": spec.size_text(filled),
        "remainingQuantity": spec.size_text(row["remaining_lots"]),
        "averageFillPrice": live_facts.average_price(spec, filled, quote) if filled else None,
        "fee": spec.fee_text(int(row["fee_charged"]), buy=buy),
        "hash": "0x" + bytes(row["digest"]).hex() if row["digest"] else None,
        "createdAt": to_wire(row["created_at"]),
        "updatedAt": to_wire(row["updated_at"]),
    }


def _as_signed(row: dict[str, Any], spec: PairSpec) -> dict[str, str]:
    """What was signed, in its shortest form, where the signed text is kept no longer."""
    trailing = {
        "NONE": "",
        "TICKS": f"trail:{row['trail_distance']}",
        "BPS": f"trail:{row['trail_distance']}bps",
    }
    stop = trailing[row["trail"]] or (spec.price_text(row["stop_ticks"]) if row["stop_ticks"] else "")
    priced = not OrderType(row["order_type"]).is_market
    return {
        "quantity": spec.size_text(row["quantity_lots"]),
        "price": spec.price_text(row["price_ticks"]) if priced else "",
        "stopPrice": stop,
    }
