"""Pairs as screens show them."""

from typing import Any

from deedbook.infra.database import Database
from deedbook.kernel.ids import parse_uuid

_PAIR = """
    SELECT p.pair_id, p.symbol, p.market_id, p.status, trim_scale(p.tick_size)::text AS tick_size,
           trim_scale(p.lot_size)::text AS lot_size, p.fee_bps, p.created_at, b.symbol AS base_symbol,
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
