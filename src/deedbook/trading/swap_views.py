"""Swaps as their owners see them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from deedbook.infra.database import Database, Tx
from deedbook.kernel.clock import to_wire
from deedbook.kernel.ids import UserId
from deedbook.trading import live_facts
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import FeeMode

_SWAP = """
    SELECT w.swap_id, w.swap_number, w.amount_in, w.min_amount_out, o.pair_id, o.user_id, o.side, o.max_fee_bps,
           o.nonce, o.expires_at, o.status, o.reason, o.filled_lots, o.filled_quote, o.fee_charged, o.created_at,
           CASE WHEN o.match_seq IS NULL THEN o.created_at ELSE greatest(o.created_at, o.updated_at) END AS updated_at,
           u.account, a.digest
    FROM swaps w JOIN orders o ON o.order_id = w.swap_id JOIN users u ON u.user_id = w.user_id
    LEFT JOIN signed_actions a ON (a.account, a.nonce, a.action_id) = (u.account, o.nonce, w.swap_id)
"""


async def row_within(tx: Tx, swap_id: UUID) -> dict[str, Any]:
    """A swap that was written in this very transaction."""
    row = await tx.fetchrow(_SWAP + " WHERE w.swap_id = $1", swap_id)
    assert row is not None, "it was written just before"
    return dict(row)


async def swap(db: Database, swap_id: UUID) -> dict[str, Any] | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(_SWAP + " WHERE w.swap_id = $1", swap_id)
    return dict(row) if row else None


async def swaps_of(db: Database, user_id: UserId, *, before: int | None, limit: int) -> list[dict[str, Any]]:
    """A user's swaps, newest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"{_SWAP} WHERE w.user_id = $1 AND ($2::bigint IS NULL OR w.swap_number < $2) "
            "ORDER BY w.swap_number DESC LIMIT $3",
            user_id,
            before,
            limit,
        )
    return [dict(row) for row in rows]


def shown(row: dict[str, Any], fills: list[dict[str, Any]], spec: PairSpec) -> dict[str, Any]:
    """A swap in the words of the API. `fee` is in the token that fees of its side are taken in."""
    buy = row["side"] == "BUY"
    given, got = (spec.quote_text, spec.base_text) if buy else (spec.base_text, spec.quote_text)
    lots, quote, fee = row["filled_lots"], int(row["filled_quote"]), int(row["fee_charged"])
    base = lots * spec.lot_units
    in_base = spec.fee_mode is FeeMode.RECEIVED
    used, out = (
        (quote + (0 if in_base else fee), base - (fee if in_base else 0)) if buy else (base, quote - fee)
    )
    return {
        "id": row["swap_id"],
        "tradingPairId": row["pair_id"],
        "pair": spec.symbol,
        "userId": row["user_id"],
        "userAddress": row["account"],
        "side": row["side"],
        "tokenInId": spec.quote_token_id if buy else spec.base_token_id,
        "tokenOutId": spec.base_token_id if buy else spec.quote_token_id,
        "amountIn": given(int(row["amount_in"])),
        "minAmountOut": got(int(row["min_amount_out"])),
        "maxFeeBps": row["max_fee_bps"],
        "nonce": row["nonce"],
        "expiry": int(row["expires_at"].timestamp()),
        "status": row["status"],
        "reason": row["reason"],
        "amountUsed": given(used),
        "amountOut": got(out),
        "averagePrice": live_facts.average_price(spec, lots, quote) if lots else None,
        "fee": spec.fee_text(fee, buy=buy),
        "feeTokenId": spec.fee_token_id(buy=buy),
        "settlementStatus": settlement_of([fill["settlement_status"] for fill in fills]),
        "fills": [_fill(fill, spec, buy=buy) for fill in fills],
        "hash": "0x" + bytes(row["digest"]).hex() if row["digest"] else None,
        "createdAt": to_wire(row["created_at"]),
        "updatedAt": to_wire(row["updated_at"]),
    }


def _fill(row: dict[str, Any], spec: PairSpec, *, buy: bool) -> dict[str, Any]:
    return {
        "tradeId": row["trade_id"],
        "price": spec.price_text(row["price_ticks"]),
        "quantity": spec.size_text(row["size_lots"]),
        "value": spec.quote_text(int(row["quote_amount"])),
        "fee": spec.fee_text(int(row["fee"]), buy=buy),
        "settlementStatus": row["settlement_status"],
        "txHash": row["tx_hash"],
        "executedAt": to_wire(row["executed_at"]),
    }


def settlement_of(statuses: Sequence[str]) -> str | None:
    """Where the trades of a swap stand on the chain, all taken together: it is as far as the one that is least far, and
    has failed where one of them has."""
    order = ("UNKNOWN", "PENDING", "SUBMITTED", "FAILED", "SETTLED")
    return min(statuses, key=order.index, default=None)
