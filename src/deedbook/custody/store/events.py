"""SQL of vault events on their way to their effect, and of where the watcher stands."""

from dataclasses import dataclass
from datetime import datetime

from deedbook.chain.vault import VaultEvent, VaultEventKind
from deedbook.chain.watch_store import CURSOR, event_of
from deedbook.infra.database import Database, Tx

APPLIERS = "vault-events"


@dataclass(frozen=True, order=True)
class Place:
    """Where an event stands on the chain: events have their effect in this order."""

    block_number: int
    log_index: int


@dataclass(frozen=True)
class Claimed:
    """An event that is about to have its effect."""

    chain_id: int
    tx_hash: str
    ordinal: int
    place: Place
    block_hash: str
    event: VaultEvent


@dataclass(frozen=True)
class Standing:
    """Where the watcher stands: how far it has read, why it stopped, and what waits."""

    block_number: int
    block_hash: str
    stopped_reason: str | None
    updated_at: datetime
    unprocessed: int
    oldest_unprocessed_at: datetime | None
    failing: int


async def waiting(db: Database, chain_id: int, depth: int, after: Place, limit: int) -> list[Claimed]:
    """Events under so many blocks that have had no effect yet, in their order; none while the watcher is stopped."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT e.tx_hash, e.ordinal, e.block_number, e.log_index, e.block_hash, e.event_name, e.args
            FROM blockchain_events e JOIN chain_cursors c ON c.chain_id = e.chain_id AND c.name = $2
            WHERE e.chain_id = $1 AND NOT e.processed AND NOT e.orphaned AND c.stopped_reason IS NULL
              AND e.block_number <= c.block_number - $3 AND (e.block_number, e.log_index) > ($4, $5)
            ORDER BY e.block_number, e.log_index LIMIT $6
            """,
            chain_id,
            CURSOR,
            depth,
            after.block_number,
            after.log_index,
            limit,
        )
    return [
        Claimed(
            chain_id,
            row["tx_hash"],
            row["ordinal"],
            Place(row["block_number"], row["log_index"]),
            row["block_hash"],
            event_of(row["event_name"], row["args"]),
        )
        for row in rows
    ]


async def claim(tx: Tx, found: Claimed, depth: int) -> bool:
    """Hold an event until the commit; `False` when it has had its effect, stands elsewhere now, or the chain has
    parted since it was found. One at a time: the order of the chain is the order of the ledger."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext($1))", APPLIERS)
    return (
        await tx.fetchval(
            """
            SELECT e.ordinal FROM blockchain_events e JOIN chain_cursors c ON c.chain_id = e.chain_id AND c.name = $7
            WHERE e.chain_id = $1 AND e.tx_hash = $2 AND e.ordinal = $3 AND NOT e.processed AND NOT e.orphaned
              AND e.block_number = $4 AND e.log_index = $5 AND e.block_hash = $6
              AND e.block_number <= c.block_number - $8 AND c.stopped_reason IS NULL
            FOR UPDATE OF e
            """,
            found.chain_id,
            found.tx_hash,
            found.ordinal,
            found.place.block_number,
            found.place.log_index,
            found.block_hash,
            CURSOR,
            depth,
        )
        is not None
    )


async def mark_processed(tx: Tx, found: Claimed) -> None:
    await tx.execute(
        "UPDATE blockchain_events SET processed = true, processed_at = now(), processing_error = NULL "
        "WHERE chain_id = $1 AND tx_hash = $2 AND ordinal = $3",
        found.chain_id,
        found.tx_hash,
        found.ordinal,
    )


async def note_error(db: Database, found: Claimed, error: str) -> None:
    """Keep for people why an event could not have its effect."""
    async with db.transaction() as tx:
        await tx.execute(
            "UPDATE blockchain_events SET processing_error = $4 WHERE chain_id = $1 AND tx_hash = $2 "
            "AND ordinal = $3 AND NOT processed",
            found.chain_id,
            found.tx_hash,
            found.ordinal,
            error[:1000],
        )


async def relayed_digest(tx: Tx, found: Claimed) -> bytes | None:
    """The digest that a relayed deposit names: the vault tells it right after what was deposited."""
    row = await tx.fetchrow(
        "SELECT event_name, args FROM blockchain_events WHERE chain_id = $1 AND tx_hash = $2 AND ordinal > $3 "
        "AND NOT orphaned ORDER BY ordinal LIMIT 1",
        found.chain_id,
        found.tx_hash,
        found.ordinal,
    )
    if row is None:
        return None
    following = event_of(row["event_name"], row["args"])
    same = (following.token, following.account) == (found.event.token, found.event.account)
    return following.reference if same and following.kind is VaultEventKind.DEPOSIT_RELAYED else None


async def standing(db: Database, chain_id: int) -> Standing | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(
            """
            SELECT c.block_number, c.block_hash, c.stopped_reason, c.updated_at, count(e.tx_hash) AS unprocessed,
                   min(e.seen_at) AS oldest_unprocessed_at, count(e.processing_error) AS failing
            FROM chain_cursors c LEFT JOIN blockchain_events e
                ON e.chain_id = c.chain_id AND NOT e.processed AND NOT e.orphaned
            WHERE c.chain_id = $1 AND c.name = $2 GROUP BY c.chain_id, c.name
            """,
            chain_id,
            CURSOR,
        )
    return Standing(**dict(row)) if row else None
