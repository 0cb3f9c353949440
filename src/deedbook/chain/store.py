"""SQL of this room: transactions, attempts, wallets, contract addresses."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from deedbook.chain.terms import Call, ChainTransaction, Contract, Receipt, SignedTransaction, TxStatus
from deedbook.identity.terms import Address
from deedbook.infra.database import CORRELATION_ID, Database, Tx
from deedbook.kernel.ids import new_uuid

_COLUMNS = """transaction_id, key, wallet, to_address, data, gas, status, nonce, tx_hash, block_number, block_hash,
    contract_address, error, gas_used"""


@dataclass(frozen=True)
class Attempt:
    """Signed bytes that were, or are about to be, sent."""

    transaction_id: UUID
    attempt: int
    tx_hash: str
    raw: bytes
    gas_price: int
    created_at: datetime
    broadcast_at: datetime | None


@dataclass(frozen=True)
class Wallet:
    """A nonce lane."""

    address: Address
    next_nonce: int
    stopped_reason: str | None


async def add(tx: Tx, key: str, wallet: Address, call: Call) -> None:
    """Queue a transaction under a key that can be used once."""
    await tx.execute(
        """
        INSERT INTO chain_transactions (transaction_id, key, wallet, to_address, data, gas, correlation_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING
        """,
        new_uuid(),
        key,
        wallet,
        call.to,
        call.data,
        call.gas,
        CORRELATION_ID.get(),
    )


async def by_key(db: Database, key: str) -> ChainTransaction | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM chain_transactions WHERE key = $1", key)
    return _transaction(row) if row else None


async def statuses(db: Database, keys: list[str]) -> dict[str, TxStatus]:
    """Where the transactions are that were asked for under these keys."""
    async with db.reading() as connection:
        rows = await connection.fetch("SELECT key, status FROM chain_transactions WHERE key = ANY ($1)", keys)
    return {row["key"]: TxStatus(row["status"]) for row in rows}


async def has_key(tx: Tx, key: str) -> bool:
    return bool(await tx.fetchval("SELECT EXISTS (SELECT 1 FROM chain_transactions WHERE key = $1)", key))


async def creation_block(db: Database, address: Address) -> int | None:
    async with db.reading() as connection:
        found: int | None = await connection.fetchval(
            "SELECT block_number FROM chain_transactions WHERE contract_address = $1 AND status = 'confirmed'",
            address,
        )
    return found


async def lock_wallet(tx: Tx, wallet: Address) -> Wallet | None:
    """Lock the lane; `None` when it is not known yet or another process is allocating from it."""
    row = await tx.fetchrow(
        "SELECT address, next_nonce, stopped_reason FROM chain_wallets WHERE address = $1 FOR UPDATE SKIP LOCKED",
        wallet,
    )
    return Wallet(**dict(row)) if row else None


async def await_wallet(tx: Tx, wallet: Address) -> Wallet | None:
    """Lock the lane, after whoever holds it now."""
    row = await tx.fetchrow(
        "SELECT address, next_nonce, stopped_reason FROM chain_wallets WHERE address = $1 FOR UPDATE", wallet
    )
    return Wallet(**dict(row)) if row else None


async def wallet(db: Database, address: Address) -> Wallet | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT address, next_nonce, stopped_reason FROM chain_wallets WHERE address = $1", address
        )
    return Wallet(**dict(row)) if row else None


async def add_wallet(tx: Tx, address: Address, next_nonce: int) -> None:
    await tx.execute(
        "INSERT INTO chain_wallets (address, next_nonce) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        address,
        next_nonce,
    )


async def set_next_nonce(tx: Tx, address: Address, next_nonce: int) -> None:
    await tx.execute(
        "UPDATE chain_wallets SET next_nonce = $2, updated_at = now() WHERE address = $1", address, next_nonce
    )


async def stop_wallet(tx: Tx, address: Address, reason: str | None) -> None:
    await tx.execute(
        "UPDATE chain_wallets SET stopped_reason = $2, updated_at = now() WHERE address = $1", address, reason
    )


async def in_flight_count(tx: Tx, wallet: Address) -> int:
    count = await tx.fetchval(
        "SELECT count(*) FROM chain_transactions WHERE wallet = $1 AND status IN ('signed', 'sent')", wallet
    )
    assert isinstance(count, int)
    return count


async def queued(tx: Tx, wallet: Address, limit: int) -> list[ChainTransaction]:
    """The next transactions to sign, in the order in which they were asked for: none is skipped, since what
    was asked later may rest on what was asked before."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM chain_transactions WHERE wallet = $1 AND status = 'queued'
        ORDER BY position LIMIT $2 FOR UPDATE
        """,
        wallet,
        limit,
    )
    return [_transaction(row) for row in rows]


async def open_transactions(db: Database, wallet: Address) -> list[ChainTransaction]:
    """Signed, sent and mined ones, by nonce."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_COLUMNS} FROM chain_transactions
            WHERE wallet = $1 AND status IN ('signed', 'sent', 'mined') ORDER BY nonce
            """,
            wallet,
        )
    return [_transaction(row) for row in rows]


async def attempts_of(db: Database, ids: list[UUID]) -> dict[UUID, list[Attempt]]:
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT transaction_id, attempt, tx_hash, raw, gas_price, created_at, broadcast_at FROM chain_attempts "
            "WHERE transaction_id = ANY($1) ORDER BY attempt",
            ids,
        )
    found: dict[UUID, list[Attempt]] = {id_: [] for id_ in ids}
    for row in rows:
        fields: dict[str, Any] = {**dict(row), "gas_price": int(row["gas_price"])}
        found[row["transaction_id"]].append(Attempt(**fields))
    return found


async def attempt_count(tx: Tx, transaction_id: UUID) -> int:
    count = await tx.fetchval("SELECT count(*) FROM chain_attempts WHERE transaction_id = $1", transaction_id)
    assert isinstance(count, int)
    return count


async def mark_signed(
    tx: Tx, transaction_id: UUID, nonce: int, attempt: int, signed: SignedTransaction, gas_price: int
) -> bool:
    """Store the bytes; `False` when it is mined meanwhile. Only after this has committed may they be sent."""
    stored = await tx.fetchval(
        "UPDATE chain_transactions SET status = 'signed', nonce = $2, tx_hash = $3, "
        "signed_at = COALESCE(signed_at, now()) "
        "WHERE transaction_id = $1 AND status IN ('queued', 'signed', 'sent') RETURNING transaction_id",
        transaction_id,
        nonce,
        signed.tx_hash,
    )
    if stored is None:
        return False
    await tx.execute(
        "INSERT INTO chain_attempts (transaction_id, attempt, tx_hash, raw, gas_price) VALUES ($1, $2, $3, $4, $5)",
        transaction_id,
        attempt,
        signed.tx_hash,
        signed.raw,
        gas_price,
    )
    return True


async def mark_broadcast(tx: Tx, attempt: Attempt) -> None:
    await tx.execute(
        "UPDATE chain_attempts SET broadcast_at = now() WHERE transaction_id = $1 AND attempt = $2",
        attempt.transaction_id,
        attempt.attempt,
    )
    await tx.execute(
        "UPDATE chain_transactions SET status = 'sent' WHERE transaction_id = $1 AND status = 'signed'",
        attempt.transaction_id,
    )


async def mark_mined(tx: Tx, transaction_id: UUID, receipt: Receipt) -> None:
    await tx.execute(
        """
        UPDATE chain_transactions SET status = 'mined', tx_hash = $2, block_number = $3, block_hash = $4,
               gas_used = $5, contract_address = $6
        WHERE transaction_id = $1 AND status IN ('signed', 'sent', 'mined')
        """,
        transaction_id,
        receipt.tx_hash,
        receipt.block_number,
        receipt.block_hash,
        receipt.gas_used,
        receipt.contract_address,
    )


async def mark_unmined(tx: Tx, transaction_id: UUID, block_hash: str | None) -> bool:
    """The block is gone: back to `sent`, to be sent again with the same bytes. `False` when it has moved on
    meanwhile, into another block or to its end."""
    gone = await tx.fetchval(
        """
        UPDATE chain_transactions
        SET status = 'sent', block_number = NULL, block_hash = NULL, gas_used = NULL, contract_address = NULL
        WHERE transaction_id = $1 AND status = 'mined' AND block_hash IS NOT DISTINCT FROM $2
        RETURNING transaction_id
        """,
        transaction_id,
        block_hash,
    )
    return gone is not None


async def mark_lost(tx: Tx, transaction_ids: list[UUID]) -> None:
    """Final transactions that the chain has lost: back to `sent`, to be sent again with the same bytes."""
    await tx.execute(
        """
        UPDATE chain_transactions SET status = 'sent', block_number = NULL, block_hash = NULL, gas_used = NULL,
               contract_address = NULL, error = NULL, finished_at = NULL
        WHERE transaction_id = ANY($1) AND status IN ('confirmed', 'reverted')
        """,
        transaction_ids,
    )


async def requeue(tx: Tx, transaction_ids: list[UUID]) -> None:
    """Calls whose nonce others used: to be given another. Their old bytes can never be mined."""
    await tx.execute(
        """
        UPDATE chain_transactions SET status = 'queued', nonce = NULL, tx_hash = NULL, signed_at = NULL
        WHERE transaction_id = ANY($1) AND status IN ('signed', 'sent')
        """,
        transaction_ids,
    )


async def mark_final(tx: Tx, transaction_id: UUID, status: TxStatus, error: str | None) -> bool:
    """Finish a transaction; `False` when it was finished already."""
    return (
        await tx.fetchval(
            "UPDATE chain_transactions SET status = $2, error = $3, finished_at = now() "
            "WHERE transaction_id = $1 AND status = 'mined' RETURNING transaction_id",
            transaction_id,
            status.value,
            error,
        )
        is not None
    )


async def finished_nonces(db: Database, wallet: Address) -> tuple[int, int] | None:
    """The lowest and the highest nonce of a final transaction; `None` while there is none."""
    async with db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT min(nonce) AS lowest, max(nonce) AS highest FROM chain_transactions "
            "WHERE wallet = $1 AND status IN ('confirmed', 'reverted')",
            wallet,
        )
    assert row is not None
    return None if row["lowest"] is None else (row["lowest"], row["highest"])


async def finished_between(
    db: Database, wallet: Address, first_nonce: int, last_nonce: int
) -> list[ChainTransaction]:
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_COLUMNS} FROM chain_transactions
            WHERE wallet = $1 AND nonce BETWEEN $2 AND $3 AND status IN ('confirmed', 'reverted') ORDER BY nonce
            """,
            wallet,
            first_nonce,
            last_nonce,
        )
    return [_transaction(row) for row in rows]


async def has_nonce(db: Database, wallet: Address, nonce: int) -> bool:
    """Whether a transaction of ours has this nonce."""
    async with db.reading() as connection:
        found = await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM chain_transactions WHERE wallet = $1 AND nonce = $2)", wallet, nonce
        )
    return bool(found)


async def lane_depth(db: Database) -> dict[TxStatus, int]:
    """How many transactions are not in the chain for good, by where they are."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT status, count(*) AS number FROM chain_transactions "
            "WHERE status IN ('queued', 'signed', 'sent', 'mined') GROUP BY status"
        )
    return {TxStatus(row["status"]): row["number"] for row in rows}


async def is_queued(db: Database, wallet: Address) -> bool:
    """Whether a call waits for its nonce."""
    async with db.reading() as connection:
        waiting = await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM chain_transactions WHERE wallet = $1 AND status = 'queued')", wallet
        )
    return bool(waiting)


async def sent_below(db: Database, wallet: Address, nonce: int, age: timedelta) -> list[ChainTransaction]:
    """Transactions not seen mined, below this nonce, and signed at least so long ago."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            SELECT {_COLUMNS} FROM chain_transactions
            WHERE wallet = $1 AND nonce < $2 AND status IN ('signed', 'sent') AND signed_at <= now() - $3::interval
            ORDER BY nonce
            """,
            wallet,
            nonce,
            age,
        )
    return [_transaction(row) for row in rows]


async def bind_network(tx: Tx, chain_id: int) -> int:
    """Bind this database to a chain for ever; answers the chain that it is bound to."""
    await tx.execute("INSERT INTO chain_network (chain_id) VALUES ($1) ON CONFLICT DO NOTHING", chain_id)
    bound = await tx.fetchval("SELECT chain_id FROM chain_network")
    assert isinstance(bound, int)
    return bound


async def add_contract(tx: Tx, chain_id: int, contract: Contract, address: Address) -> None:
    await tx.execute(
        "INSERT INTO chain_contracts (chain_id, name, address) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        chain_id,
        contract.value,
        address,
    )


async def contracts(db: Database, chain_id: int) -> dict[Contract, Address]:
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT name, address FROM chain_contracts WHERE chain_id = $1", chain_id
        )
    return {Contract(row["name"]): Address(row["address"]) for row in rows}


def _transaction(row: asyncpg.Record) -> ChainTransaction:
    fields = dict(row)
    call = Call(fields.pop("to_address"), fields.pop("data"), fields.pop("gas"))
    return ChainTransaction(**{**fields, "status": TxStatus(fields["status"])}, call=call)
