"""The record as auditors read it: newest first by pages, or a whole period from its beginning."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbook.infra.database import Database

PAGE = 1000
_COLUMNS = (
    "position, event_id, action, actor_id, actor_type, entity_type, entity_id, before, after, details, "
    "correlation_id, created_at"
)


@dataclass(frozen=True)
class Wanted:
    """Which entries; what is `None` does not matter. `first` is included, `last` is not."""

    entity_type: str | None = None
    entity_id: UUID | None = None
    actor_id: UUID | None = None
    action: str | None = None
    first: datetime | None = None
    last: datetime | None = None


_WANTED = """
    ($1::text IS NULL OR entity_type = $1) AND ($2::uuid IS NULL OR entity_id = $2)
    AND ($3::uuid IS NULL OR actor_id = $3) AND ($4::text IS NULL OR action = $4)
    AND ($5::timestamptz IS NULL OR created_at >= $5) AND ($6::timestamptz IS NULL OR created_at < $6)
"""


async def entries(
    db: Database, wanted: Wanted, before: tuple[datetime, int] | None, limit: int
) -> list[dict[str, Any]]:
    """A page, newest first."""
    moment, position = before or (None, None)
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_COLUMNS} FROM audit_log
            WHERE {_WANTED} AND ($7::timestamptz IS NULL OR (created_at, position) < ($7, $8::bigint))
            ORDER BY created_at DESC, position DESC LIMIT $9
            """,
            *_values(wanted),
            moment,
            position,
            limit,
        )
    return [dict(row) for row in rows]


async def period(db: Database, wanted: Wanted) -> AsyncIterator[dict[str, Any]]:
    """Everything, oldest first. Each page is a read of its own, so a slow reader holds nothing up."""
    after: tuple[datetime, int] | None = None
    while True:
        moment, position = after or (None, None)
        async with db.reading() as connection:
            rows = await connection.fetch(
                f"""
                SELECT {_COLUMNS} FROM audit_log
                WHERE {_WANTED} AND ($7::timestamptz IS NULL OR (created_at, position) > ($7, $8::bigint))
                ORDER BY created_at, position LIMIT {PAGE}
                """,
                *_values(wanted),
                moment,
                position,
            )
        for row in rows:
            yield dict(row)
        if len(rows) < PAGE:
            return
        after = rows[-1]["created_at"], rows[-1]["position"]


def _values(wanted: Wanted) -> tuple[Any, ...]:
    return (
        wanted.entity_type,
        wanted.entity_id,
        wanted.actor_id,
        wanted.action,
        wanted.first,
        wanted.last,
    )
