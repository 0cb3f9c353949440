"""Tokens as screens show them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbook.identity import parse_address
from deedbook.infra.database import Database
from deedbook.kernel.ids import MarketId, TokenId, UserId, parse_uuid
from deedbook.tokens import mint_store
from deedbook.tokens.store import COLUMNS, token_of
from deedbook.tokens.terms import Mint, MintStatus, Token, TokenStatus, TokenType

_SHOWN = COLUMNS + ", created_at, metadata"
Position = tuple[datetime, UUID]


@dataclass(frozen=True)
class ShownToken:
    """A token with what is told of it beside its terms."""

    token: Token
    created_at: datetime
    metadata: dict[str, Any]


async def listing(
    db: Database,
    token_type: TokenType | None,
    status: TokenStatus | None,
    after: Position | None,
    limit: int,
) -> list[ShownToken]:
    """Tokens, newest first, after the given position."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_SHOWN} FROM tokens
            WHERE ($1::text IS NULL OR token_type = $1) AND ($2::text IS NULL OR status = $2)
              AND ($3::timestamptz IS NULL OR (created_at, token_id) < ($3, $4::uuid))
            ORDER BY created_at DESC, token_id DESC LIMIT $5
            """,
            token_type.value if token_type else None,
            status.value if status else None,
            after[0] if after else None,
            after[1] if after else None,
            limit,
        )
    return [_shown(row) for row in rows]


async def one(db: Database, name: str) -> ShownToken | None:
    """A token by its id, its symbol or its contract's address: no symbol looks like either."""
    if "\x00" in name:  # PostgreSQL holds no such text
        return None
    token_id, address = parse_uuid(name), parse_address(name)
    async with db.reading() as connection:
        row = await connection.fetchrow(
            f"SELECT {_SHOWN} FROM tokens WHERE token_id = $1 OR contract_address = $2 OR symbol = $3",
            token_id,
            address,
            name if token_id is None and address is None else None,
        )
    return _shown(row) if row else None


async def some(db: Database, ids: list[UUID]) -> list[ShownToken]:
    """These tokens, for their copies in Redis."""
    async with db.reading() as connection:
        rows = await connection.fetch(f"SELECT {_SHOWN} FROM tokens WHERE token_id = ANY ($1)", ids)
    return [_shown(row) for row in rows]


async def asset(db: Database, market_id: MarketId) -> dict[str, Any]:
    """The asset behind a token, as its market has it on record, with its documents."""
    async with db.reading() as connection:
        row = await connection.fetchrow(
            """
            SELECT m.asset_type, m.description, a.valuation::text AS valuation, a.currency, a.location,
                   a.regulatory_info, a.compliance_documents
            FROM markets m JOIN market_assets a USING (market_id) WHERE m.market_id = $1
            """,
            market_id,
        )
        assert row is not None, "a market and its asset are written together"
        documents = await connection.fetch(
            "SELECT document_id, title, kind, sha256, version FROM documents WHERE document_id = ANY($1) "
            "ORDER BY created_at, document_id",
            row["compliance_documents"],
        )
    return {**dict(row), "documents": [dict(document) for document in documents]}


async def mints(
    db: Database, token_id: TokenId | None, status: MintStatus | None, after: Position | None, limit: int
) -> list[Mint]:
    """Mints of a token or of all, newest first, after the given position."""
    return await mint_store.listing(db, token_id, status, after, limit)


async def asked_mints(db: Database, mint_ids: list[UUID]) -> dict[UUID, tuple[UserId, str]]:
    """Who has asked for these mints, and for how much."""
    return await mint_store.asked(db, mint_ids) if mint_ids else {}


async def mint(db: Database, mint_id: UUID) -> Mint | None:
    return await mint_store.read(db, mint_id)


def _shown(row: Any) -> ShownToken:
    token = token_of(row)
    assert token is not None
    return ShownToken(token, row["created_at"], row["metadata"])
