"""SQL of what became of trades: settled by the contract's event, or failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deedbook.chain.watch_store import CURSOR
from deedbook.infra.database import Tx
from deedbook.kernel.ids import PairId, UserId
from deedbook.settlement.store.batches import _BATCH, _batch
from deedbook.settlement.terms import Batch, SettlementStatus
from deedbook.trading.terms import TradeId


@dataclass(frozen=True)
class Settlement:
    """A trade's settlement, with what its parties are told."""

    trade_id: TradeId
    pair_id: PairId
    buyer_id: UserId
    seller_id: UserId
    status: SettlementStatus
    buy_order_id: Any
    sell_order_id: Any
    taker_side: str
    price_ticks: int
    size_lots: int
    quote_amount: int
    buyer_fee: int
    seller_fee: int
    executed_at: datetime


@dataclass(frozen=True)
class Told:
    """A trade that the contract has settled: in which transaction, and with which fees."""

    settlement: Settlement
    tx_hash: str
    args: dict[str, Any]


_COLUMNS = """s.trade_id, s.pair_id, s.buyer_id, s.seller_id, s.status, t.buy_order_id, t.sell_order_id, t.taker_side,
    t.price_ticks, t.size_lots, t.quote_amount, t.buyer_fee, t.seller_fee, s.executed_at"""


async def lock_settled(tx: Tx, chain_id: int, limit: int) -> list[Told]:
    """Trades whose event lies deep enough and has had no effect here, in the order in which they settle."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS}, e.tx_hash, e.args
        FROM trade_settlements s JOIN trades t USING (trade_id)
        JOIN blockchain_events e ON e.event_name = 'trade_settled'
             AND e.args ->> 'reference' = rpad(replace(s.trade_id::text, '-', ''), 64, '0')
        WHERE s.status IN ('PENDING', 'SUBMITTED', 'UNKNOWN') AND s.sends > 0
          AND e.chain_id = $1 AND e.processed AND NOT e.orphaned
        ORDER BY s.place LIMIT $2 FOR UPDATE OF s
        """,
        chain_id,
        limit,
    )
    return [Told(_settlement(row), row["tx_hash"], row["args"]) for row in rows]


async def lock_one(tx: Tx, trade_id: TradeId) -> Settlement | None:
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS} FROM trade_settlements s JOIN trades t USING (trade_id) WHERE s.trade_id = $1 "
        "FOR UPDATE OF s",
        trade_id,
    )
    return _settlement(row) if row else None


async def set_settled(tx: Tx, told: Sequence[Told]) -> None:
    """Write that these are settled, and count them."""
    await tx.execute(
        """
        WITH done AS (
            UPDATE trade_settlements s SET status = 'SETTLED', tx_hash = n.tx_hash, reason = NULL, finished_at = now(),
                   updated_at = now()
            FROM unnest($1::uuid[], $2::text[]) AS n (trade_id, tx_hash) WHERE s.trade_id = n.trade_id
            RETURNING s.pair_id
        )
        UPDATE settlement_pairs p SET finished = p.finished + d.number
        FROM (SELECT pair_id, count(*) AS number FROM done GROUP BY pair_id) AS d WHERE p.pair_id = d.pair_id
        """,
        [entry.settlement.trade_id for entry in told],
        [entry.tx_hash for entry in told],
    )


async def set_failed(tx: Tx, trade_id: TradeId, pair_id: PairId, reason: str) -> None:
    await tx.execute(
        "UPDATE trade_settlements SET status = 'FAILED', reason = $2, finished_at = now(), updated_at = now() "
        "WHERE trade_id = $1",
        trade_id,
        reason,
    )
    await tx.execute("UPDATE settlement_pairs SET finished = finished + 1 WHERE pair_id = $1", pair_id)


async def lock_read_through(tx: Tx, chain_id: int, depth: int, limit: int) -> list[Batch]:
    """Batches in the chain for good whose events were all read and have had their effect, and that have trades left."""
    rows = await tx.fetch(
        f"""
        SELECT {_BATCH} FROM settlement_batches b
        WHERE b.chain_id = $1 AND b.status = 'CARRIED'
          AND EXISTS (SELECT 1 FROM trade_settlements s WHERE s.batch_id = b.batch_id
                      AND s.status IN ('SUBMITTED', 'UNKNOWN'))
          AND EXISTS (SELECT 1 FROM chain_cursors c WHERE c.chain_id = b.chain_id AND c.name = $2
                      AND c.stopped_reason IS NULL AND c.block_number >= b.block_number + $3)
          AND NOT EXISTS (SELECT 1 FROM blockchain_events e WHERE e.chain_id = b.chain_id AND e.tx_hash = b.tx_hash
                          AND NOT e.processed AND NOT e.orphaned)
        ORDER BY batch_number LIMIT $4 FOR UPDATE OF b
        """,
        chain_id,
        CURSOR,
        depth,
        limit,
    )
    return [_batch(row) for row in rows]


def _settlement(row: Any) -> Settlement:
    return Settlement(
        trade_id=TradeId(row["trade_id"]),
        pair_id=PairId(row["pair_id"]),
        buyer_id=UserId(row["buyer_id"]),
        seller_id=UserId(row["seller_id"]),
        status=SettlementStatus(row["status"]),
        buy_order_id=row["buy_order_id"],
        sell_order_id=row["sell_order_id"],
        taker_side=row["taker_side"],
        price_ticks=row["price_ticks"],
        size_lots=row["size_lots"],
        quote_amount=int(row["quote_amount"]),
        buyer_fee=int(row["buyer_fee"]),
        seller_fee=int(row["seller_fee"]),
        executed_at=row["executed_at"],
    )
