"""Markets as screens show them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbook.infra.database import Database
from deedbook.kernel.events import Audience
from deedbook.kernel.ids import MarketId, UserId
from deedbook.markets.events import LIFECYCLE_FACTS
from deedbook.markets.model import Market
from deedbook.markets.store import COLUMNS, market_of
from deedbook.markets.terms import AssetType, MarketStatus


@dataclass(frozen=True)
class MarketFilter:
    """What to list; `None` is no condition. `text` is looked for in names and symbols."""

    status: MarketStatus | None = None
    asset_type: AssetType | None = None
    issuer_id: UUID | None = None
    text: str | None = None


Position = tuple[datetime, UUID]
PUBLIC_FACTS = [fact.spec.event_type for fact in LIFECYCLE_FACTS if fact.spec.audience is Audience.PUBLIC]


async def listing(db: Database, wanted: MarketFilter, after: Position | None, limit: int) -> list[Market]:
    """Markets, newest first, after the given position."""
    pattern = None
    if wanted.text is not None:
        escaped = wanted.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = f"%{escaped}%"
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {COLUMNS} FROM markets
            WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR asset_type = $2)
              AND ($3::uuid IS NULL OR issuer_id = $3)
              AND ($4::text IS NULL OR name ILIKE $4 OR token_symbol ILIKE $4)
              AND ($5::timestamptz IS NULL OR (created_at, market_id) < ($5, $6::uuid))
            ORDER BY created_at DESC, market_id DESC LIMIT $7
            """,
            wanted.status.value if wanted.status else None,
            wanted.asset_type.value if wanted.asset_type else None,
            wanted.issuer_id,
            pattern,
            after[0] if after else None,
            after[1] if after else None,
            limit,
        )
    return [market_of(row) for row in rows]


async def asset(db: Database, market_id: MarketId) -> dict[str, Any]:
    """The asset of a market with its documents on record."""
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT valuation, currency, location, compliance_documents, regulatory_info, attributes "
            "FROM market_assets WHERE market_id = $1",
            market_id,
        )
        assert row is not None, "a market and its asset are written together"
        documents = await connection.fetch(
            "SELECT document_id, title, kind, media_type, sha256, size_bytes, version, created_at FROM documents "
            "WHERE document_id = ANY($1) ORDER BY created_at, document_id",
            row["compliance_documents"],
        )
    return {**dict(row), "documents": [dict(document) for document in documents]}


async def history(db: Database, market_id: MarketId, after: int, limit: int) -> list[dict[str, Any]]:
    """The market's life so far, oldest first; `after` is the position of the last entry seen.

    Of facts that are not for everybody only that they happened, and when.
    """
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT position, event_id, event_type, actor_id, actor_type, decision, reason,
                   CASE WHEN event_type = ANY($4) THEN metadata ELSE '{}' END AS metadata, created_at
            FROM market_approval_events WHERE market_id = $1 AND position > $2 ORDER BY position LIMIT $3
            """,
            market_id,
            after,
            limit,
            PUBLIC_FACTS,
        )
    return [dict(row) for row in rows]


async def statuses(db: Database, ids: list[UUID]) -> dict[UUID, str]:
    """The present status of some markets, for the copies in Redis."""
    async with db.reading() as connection:
        rows = await connection.fetch("SELECT market_id, status FROM markets WHERE market_id = ANY($1)", ids)
    return {row["market_id"]: row["status"] for row in rows}


async def issuers(db: Database, ids: list[UUID]) -> dict[UUID, tuple[str, UserId]]:
    """The names of some markets, and the users who issue there."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT market_id, name, issuer_user_id FROM markets WHERE market_id = ANY($1)", ids
        )
    return {row["market_id"]: (row["name"], UserId(row["issuer_user_id"])) for row in rows}


async def approval_queue(db: Database, limit: int = 1000) -> list[UUID]:
    """Markets that wait for a decision, longest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT market_id FROM markets WHERE status = 'pending_approval' ORDER BY created_at LIMIT $1",
            limit,
        )
    return [row["market_id"] for row in rows]
