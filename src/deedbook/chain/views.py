"""How deep things lie in the chain, as the watcher has last seen it: for people who wait."""

from dataclasses import dataclass

from deedbook.chain.watch_store import CURSOR
from deedbook.infra.database import Database


@dataclass(frozen=True)
class Depth:
    """A transaction that is in a block. `confirmations` counts blocks from its own to the last one that was read."""

    tx_hash: str
    confirmations: int


async def depths(db: Database, chain_id: int, keys: list[str]) -> dict[str, Depth]:
    """Of the transactions that were asked for under these keys, those that are in a block."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT t.key, t.tx_hash, GREATEST(1, c.block_number - t.block_number + 1) AS confirmations
            FROM chain_transactions t JOIN chain_cursors c ON c.chain_id = $1 AND c.name = $2
            WHERE t.key = ANY ($3) AND t.status IN ('mined', 'confirmed')
            """,
            chain_id,
            CURSOR,
            keys,
        )
    return {row["key"]: Depth(row["tx_hash"], row["confirmations"]) for row in rows}
