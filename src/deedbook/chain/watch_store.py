"""SQL of the watcher: its cursor, the blocks that it has seen, and the events in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from deedbook.chain.delivery import Delivered, FeesFrom
from deedbook.chain.vault import VaultEvent, VaultEventKind, id_of
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx

CURSOR = "vault"
KEPT_BLOCKS = 5_000
"""Hashes of older blocks are forgotten: no chain that we use takes back so many."""


@dataclass(frozen=True)
class Cursor:
    """How far the vault's events were read: up to this block, with this hash."""

    block_number: int
    block_hash: str
    stopped_reason: str | None


@dataclass(frozen=True)
class SeenEvent:
    """An event of the vault at its place. `ordinal` is its place among the logs of its receipt: it stays what it
    is when a reorganization puts the same transaction into another block."""

    tx_hash: str
    ordinal: int
    block_number: int
    block_hash: str
    log_index: int
    contract: Address
    event: VaultEvent


async def cursor(db: Database, chain_id: int) -> Cursor | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT block_number, block_hash, stopped_reason FROM chain_cursors WHERE chain_id = $1 AND name = $2",
            chain_id,
            CURSOR,
        )
    return Cursor(**dict(row)) if row else None


async def add_cursor(tx: Tx, chain_id: int, block_number: int, block_hash: str) -> None:
    await tx.execute(
        "INSERT INTO chain_cursors (chain_id, name, block_number, block_hash) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING",
        chain_id,
        CURSOR,
        block_number,
        block_hash,
    )


async def move_cursor(tx: Tx, chain_id: int, seen: Cursor, block_number: int, block_hash: str) -> bool:
    """Move the cursor from where it was seen; `False` when another has moved it meanwhile. A stop ends with it."""
    return (
        await tx.fetchval(
            """
            UPDATE chain_cursors SET block_number = $5, block_hash = $6, stopped_reason = NULL, updated_at = now()
            WHERE chain_id = $1 AND name = $2 AND block_number = $3 AND block_hash = $4 RETURNING name
            """,
            chain_id,
            CURSOR,
            seen.block_number,
            seen.block_hash,
            block_number,
            block_hash,
        )
        is not None
    )


async def hold_cursor(tx: Tx, chain_id: int, seen: Cursor) -> bool:
    """Keep the cursor where it was seen until the commit; `False` when it is elsewhere."""
    return (
        await tx.fetchval(
            "SELECT name FROM chain_cursors WHERE chain_id = $1 AND name = $2 AND block_number = $3 "
            "AND block_hash = $4 FOR SHARE",
            chain_id,
            CURSOR,
            seen.block_number,
            seen.block_hash,
        )
        is not None
    )


async def stop(tx: Tx, chain_id: int, reason: str) -> None:
    await tx.execute(
        "UPDATE chain_cursors SET stopped_reason = $3 WHERE chain_id = $1 AND name = $2",
        chain_id,
        CURSOR,
        reason,
    )


async def add_blocks(tx: Tx, chain_id: int, blocks: dict[int, str]) -> None:
    """Remember the hashes of blocks, and forget those that lie far behind them."""
    await tx.execute(
        """
        INSERT INTO chain_blocks (chain_id, block_number, block_hash)
        SELECT $1, * FROM unnest($2::bigint[], $3::text[])
        ON CONFLICT (chain_id, block_number) DO UPDATE SET block_hash = EXCLUDED.block_hash
        """,
        chain_id,
        list(blocks),
        list(blocks.values()),
    )
    await tx.execute(
        "DELETE FROM chain_blocks WHERE chain_id = $1 AND block_number < $2",
        chain_id,
        max(blocks) - KEPT_BLOCKS,
    )


async def blocks_below(db: Database, chain_id: int, number: int, limit: int) -> list[tuple[int, str]]:
    """Remembered blocks below this one, the newest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT block_number, block_hash FROM chain_blocks WHERE chain_id = $1 AND block_number < $2 "
            "ORDER BY block_number DESC LIMIT $3",
            chain_id,
            number,
            limit,
        )
    return [(row["block_number"], row["block_hash"]) for row in rows]


async def forget_blocks_above(tx: Tx, chain_id: int, number: int) -> None:
    await tx.execute("DELETE FROM chain_blocks WHERE chain_id = $1 AND block_number > $2", chain_id, number)


async def add_events(tx: Tx, chain_id: int, events: Sequence[SeenEvent]) -> int:
    """Write events down, each once for ever; how many are new here. One that was orphaned takes its new place.
    What was processed already is never touched."""
    told = await tx.fetch(
        """
        INSERT INTO blockchain_events AS b (chain_id, tx_hash, ordinal, block_number, block_hash, log_index,
                                            contract_address, event_name, args)
        SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bigint[], $5::text[], $6::int[], $7::text[], $8::text[],
                                 $9::jsonb[])
        ON CONFLICT (chain_id, tx_hash, ordinal) DO UPDATE SET
            block_number = EXCLUDED.block_number, block_hash = EXCLUDED.block_hash,
            log_index = EXCLUDED.log_index, event_name = EXCLUDED.event_name, args = EXCLUDED.args, orphaned = false
        WHERE NOT b.processed AND (b.orphaned OR b.block_hash <> EXCLUDED.block_hash)
        RETURNING b.ordinal
        """,
        chain_id,
        [seen.tx_hash for seen in events],
        [seen.ordinal for seen in events],
        [seen.block_number for seen in events],
        [seen.block_hash for seen in events],
        [seen.log_index for seen in events],
        [seen.contract for seen in events],
        [seen.event.kind.value for seen in events],
        [orjson.dumps(args_of(seen.event)).decode() for seen in events],
    )
    return len(told)


async def orphan_above(tx: Tx, chain_id: int, number: int) -> int:
    """Set aside what was seen above this block and has had no effect yet; how many these are."""
    told = await tx.fetch(
        "UPDATE blockchain_events SET orphaned = true WHERE chain_id = $1 AND block_number > $2 "
        "AND NOT processed AND NOT orphaned RETURNING ordinal",
        chain_id,
        number,
    )
    return len(told)


_SEEN = """
    SELECT tx_hash, ordinal, block_number, block_hash, log_index, contract_address, event_name, args
    FROM blockchain_events WHERE chain_id = $1 AND block_number > $2 AND processed ORDER BY block_number, log_index
"""


async def processed_above(db: Database, chain_id: int, number: int) -> list[SeenEvent]:
    """What lies above this block and has had its effect."""
    async with db.reading() as connection:
        return [seen_of(row) for row in await connection.fetch(_SEEN, chain_id, number)]


async def lock_processed_above(tx: Tx, chain_id: int, number: int) -> list[SeenEvent]:
    """The same, unchanged until the commit; no other can get its effect meanwhile."""
    await tx.execute(
        "SELECT 1 FROM blockchain_events WHERE chain_id = $1 AND block_number > $2 FOR UPDATE",
        chain_id,
        number,
    )
    return [seen_of(row) for row in await tx.fetch(_SEEN, chain_id, number)]


async def relocate(tx: Tx, chain_id: int, events: Sequence[SeenEvent]) -> None:
    """Write down where events that have had their effect stand now."""
    await tx.executemany(
        "UPDATE blockchain_events SET block_number = $4, block_hash = $5, log_index = $6 "
        "WHERE chain_id = $1 AND tx_hash = $2 AND ordinal = $3",
        [
            (chain_id, seen.tx_hash, seen.ordinal, seen.block_number, seen.block_hash, seen.log_index)
            for seen in events
        ],
    )


def args_of(event: VaultEvent) -> dict[str, Any]:
    """The event as it is stored; amounts and references as text."""
    args: dict[str, Any] = {
        "token": event.token,
        "account": event.account,
        "counterparty": event.counterparty,
        "amount": str(event.amount),
        "reference": event.reference.hex() if event.reference is not None else None,
    }
    return args if event.delivered is None else args | {"delivered": _told(event.delivered)}


def event_of(event_name: str, args: dict[str, Any]) -> VaultEvent:
    """The stored event as a value."""
    return VaultEvent(
        kind=VaultEventKind(event_name),
        token=Address(args["token"]),
        account=Address(args["account"]),
        counterparty=Address(args["counterparty"]) if args["counterparty"] is not None else None,
        amount=int(args["amount"]),
        reference=bytes.fromhex(args["reference"]) if args["reference"] is not None else None,
        delivered=_delivered(args["reference"], args["delivered"]) if "delivered" in args else None,
    )


def _told(delivered: Delivered) -> dict[str, str]:
    return {
        "buyDigest": delivered.buy_digest.hex(),
        "sellDigest": delivered.sell_digest.hex(),
        "base": delivered.base,
        "quote": delivered.quote,
        "buyer": delivered.buyer,
        "seller": delivered.seller,
        "feeAccount": delivered.fee_account,
        "quantity": str(delivered.quantity),
        "quoteAmount": str(delivered.quote_amount),
        "buyerFee": str(delivered.buyer_fee),
        "sellerFee": str(delivered.seller_fee),
        "feesFrom": delivered.fees_from.value,
    }


def _delivered(reference: str, told: dict[str, str]) -> Delivered:
    return Delivered(
        trade_id=id_of(bytes.fromhex(reference)),
        buy_digest=bytes.fromhex(told["buyDigest"]),
        sell_digest=bytes.fromhex(told["sellDigest"]),
        base=Address(told["base"]),
        quote=Address(told["quote"]),
        buyer=Address(told["buyer"]),
        seller=Address(told["seller"]),
        fee_account=Address(told["feeAccount"]),
        quantity=int(told["quantity"]),
        quote_amount=int(told["quoteAmount"]),
        buyer_fee=int(told["buyerFee"]),
        seller_fee=int(told["sellerFee"]),
        fees_from=FeesFrom(told["feesFrom"]),
    )


def seen_of(row: Any) -> SeenEvent:
    return SeenEvent(
        tx_hash=row["tx_hash"],
        ordinal=row["ordinal"],
        block_number=row["block_number"],
        block_hash=row["block_hash"],
        log_index=row["log_index"],
        contract=Address(row["contract_address"]),
        event=event_of(row["event_name"], row["args"]),
    )
