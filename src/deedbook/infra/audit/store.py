"""SQL of the sealed record: rows in commit order, and their seals."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

from deedbook.infra.audit.seals import Row, Seal, Stream
from deedbook.infra.database import Tx

_SEAL_COLUMNS = (
    "stream, seal_number, last_tx_id::text::bigint AS last_tx_id, last_position, row_count, previous_hash, "
    "seal_hash, sealed_at"
)
PREFETCH = 5000
# In what follows `r.` matters: a bare `ORDER BY tx_id` would mean the text that is selected, and "10" comes before "9".


async def only_sealer(tx: Tx) -> bool:
    """Whether nobody else seals; until the commit nobody will."""
    return bool(await tx.fetchval("SELECT pg_try_advisory_xact_lock(hashtext('seal-audit'))"))


async def last_seal(tx: Tx, stream: Stream) -> Seal | None:
    row = await tx.fetchrow(
        f"SELECT {_SEAL_COLUMNS} FROM audit_seals WHERE stream = $1 ORDER BY seal_number DESC LIMIT 1",
        stream.name,
    )
    return Seal(**row) if row is not None else None


async def settled_rows(tx: Tx, stream: Stream, after: tuple[int, int], limit: int) -> list[Row]:
    """The next rows before which no other can appear any more (see infra/outbox.py), oldest first."""
    rows = await tx.fetch(
        f"""
        SELECT {", ".join(stream.columns)} FROM {stream.name} AS r
        WHERE (r.tx_id, r.{stream.position}) > ($1::text::xid8, $2::bigint)
          AND r.tx_id < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY r.tx_id, r.{stream.position} LIMIT $3
        """,
        str(after[0]),
        after[1],
        limit,
    )
    return [tuple(row) for row in rows]


async def add_seal(tx: Tx, seal: Seal) -> None:
    await tx.execute(
        "INSERT INTO audit_seals (stream, seal_number, last_tx_id, last_position, row_count, previous_hash, "
        "seal_hash, sealed_at) VALUES ($1, $2, $3::text::xid8, $4, $5, $6, $7, $8)",
        seal.stream,
        seal.seal_number,
        str(seal.last_tx_id),
        seal.last_position,
        seal.row_count,
        seal.previous_hash,
        seal.seal_hash,
        seal.sealed_at,
    )


async def seals_from(connection: Any, stream: Stream, first: int) -> AsyncGenerator[Seal, None]:
    """The seals from this number on, in their order, through a cursor of the server's."""
    query = f"SELECT {_SEAL_COLUMNS} FROM audit_seals WHERE stream = $1 AND seal_number >= $2 ORDER BY seal_number"
    async for row in connection.cursor(query, stream.name, first, prefetch=PREFETCH):
        yield Seal(**row)


async def rows_after(
    connection: Any, stream: Stream, after: tuple[int, int], until: tuple[int, int]
) -> AsyncGenerator[Row, None]:
    """All rows of a stretch in commit order, through a cursor of the server's."""
    query = f"""
        SELECT {", ".join(stream.columns)} FROM {stream.name} AS r
        WHERE (r.tx_id, r.{stream.position}) > ($1::text::xid8, $2::bigint)
          AND (r.tx_id, r.{stream.position}) <= ($3::text::xid8, $4::bigint)
        ORDER BY r.tx_id, r.{stream.position}
        """
    bounds = (str(after[0]), after[1], str(until[0]), until[1])
    async for row in connection.cursor(query, *bounds, prefetch=PREFETCH):
        yield tuple(row)


async def tail(connection: Any, stream: Stream, after: tuple[int, int]) -> tuple[int, datetime | None]:
    """How many rows have no seal yet, and when the oldest of them was written."""
    row = await connection.fetchrow(
        f"SELECT count(*) AS rows, min({stream.moment}) AS oldest FROM {stream.name} "
        f"WHERE (tx_id, {stream.position}) > ($1::text::xid8, $2::bigint)",
        str(after[0]),
        after[1],
    )
    return row["rows"], row["oldest"]


async def delivered_and_gone(connection: Any) -> list[str]:
    """Sinks of the relay that have delivered a fact which is no longer there."""
    rows = await connection.fetch(
        """
        SELECT c.sink FROM relay_cursors c
        WHERE c.sink <> 'jobs' AND NOT starts_with(c.sink, 'trading-') AND c.position > 0
          AND NOT EXISTS (SELECT 1 FROM events e WHERE (e.tx_id, e.position) = (c.tx_id, c.position))
        ORDER BY c.sink
        """
    )
    return [row["sink"] for row in rows]


async def start_of(connection: Any, stream: Stream, seal_number: int) -> Seal | None:
    """The seal of this number."""
    row = await connection.fetchrow(
        f"SELECT {_SEAL_COLUMNS} FROM audit_seals WHERE stream = $1 AND seal_number = $2",
        stream.name,
        seal_number,
    )
    return Seal(**row) if row is not None else None


async def newest_number(connection: Any, stream: Stream) -> int:
    """The number of the last seal; 0 before the first."""
    return int(
        await connection.fetchval(
            "SELECT COALESCE(max(seal_number), 0) FROM audit_seals WHERE stream = $1", stream.name
        )
    )
