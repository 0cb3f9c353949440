"""SQL of this room: tokens. Of markets it reads which symbols they have taken."""

from collections.abc import Mapping
from typing import Any

import orjson

from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import MarketId, TokenId, UserId
from deedbook.tokens.terms import Token, TokenStatus, TokenType

COLUMNS = """token_id, symbol, name, token_type, decimals, contract_address, market_id, chain_id, status, total_supply,
    supply_cap, issuer_user_id, listings"""


async def add(tx: Tx, token: Token) -> bool:
    """Insert a token; `False` when its symbol, contract or market has one already."""
    return (
        await tx.fetchval(
            """
            INSERT INTO tokens (token_id, symbol, name, token_type, decimals, contract_address, market_id, chain_id,
                                status, total_supply, supply_cap, issuer_user_id, listings)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            ON CONFLICT DO NOTHING RETURNING token_id
            """,
            token.token_id,
            token.symbol,
            token.name,
            token.token_type.value,
            token.decimals,
            token.contract_address,
            token.market_id,
            token.chain_id,
            token.status.value,
            token.total_supply,
            token.supply_cap,
            token.issuer_user_id,
            token.listings,
        )
        is not None
    )


async def by_market(tx: Tx, market_id: MarketId) -> Token | None:
    return token_of(await tx.fetchrow(f"SELECT {COLUMNS} FROM tokens WHERE market_id = $1", market_id))


async def by_symbol(tx: Tx, symbol: str) -> Token | None:
    return token_of(await tx.fetchrow(f"SELECT {COLUMNS} FROM tokens WHERE symbol = $1", symbol))


async def by_address(tx: Tx, address: Address) -> Token | None:
    return token_of(await tx.fetchrow(f"SELECT {COLUMNS} FROM tokens WHERE contract_address = $1", address))


async def by_id(tx: Tx, token_id: TokenId) -> Token | None:
    return token_of(await tx.fetchrow(f"SELECT {COLUMNS} FROM tokens WHERE token_id = $1", token_id))


async def lock(tx: Tx, token_id: TokenId) -> Token | None:
    """Load a token and hold its supply and status as they are until the commit."""
    query = f"SELECT {COLUMNS} FROM tokens WHERE token_id = $1 FOR NO KEY UPDATE"
    return token_of(await tx.fetchrow(query, token_id))


async def read(db: Database, token_id: TokenId) -> Token | None:
    async with db.reading() as connection:
        return token_of(
            await connection.fetchrow(f"SELECT {COLUMNS} FROM tokens WHERE token_id = $1", token_id)
        )


async def set_status(tx: Tx, token: Token) -> None:
    """Write where the token stands now, and which attempt that was."""
    await tx.execute(
        "UPDATE tokens SET status = $2, listings = $3 WHERE token_id = $1",
        token.token_id,
        token.status.value,
        token.listings,
    )


async def change_supply(tx: Tx, token_id: TokenId, units: int) -> Token:
    """Let the supply grow by so much, or shrink where it is negative."""
    row = await tx.fetchrow(
        f"UPDATE tokens SET total_supply = total_supply + $2 WHERE token_id = $1 RETURNING {COLUMNS}",
        token_id,
        units,
    )
    token = token_of(row)
    assert token is not None, f"there is no token {token_id}"
    return token


async def set_supply(tx: Tx, token_id: TokenId, units: int) -> None:
    """Write down how much there is of a token that others mint."""
    await tx.execute("UPDATE tokens SET total_supply = $2 WHERE token_id = $1", token_id, units)


async def refreshable(tx: Tx, limit: int) -> list[TokenId]:
    """The tokens that the vault takes."""
    rows = await tx.fetch(
        "SELECT token_id FROM tokens WHERE status = 'active' ORDER BY token_id LIMIT $1", limit
    )
    return [TokenId(row["token_id"]) for row in rows]


async def metadata(tx: Tx, token_id: TokenId) -> dict[str, Any]:
    """What is told of a token beside its terms, held as it is until the commit."""
    found = await tx.fetchval("SELECT metadata FROM tokens WHERE token_id = $1 FOR NO KEY UPDATE", token_id)
    return dict(found or {})


async def set_metadata(tx: Tx, token_id: TokenId, told: Mapping[str, Any]) -> None:
    await tx.execute(
        "UPDATE tokens SET metadata = $2 WHERE token_id = $1", token_id, orjson.dumps(told).decode()
    )


async def claim_symbol(tx: Tx, symbol: str) -> bool:
    """Whether no token and no market has this symbol; until the commit nobody else gets to ask for it."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('symbol ' || $1, 0))", symbol)
    return not await tx.fetchval(
        "SELECT EXISTS (SELECT 1 FROM tokens WHERE symbol = $1) "
        "OR EXISTS (SELECT 1 FROM markets WHERE token_symbol = $1 AND status <> 'rejected')",
        symbol,
    )


def token_of(row: Any) -> Token | None:
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
        chain_id=fields["chain_id"],
        status=TokenStatus(fields["status"]),
        total_supply=int(fields["total_supply"]),
        supply_cap=int(fields["supply_cap"]) if fields["supply_cap"] is not None else None,
        issuer_user_id=UserId(fields["issuer_user_id"]) if fields["issuer_user_id"] else None,
        listings=fields["listings"],
    )
