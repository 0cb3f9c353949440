"""SQL of operators: what a pair trades by, read for a change and changed."""

from collections.abc import Mapping
from typing import Any

from deedbook.infra.database import Tx
from deedbook.kernel.ids import PairId

COLUMNS = (
    "status",
    "fee_bps",
    "fee_mode",
    "min_quantity_lots",
    "max_quantity_lots",
    "min_notional",
    "max_open_orders",
    "protection_bps",
)


async def locked(tx: Tx, pair_id: PairId) -> dict[str, Any] | None:
    """The pair, until this transaction ends nobody else's to change."""
    row = await tx.fetchrow(
        """
        SELECT p.pair_id, p.symbol, p.market_id, p.status, trim_scale(p.tick_size)::text AS tick_size,
               trim_scale(p.lot_size)::text AS lot_size, p.fee_bps, p.fee_mode, p.min_quantity_lots,
               p.max_quantity_lots, p.min_notional, p.max_open_orders, p.protection_bps, q.decimals AS quote_decimals
        FROM trading_pairs p JOIN tokens q ON q.token_id = p.quote_token_id WHERE p.pair_id = $1 FOR UPDATE OF p
        """,
        pair_id,
    )
    return dict(row) if row else None


async def set_columns(tx: Tx, pair_id: PairId, columns: Mapping[str, Any]) -> None:
    """Change these columns of a pair, and leave the others."""
    assert columns.keys() <= set(COLUMNS), "no others are changed here"
    await tx.execute(_SET, pair_id, *(columns.get(name) for name in COLUMNS))


_SET = """
    UPDATE trading_pairs SET status = COALESCE($2, status), fee_bps = COALESCE($3, fee_bps),
        fee_mode = COALESCE($4, fee_mode), min_quantity_lots = COALESCE($5, min_quantity_lots),
        max_quantity_lots = COALESCE($6, max_quantity_lots), min_notional = COALESCE($7, min_notional),
        max_open_orders = COALESCE($8, max_open_orders), protection_bps = COALESCE($9, protection_bps),
        updated_at = now()
    WHERE pair_id = $1
"""
