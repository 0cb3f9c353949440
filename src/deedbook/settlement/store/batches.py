"""SQL of trades on their way into a batch, and of the batches."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbook.chain.delivery import SignedText
from deedbook.identity.errors import SignatureMalformed
from deedbook.identity.signatures import recover
from deedbook.identity.typed_data import ORDER, SWAP
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import PairId, TokenId, UserId
from deedbook.settlement.terms import Batch, BatchId, BatchStatus, Waiting
from deedbook.trading.terms import TradeId

_STRUCTS = {struct.name: struct for struct in (ORDER, SWAP)}
_WAITING = """
    SELECT s.trade_id, s.place, s.pair_id, s.buyer_id, s.seller_id, p.base_token_id, p.quote_token_id, t.buy_order_id,
           t.sell_order_id, t.base_amount, t.quote_amount, t.buyer_fee, t.seller_fee, s.executed_at, s.sends, s.looks,
           s.batch_limit, s.refused_at, s.not_before
    FROM (
        -- First which, and only then all about them: what waits on pairs that the contract does not know may be much.
        SELECT * FROM trade_settlements
        WHERE status = 'PENDING'
          AND pair_id = ANY (ARRAY(SELECT pair_id FROM settlement_pairs WHERE listed_at IS NOT NULL))
        ORDER BY place LIMIT $1
    ) AS s JOIN trades t USING (trade_id) JOIN trading_pairs p ON p.pair_id = s.pair_id
    ORDER BY s.place
"""
USED_PERCENT = 50
"""What is known before anything was settled."""
SAY_SOMETHING = 5
_BATCH = "batch_id, batch_number, status, trades, gas, tx_hash, block_number"


async def waiting(db: Database, limit: int) -> list[Waiting]:
    """Trades that wait, in the order in which they settle; those of pairs that the contract knows."""
    async with db.reading() as connection:
        rows = await connection.fetch(_WAITING, limit)
    return [_waiting(row) for row in rows]


async def keys_under_way(db: Database) -> set[tuple[UserId, TokenId]]:
    """The balances that trades move which were sent and have not come back."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT DISTINCT u.user_id, k.token_id
            FROM trade_settlements s JOIN trading_pairs p USING (pair_id)
            CROSS JOIN LATERAL (VALUES (s.buyer_id), (s.seller_id)) AS u (user_id)
            CROSS JOIN LATERAL (VALUES (p.base_token_id), (p.quote_token_id)) AS k (token_id)
            WHERE s.status IN ('SUBMITTED', 'UNKNOWN')
            """
        )
    return {(UserId(row["user_id"]), TokenId(row["token_id"])) for row in rows}


async def signed_texts(db: Database, order_ids: Sequence[UUID]) -> dict[UUID, SignedText]:
    """What was signed for these orders."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT o.order_id, a.account, a.action, a.signed_text, a.signature, a.digest
            FROM orders o JOIN users u USING (user_id)
            JOIN signed_actions a ON (a.account, a.nonce, a.action_id) = (u.account, o.nonce, o.order_id)
            WHERE o.order_id = ANY ($1)
            """,
            list(order_ids),
        )
    return {row["order_id"]: _signed_text(row) for row in rows}


def _signed_text(row: Any) -> SignedText:
    struct, signature = _STRUCTS[row["action"]], bytes(row["signature"])
    try:
        by_key = recover(bytes(row["digest"]), signature) == row["account"]
    except SignatureMalformed:
        by_key = False  # as only a contract's can be
    return SignedText(struct, row["signed_text"], signature, asks_wallet=not by_key)


async def now(db: Database) -> datetime:
    async with db.reading() as connection:
        moment: datetime = await connection.fetchval("SELECT now()")
    return moment


async def lock_waiting(tx: Tx, trade_ids: Sequence[TradeId]) -> bool:
    """Hold these trades until the commit; `False` when one of them does not wait any more."""
    rows = await tx.fetch(
        "SELECT trade_id FROM trade_settlements WHERE trade_id = ANY ($1) AND status = 'PENDING' "
        "ORDER BY place FOR UPDATE",
        trade_ids,
    )
    return len(rows) == len(trade_ids)


async def add_batch(
    tx: Tx, batch_id: BatchId, chain_id: int, gas: int, data_bytes: int, trade_ids: Sequence[TradeId]
) -> None:
    """Write a batch, and that these trades are on their way in it."""
    await tx.execute(
        "INSERT INTO settlement_batches (batch_id, chain_id, trades, gas, data_bytes) VALUES ($1, $2, $3, $4, $5)",
        batch_id,
        chain_id,
        len(trade_ids),
        gas,
        data_bytes,
    )
    await tx.execute(
        """
        UPDATE trade_settlements SET status = 'SUBMITTED', batch_id = $1, sends = sends + 1, reason = NULL,
               refused_at = NULL, not_before = NULL, submitted_at = now(), updated_at = now()
        WHERE trade_id = ANY ($2)
        """,
        batch_id,
        trade_ids,
    )


async def note_refusal(tx: Tx, trade_id: TradeId, reason: str, not_before: datetime) -> None:
    """Keep why a trade waits, since when, and until when it is left alone."""
    await tx.execute(
        """
        UPDATE trade_settlements SET reason = $2, refused_at = COALESCE(refused_at, now()), not_before = $3,
               looks = looks + 1, updated_at = now()
        WHERE trade_id = $1 AND status = 'PENDING'
        """,
        trade_id,
        reason,
        not_before,
    )


async def note_known(tx: Tx, trade_ids: Sequence[TradeId]) -> None:
    """The contract has settled these before, for a database that knows nothing of it: their events are looked for."""
    await tx.execute(
        "UPDATE trade_settlements SET sends = greatest(sends, 1), updated_at = now(), "
        "not_before = now() + interval '30 seconds' WHERE trade_id = ANY ($1) AND status = 'PENDING'",
        trade_ids,
    )


async def open_batches(db: Database) -> list[Batch]:
    """Batches of which the chain has not said its last word, the oldest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"SELECT {_BATCH} FROM settlement_batches WHERE status IN ('SUBMITTED', 'UNKNOWN') ORDER BY batch_number"
        )
    return [_batch(row) for row in rows]


async def used_percent(db: Database) -> int:
    """The largest part of the gas that they had asked for that one of the newest batches has used. Those of a few
    trades use less than larger ones, and say nothing."""
    async with db.reading() as connection:
        used: int | None = await connection.fetchval(
            """
            SELECT max(ceil(gas_used * 100.0 / gas))::int FROM (
                SELECT gas, gas_used FROM settlement_batches
                WHERE status = 'CARRIED' AND trades >= $1 AND finished_at IS NOT NULL
                ORDER BY finished_at DESC LIMIT 20
            ) AS lately
            """,
            SAY_SOMETHING,
        )
    return USED_PERCENT if used is None else min(used, 100)


async def lock_open(tx: Tx, batch_id: BatchId) -> Batch | None:
    """The batch, until the commit nobody else's to change; `None` when it is finished."""
    row = await tx.fetchrow(
        f"SELECT {_BATCH} FROM settlement_batches WHERE batch_id = $1 AND status IN ('SUBMITTED', 'UNKNOWN') "
        "FOR UPDATE",
        batch_id,
    )
    return _batch(row) if row else None


async def doubt(tx: Tx, batch_id: BatchId) -> list[TradeId]:
    """Write that the chain has not answered; the trades concerned."""
    await tx.execute("UPDATE settlement_batches SET status = 'UNKNOWN' WHERE batch_id = $1", batch_id)
    rows = await tx.fetch(
        "UPDATE trade_settlements SET status = 'UNKNOWN', updated_at = now() "
        "WHERE batch_id = $1 AND status = 'SUBMITTED' RETURNING trade_id",
        batch_id,
    )
    return [TradeId(row["trade_id"]) for row in rows]


async def finish(
    tx: Tx,
    batch_id: BatchId,
    status: BatchStatus,
    *,
    tx_hash: str | None,
    block_number: int | None,
    gas_used: int | None,
    reason: str | None,
) -> None:
    await tx.execute(
        "UPDATE settlement_batches SET status = $2, tx_hash = $3, block_number = $4, gas_used = $5, reason = $6, "
        "finished_at = now() WHERE batch_id = $1",
        batch_id,
        status.value,
        tx_hash,
        block_number,
        gas_used,
        reason,
    )


async def back_to_waiting(
    tx: Tx, batch_id: BatchId, reason: str, *, batch_limit: int | None
) -> list[TradeId]:
    """Trades of a batch that it has not settled wait again; which these are."""
    rows = await tx.fetch(
        """
        UPDATE trade_settlements SET status = 'PENDING', reason = $2, batch_limit = COALESCE($3, batch_limit),
               updated_at = now()
        WHERE batch_id = $1 AND status IN ('SUBMITTED', 'UNKNOWN') RETURNING trade_id
        """,
        batch_id,
        reason,
        batch_limit,
    )
    return [TradeId(row["trade_id"]) for row in rows]


def _batch(row: Any) -> Batch:
    return Batch(
        BatchId(row["batch_id"]),
        row["batch_number"],
        BatchStatus(row["status"]),
        row["trades"],
        row["gas"],
        row["tx_hash"],
        row["block_number"],
    )


def _waiting(row: Any) -> Waiting:
    fields = dict(row)
    for name in ("base_amount", "quote_amount", "buyer_fee", "seller_fee"):
        fields[name] = int(fields[name])
    return Waiting(
        **{
            **fields,
            "trade_id": TradeId(fields["trade_id"]),
            "pair_id": PairId(fields["pair_id"]),
            "buyer_id": UserId(fields["buyer_id"]),
            "seller_id": UserId(fields["seller_id"]),
            "base_token_id": TokenId(fields["base_token_id"]),
            "quote_token_id": TokenId(fields["quote_token_id"]),
        }
    )
