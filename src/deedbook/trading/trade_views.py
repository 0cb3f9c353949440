"""Trades and the open book as screens see them."""

from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.infra.database import Database
from deedbook.infra.telemetry import MARKET_DATA_READS
from deedbook.kernel.checksum import book_checksum
from deedbook.kernel.clock import to_wire
from deedbook.kernel.ids import PairId, UserId
from deedbook.trading.book_copies import (
    DEPTH_LEVELS,
    RECENT,
    depth_key,
    recent_key,
    trade_text,
    writer_key,
)
from deedbook.trading.order_store import StoredTrade
from deedbook.trading.spec import PairSpec

_TRADE = """
    SELECT t.trade_id, t.pair_id, t.trade_number, t.taker_side, t.buy_order_id, t.sell_order_id, t.buyer_id,
           t.seller_id, t.price_ticks, t.size_lots, t.quote_amount, t.buyer_fee, t.seller_fee, t.settlement_status,
           t.tx_hash, t.executed_at
    FROM trades t
"""
# One branch per side, each along its own index.
_OF_USER = """
    SELECT * FROM (
        (TRADE WHERE t.buyer_id = $1 AND ($2::uuid IS NULL OR t.pair_id = $2)
            AND ($3::uuid IS NULL OR t.trade_id < $3) ORDER BY t.trade_id DESC LIMIT $4)
        UNION
        (TRADE WHERE t.seller_id = $1 AND ($2::uuid IS NULL OR t.pair_id = $2)
            AND ($3::uuid IS NULL OR t.trade_id < $3) ORDER BY t.trade_id DESC LIMIT $4)
    ) AS mine ORDER BY trade_id DESC LIMIT $4
""".replace("TRADE", _TRADE)
_SIDE = """
    SELECT price_ticks, sum(remaining_lots)::bigint AS lots FROM orders
    WHERE pair_id = $1 AND side = $2 AND living AND match_seq IS NOT NULL AND triggered
    GROUP BY price_ticks ORDER BY price_ticks
"""


async def trades_of_user(
    db: Database, user_id: UserId, *, pair_id: PairId | None, before: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """A user's trades, newest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(_OF_USER, user_id, pair_id, before, limit)
    return [dict(row) for row in rows]


async def trades_by_id(db: Database, trade_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """These trades."""
    async with db.reading() as connection:
        rows = await connection.fetch(_TRADE + " WHERE t.trade_id = ANY ($1)", list(trade_ids))
    return [dict(row) for row in rows]


async def tape(db: Database, pair_id: PairId, *, before: int | None, limit: int) -> list[dict[str, Any]]:
    """A pair's trades, newest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            _TRADE
            + " WHERE t.pair_id = $1 AND ($2::bigint IS NULL OR t.trade_number < $2) "
            + "ORDER BY t.trade_number DESC LIMIT $3",
            pair_id,
            before,
            limit,
        )
    return [dict(row) for row in rows]


async def page(
    db: Database, redis: Redis, spec: PairSpec, *, before: int | None, limit: int
) -> tuple[list[str], int | None]:
    """A pair's trades as everybody may see them, newest first, as JSON: the newest from their copy, if there is one.
    With them the number from which older ones follow, if there are any."""
    copied = await recent(redis, spec.pair_id, limit) if before is None and limit <= RECENT else None
    MARKET_DATA_READS.labels("database" if copied is None else "copy").inc()
    if copied is not None:
        told, last = copied
    else:
        rows = await tape(db, spec.pair_id, before=before, limit=limit)
        told, last = [_tape_text(row, spec) for row in rows], rows[-1]["trade_number"] if rows else 1
    return told, older_than(last)


def older_than(last: int) -> int | None:
    """The number from which older trades follow, if there are any: numbers have no gap, from one on."""
    return last if last > 1 else None


async def recent(redis: Redis, pair_id: PairId, limit: int) -> tuple[list[str], int] | None:
    """The newest of a pair's trades from their copy, as JSON, and the number of the last of them; `None` where there
    is no copy, or it may lack some of them."""
    try:
        async with redis.pipeline(transaction=True) as pipe:
            pipe.exists(writer_key(pair_id))
            pipe.lrange(recent_key(pair_id), 0, limit - 1)
            whole, told = await cast("Awaitable[tuple[int, list[str]]]", pipe.execute())
    except (RedisError, OSError, TimeoutError):
        return None
    return of_copy(told, limit) if whole else None


def of_copy(told: Sequence[str], limit: int) -> tuple[list[str], int] | None:
    """The newest trades and the number of the last of them, from so many of a whole copy's; `None` where it may lack
    some of them."""
    last = int(orjson.loads(told[-1])["seq"]) if told else 0
    if not told or (len(told) < limit and last != 1):
        return None
    return [_as_on_the_tape(trade) for trade in told], last


def _as_on_the_tape(trade: str) -> str:
    """A copy begins with `{"tradeId":`, an answer with `{"id":`."""
    return '{"id"' + trade.removeprefix('{"tradeId"')


def _tape_text(row: dict[str, Any], spec: PairSpec) -> str:
    stored = StoredTrade(
        trade_id=row["trade_id"],
        number=row["trade_number"],
        taker_side=row["taker_side"],
        price=row["price_ticks"],
        size=row["size_lots"],
        executed_at=row["executed_at"],
    )
    return _as_on_the_tape(trade_text(spec, stored, to_wire(stored.executed_at)).decode())


def on_the_tape(row: dict[str, Any], spec: PairSpec) -> dict[str, Any]:
    """A trade as everybody may see it: nobody is named."""
    return {
        "id": row["trade_id"],
        "seq": row["trade_number"],
        "price": spec.price_text(row["price_ticks"]),
        "quantity": spec.size_text(row["size_lots"]),
        "takerSide": row["taker_side"],
        "executedAt": row["executed_at"],
    }


def of_party(row: dict[str, Any], spec: PairSpec, user_id: UUID) -> dict[str, Any]:
    """A trade as one of its parties sees it."""
    buy = row["buyer_id"] == user_id
    side = "BUY" if buy else "SELL"
    return {
        **on_the_tape(row, spec),
        "tradingPairId": row["pair_id"],
        "pair": spec.symbol,
        "orderId": row["buy_order_id" if buy else "sell_order_id"],
        "side": side,
        "role": "TAKER" if side == row["taker_side"] else "MAKER",
        "value": spec.quote_text(int(row["quote_amount"])),
        "fee": spec.fee_text(int(row["buyer_fee" if buy else "seller_fee"]), buy=buy),
        "feeTokenId": spec.fee_token_id(buy=buy),
        "settlementStatus": row["settlement_status"],
        "txHash": row["tx_hash"],
    }


def of_line(
    row: dict[str, Any], spec: PairSpec, user_id: UUID, token_id: UUID, *, undone: bool = False
) -> dict[str, Any]:
    """A trade beside the line of a party's ledger that it made in this token, or that undoes it. The fee stands beside
    one line only, the one that it was taken of or given back with: whoever adds fees up has what was paid."""
    told = of_party(row, spec, user_id)
    _, _, quote_symbol = spec.symbol.rpartition("-")
    fee = told["fee"] if told["feeTokenId"] == token_id else None
    return {
        "id": row["trade_id"],
        "pair": spec.symbol,
        "side": told["side"],
        "price": told["price"],
        "priceSymbol": quote_symbol,
        "fee": f"-{fee}" if undone and fee not in (None, "0") else fee,
    }


async def depth(db: Database, redis: Redis, spec: PairSpec, levels: int) -> dict[str, Any]:
    """The aggregated book: the copy in Redis, or what PostgreSQL says where there is none."""
    copy = await _copied(redis, spec.pair_id)
    MARKET_DATA_READS.labels("copy" if copy else "database").inc()
    return best(copy or await depth_stored(db, spec), levels)


def best(told: Mapping[str, Any], levels: int) -> dict[str, Any]:
    """The best levels of an aggregated book, and their checksum."""
    bids, asks = told["bids"][:levels], told["asks"][:levels]
    return {**told, "bids": bids, "asks": asks, "checksum": book_checksum(bids, asks)}


async def depth_stored(db: Database, spec: PairSpec) -> dict[str, Any]:
    """The aggregated book as of the last commit of the pair's writer."""
    async with db.reading() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        seq = await connection.fetchval("SELECT fact_seq FROM pair_writer WHERE pair_id = $1", spec.pair_id)
        bids = await connection.fetch(f"{_SIDE} DESC LIMIT {DEPTH_LEVELS}", spec.pair_id, "BUY")
        asks = await connection.fetch(f"{_SIDE} ASC LIMIT {DEPTH_LEVELS}", spec.pair_id, "SELL")
    return {
        "tradingPairId": str(spec.pair_id),
        "pair": spec.symbol,
        "seq": seq or 0,
        "bids": [[spec.price_text(row["price_ticks"]), spec.size_text(row["lots"])] for row in bids],
        "asks": [[spec.price_text(row["price_ticks"]), spec.size_text(row["lots"])] for row in asks],
    }


async def _copied(redis: Redis, pair_id: PairId) -> dict[str, Any] | None:
    try:
        copy = await redis.get(depth_key(pair_id))
    except (RedisError, OSError, TimeoutError):
        return None
    return orjson.loads(copy) if copy else None
