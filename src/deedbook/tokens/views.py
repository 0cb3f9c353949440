"""Tokens as screens show them."""

from typing import Any

from deedbook.infra.database import Database


async def listing(db: Database, limit: int = 200) -> list[dict[str, Any]]:
    """All tokens, newest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT token_id, symbol, name, token_type, decimals, contract_address, chain_id, market_id, total_supply,
                   created_at
            FROM tokens ORDER BY created_at DESC, token_id LIMIT $1
            """,
            limit,
        )
    return [dict(row) for row in rows]
