"""SQL of this room: tokens."""

from typing import Any

from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.ids import MarketId, TokenId
from deedbook.tokens.terms import Token, TokenType

_COLUMNS = "token_id, symbol, name, token_type, decimals, contract_address, market_id"


async def add(tx: Tx, token: Token, chain_id: int, supply_units: int) -> bool:
    """Insert a token; `False` when its symbol, contract or market has one already."""
    return (
        await tx.fetchval(
            """
            INSERT INTO tokens (token_id, symbol, name, token_type, decimals, contract_address, chain_id,
                                total_supply, market_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING token_id
            """,
            token.token_id,
            token.symbol,
            token.name,
            token.token_type.value,
            token.decimals,
            token.contract_address,
            chain_id,
            supply_units,
            token.market_id,
        )
        is not None
    )


async def by_market(tx: Tx, market_id: MarketId) -> Token | None:
    return _token(await tx.fetchrow(f"SELECT {_COLUMNS} FROM tokens WHERE market_id = $1", market_id))


async def by_symbol(tx: Tx, symbol: str) -> Token | None:
    return _token(await tx.fetchrow(f"SELECT {_COLUMNS} FROM tokens WHERE symbol = $1", symbol))


def _token(row: Any) -> Token | None:
    if row is None:
        return None
    fields = dict(row)
    return Token(
        token_id=TokenId(fields["token_id"]),
        symbol=fields["symbol"],
        name=fields["name"],
        token_type=TokenType(fields["token_type"]),
        decimals=fields["decimals"],
        contract_address=Address(fields["contract_address"]) if fields["contract_address"] else None,
        market_id=MarketId(fields["market_id"]) if fields["market_id"] else None,
    )
