"""Settlements as screens show them: to their parties, to operators, and in figures."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbook.chain.views import Depth
from deedbook.chain.views import depths as chain_depths
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import UserId
from deedbook.settlement.batching import key_of
from deedbook.settlement.model import undoing_id
from deedbook.settlement.terms import SettlementStatus
from deedbook.trading.terms import TradeId

_ON_THEIR_WAY = (SettlementStatus.SUBMITTED.value, SettlementStatus.UNKNOWN.value)
_COLUMNS = """s.trade_id, s.place, s.pair_id, p.symbol, s.buyer_id, s.seller_id, s.status, s.reason, s.batch_id,
    s.tx_hash, s.sends, s.not_before, s.executed_at, s.submitted_at, s.finished_at"""
_FROM = f"SELECT {_COLUMNS} FROM trade_settlements s JOIN trading_pairs p USING (pair_id)"
# One branch per side, each along its own index.
_OF_USER = f"""
    SELECT * FROM (
        ({_FROM} WHERE s.buyer_id = $1 AND ($2::text IS NULL OR s.status = $2)
            AND ($3::bigint IS NULL OR s.place < $3) ORDER BY s.place DESC LIMIT $4)
        UNION
        ({_FROM} WHERE s.seller_id = $1 AND ($2::text IS NULL OR s.status = $2)
            AND ($3::bigint IS NULL OR s.place < $3) ORDER BY s.place DESC LIMIT $4)
    ) AS mine ORDER BY place DESC LIMIT $4
"""


@dataclass(frozen=True)
class Summary:
    """Settlement in figures. Lag is from match to final, of the trades that settled lately; gas is of batches."""

    by_status: dict[str, int]
    failures: dict[str, int]
    waiting_by_reason: dict[str, int]
    batches_open: int
    oldest_open_s: float
    settled: int
    gas_per_trade: int | None
    lag_p50_s: float
    lag_p99_s: float


async def of_trade(db: Database, trade_id: UUID) -> dict[str, Any] | None:
    async with db.reading() as connection:
        row = await connection.fetchrow(f"{_FROM} WHERE s.trade_id = $1", trade_id)
    return dict(row) if row else None


async def undone_by(db: Database, user_id: UserId, moments: Collection[datetime]) -> dict[UUID, TradeId]:
    """Of a user's trades that will never settle, those that were undone at one of these moments, by the posting that
    undid them: it is written in the transaction in which they fail."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT trade_id FROM trade_settlements "
            "WHERE status = 'FAILED' AND finished_at = ANY ($2::timestamptz[]) AND $1 IN (buyer_id, seller_id)",
            user_id,
            list(moments),
        )
    return {undoing_id(TradeId(row["trade_id"])): TradeId(row["trade_id"]) for row in rows}


async def depths(db: Database, chain_id: int, rows: list[dict[str, Any]]) -> dict[UUID, Depth]:
    """Of these settlements, those whose batch is in a block and not final yet, and how deep it lies, by trade."""
    keys = {row["trade_id"]: key_of(row["batch_id"]) for row in rows if row["status"] in _ON_THEIR_WAY}
    found = await chain_depths(db, chain_id, sorted(set(keys.values()))) if keys else {}
    return {trade_id: found[key] for trade_id, key in keys.items() if key in found}


async def within(tx: Tx, trade_id: UUID) -> dict[str, Any]:
    """The same for one that is known to be there, as a transaction under way sees it."""
    row = await tx.fetchrow(f"{_FROM} WHERE s.trade_id = $1", trade_id)
    assert row is not None, "it was locked in this transaction"
    return dict(row)


async def of_user(
    db: Database, user_id: UserId, status: SettlementStatus | None, before: int | None, limit: int
) -> list[dict[str, Any]]:
    """A user's settlements, newest first."""
    wanted = status.value if status is not None else None
    async with db.reading() as connection:
        rows = await connection.fetch(_OF_USER, user_id, wanted, before, limit)
    return [dict(row) for row in rows]


async def listing(
    db: Database,
    status: SettlementStatus | None,
    stuck_for_s: int | None,
    before: int | None,
    limit: int,
) -> list[dict[str, Any]]:
    """All settlements, newest first; with `stuck_for_s` those that are neither settled nor failed after so long."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"""
            {_FROM} WHERE ($1::text IS NULL OR s.status = $1) AND ($2::bigint IS NULL OR s.place < $2)
              AND ($3::int IS NULL OR (s.status IN ('PENDING', 'SUBMITTED', 'UNKNOWN')
                                       AND s.executed_at < now() - make_interval(secs => $3)))
            ORDER BY s.place DESC LIMIT $4
            """,
            status.value if status is not None else None,
            before,
            stuck_for_s,
            limit,
        )
    return [dict(row) for row in rows]


async def summary(db: Database) -> Summary:
    """How settlement is doing."""
    async with db.reading() as connection:
        totals = await connection.fetchrow(
            """
            SELECT (SELECT COALESCE(sum(finished), 0)::bigint FROM settlement_pairs) AS finished,
                   (SELECT COALESCE(sum(trade_number), 0)::bigint FROM pair_writer) AS trades,
                   (SELECT count(*) FROM trade_settlements WHERE status = 'FAILED') AS failed
            """
        )
        open_now = await connection.fetch(
            """
            SELECT status, count(*) AS number, min(executed_at) AS oldest,
                   COALESCE(extract(epoch FROM now() - min(executed_at)), 0)::float8 AS age
            FROM trade_settlements WHERE status IN ('PENDING', 'SUBMITTED', 'UNKNOWN') GROUP BY status
            """
        )
        failures = await connection.fetch(
            "SELECT reason, count(*) AS number FROM trade_settlements WHERE status = 'FAILED' GROUP BY reason "
            "ORDER BY 2 DESC LIMIT 50"
        )
        waiting = await connection.fetch(
            "SELECT reason, count(*) AS number FROM trade_settlements WHERE status = 'PENDING' "
            "AND reason IS NOT NULL GROUP BY reason ORDER BY 2 DESC LIMIT 50"
        )
        lately = await connection.fetchrow(_LATELY)
        batches = await connection.fetchval(
            "SELECT count(*) FROM settlement_batches WHERE status IN ('SUBMITTED', 'UNKNOWN')"
        )
    assert totals is not None and lately is not None
    finished, failed = totals["finished"], totals["failed"]
    counts = {row["status"]: row["number"] for row in open_now}
    sent = sum(counts.get(name, 0) for name in ("SUBMITTED", "UNKNOWN"))
    counts["PENDING"] = totals["trades"] - finished - sent
    return Summary(
        by_status={**counts, "SETTLED": finished - failed, "FAILED": failed},
        failures={row["reason"]: row["number"] for row in failures},
        waiting_by_reason={row["reason"]: row["number"] for row in waiting},
        batches_open=batches,
        oldest_open_s=max((row["age"] for row in open_now), default=0.0),
        settled=finished - failed,
        gas_per_trade=lately["gas_per_trade"],
        lag_p50_s=round(lately["p50"], 3),
        lag_p99_s=round(lately["p99"], 3),
    )


_LATELY = """
    WITH batches AS (
        SELECT batch_id, trades, gas_used FROM settlement_batches
        WHERE finished_at IS NOT NULL AND status = 'CARRIED' ORDER BY finished_at DESC LIMIT 20
    ), lags AS (
        SELECT extract(epoch FROM s.finished_at - s.executed_at)::float8 AS lag
        FROM trade_settlements s JOIN batches USING (batch_id) WHERE s.status = 'SETTLED'
    )
    SELECT (SELECT (sum(gas_used) / NULLIF(sum(trades), 0))::bigint FROM batches) AS gas_per_trade,
           COALESCE(percentile_cont(0.5) WITHIN GROUP (ORDER BY lag), 0) AS p50,
           COALESCE(percentile_cont(0.99) WITHIN GROUP (ORDER BY lag), 0) AS p99
    FROM lags
"""


async def orders_of_batch(db: Database, batch_id: UUID) -> tuple[list[UUID], float, float]:
    """The orders whose trades a batch carries, and from when until when it was on its way, in seconds of Unix time."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT t.buy_order_id, t.sell_order_id, extract(epoch FROM b.created_at)::float AS sent,
                   extract(epoch FROM COALESCE(b.finished_at, now()))::float AS ended
            FROM trade_settlements s JOIN trades t USING (trade_id) JOIN settlement_batches b USING (batch_id)
            WHERE s.batch_id = $1
            """,
            batch_id,
        )
    named = {order_id for row in rows for order_id in (row["buy_order_id"], row["sell_order_id"])}
    sent, ended = (rows[0]["sent"], rows[0]["ended"]) if rows else (0.0, 0.0)
    return sorted(named), sent, ended
