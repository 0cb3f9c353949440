"""Pairs as screens show them."""

from typing import Any

from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import PairId, parse_uuid

_PAIR = """
    SELECT p.pair_id, p.symbol, p.market_id, p.status, trim_scale(p.tick_size)::text AS tick_size,
           trim_scale(p.lot_size)::text AS lot_size, p.fee_bps, p.fee_mode, p.created_at,
           trim_scale(p.min_quantity_lots * p.lot_size)::text AS min_quantity,
           trim_scale(p.max_quantity_lots * p.lot_size)::text AS max_quantity,
           trim_scale(p.min_notional / power(10::numeric, q.decimals))::text AS min_notional,
           p.max_open_orders, p.protection_bps, b.symbol AS base_symbol,
           b.decimals AS base_decimals, b.contract_address AS base_address, q.symbol AS quote_symbol,
           q.decimals AS quote_decimals, q.contract_address AS quote_address
    FROM trading_pairs p JOIN tokens b ON b.token_id = p.base_token_id JOIN tokens q ON q.token_id = p.quote_token_id
"""


async def pairs(db: Database, limit: int = 500) -> list[dict[str, Any]]:
    """All pairs, by symbol."""
    async with db.reading() as connection:
        rows = await connection.fetch(_PAIR + " ORDER BY p.symbol LIMIT $1", limit)
    return [dict(row) for row in rows]


async def pair(db: Database, name: str) -> dict[str, Any] | None:
    """One pair, by its id or its symbol."""
    pair_id = parse_uuid(name)
    async with db.reading() as connection:
        if pair_id is not None:
            row = await connection.fetchrow(_PAIR + " WHERE p.pair_id = $1", pair_id)
        else:
            row = await connection.fetchrow(_PAIR + " WHERE p.symbol = $1", name)
    return dict(row) if row else None


async def pair_within(tx: Tx, pair_id: PairId) -> dict[str, Any] | None:
    """One pair as this transaction sees it."""
    row = await tx.fetchrow(_PAIR + " WHERE p.pair_id = $1", pair_id)
    return dict(row) if row else None
