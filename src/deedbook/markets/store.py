"""SQL of this room: markets, their assets and documents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import DocumentId, EntityId, MarketId, UserId
from deedbook.markets.errors import NewerVersionExists, SymbolTaken
from deedbook.markets.model import AssetDetails, Market
from deedbook.markets.terms import AssetType, MarketStatus

COLUMNS = """market_id, name, description, asset_type, issuer_id, issuer_user_id, issuer_account, token_name,
    token_symbol, decimals, total_supply, supply_cap, status, version, activations, created_at, updated_at,
    contract_address, deployment_tx_hash, approved_by, approved_at, activated_at, rejected_reason, metadata"""


@dataclass(frozen=True)
class Document:
    """A document on record: its hash and what it is, never its bytes."""

    document_id: DocumentId
    owner_id: UserId
    title: str
    kind: str
    media_type: str
    sha256: bytes
    size_bytes: int | None
    version: int
    replaces: DocumentId | None
    metadata: dict[str, Any]
    created_at: datetime


async def add(tx: Tx, market: Market, asset: AssetDetails) -> None:
    """Insert a market and its asset.

    Raises:
        SymbolTaken: a market that was not rejected has this symbol.
    """
    try:
        await tx.execute(
            """
            INSERT INTO markets (market_id, name, description, asset_type, issuer_id, issuer_user_id,
                issuer_account, token_name, token_symbol, decimals, total_supply, supply_cap,
                status)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            """,
            market.market_id,
            market.name,
            market.description,
            market.asset_type.value,
            market.issuer_id,
            market.issuer_user_id,
            market.issuer_account,
            market.token_name,
            market.token_symbol,
            market.decimals,
            market.total_supply,
            market.supply_cap,
            market.status.value,
        )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == "idx_markets_symbol":
            raise SymbolTaken(f"the symbol {market.token_symbol} is taken; choose another") from None
        raise
    await tx.execute(
        """
        INSERT INTO market_assets (market_id, valuation, currency, location, compliance_documents,
            regulatory_info, attributes)
        VALUES ($1, $2::text::numeric, $3, $4, $5, $6, $7)
        """,
        market.market_id,
        asset.valuation,
        asset.currency,
        _json(asset.location) if asset.location is not None else None,
        list(asset.compliance_documents),
        _json(asset.regulatory_info),
        _json(asset.attributes),
    )


async def lock(tx: Tx, market_id: MarketId) -> Market | None:
    """Load a market and hold it against every other move until the commit."""
    row = await tx.fetchrow(f"SELECT {COLUMNS} FROM markets WHERE market_id = $1 FOR UPDATE", market_id)
    return market_of(row) if row else None


async def read(db: Database, market_id: MarketId) -> Market | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(f"SELECT {COLUMNS} FROM markets WHERE market_id = $1", market_id)
    return market_of(row) if row else None


async def status(tx: Tx, market_id: MarketId) -> MarketStatus | None:
    found = await tx.fetchval("SELECT status FROM markets WHERE market_id = $1 FOR SHARE", market_id)
    return MarketStatus(found) if found is not None else None


async def save(tx: Tx, before: Market, after: Market) -> Market:
    """Write a move; it counts only if the market is still as it was read."""
    row = await tx.fetchrow(
        f"""
        UPDATE markets SET status = $3, contract_address = $4, deployment_tx_hash = $5, approved_by = $6,
            approved_at = $7, activated_at = $8, rejected_reason = $9, metadata = $10, activations = $11
        WHERE market_id = $1 AND version = $2 RETURNING {COLUMNS}
        """,
        before.market_id,
        before.version,
        after.status.value,
        after.contract_address,
        after.deployment_tx_hash,
        after.approved_by,
        after.approved_at,
        after.activated_at,
        after.rejected_reason,
        _json(after.metadata),
        after.activations,
    )
    assert row is not None, "the market was locked, and yet it changed"
    return market_of(row)


async def documents(tx: Tx, owner_id: UserId, ids: tuple[DocumentId, ...]) -> dict[DocumentId, Document]:
    """Those of the documents that exist and are this user's."""
    rows = await tx.fetch(
        "SELECT * FROM documents WHERE document_id = ANY($1) AND owner_id = $2", list(ids), owner_id
    )
    return {DocumentId(row["document_id"]): _document(row) for row in rows}


async def add_document(tx: Tx, document: Document) -> Document:
    """Insert a document.

    Raises:
        NewerVersionExists: the one that it replaces was replaced already.
    """
    try:
        row = await tx.fetchrow(
            """
            INSERT INTO documents (document_id, owner_id, title, kind, media_type, sha256, size_bytes, version,
                replaces, metadata)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *
            """,
            document.document_id,
            document.owner_id,
            document.title,
            document.kind,
            document.media_type,
            document.sha256,
            document.size_bytes,
            document.version,
            document.replaces,
            _json(document.metadata),
        )
    except asyncpg.UniqueViolationError:
        raise NewerVersionExists("load the newest version and replace that one") from None
    assert row is not None
    return _document(row)


async def document(db: Database, document_id: DocumentId) -> Document | None:
    async with db.reading() as connection:
        row = await connection.fetchrow("SELECT * FROM documents WHERE document_id = $1", document_id)
    return _document(row) if row else None


def market_of(row: asyncpg.Record) -> Market:
    fields: dict[str, Any] = dict(row)
    fields["asset_type"] = AssetType(fields["asset_type"])
    fields["status"] = MarketStatus(fields["status"])
    fields["total_supply"] = int(fields["total_supply"])
    fields["supply_cap"] = int(fields["supply_cap"])
    fields["issuer_id"] = EntityId(fields["issuer_id"])
    fields["issuer_account"] = Address(fields["issuer_account"])
    return Market(**fields)


def _document(row: asyncpg.Record) -> Document:
    return Document(**dict(row))


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
