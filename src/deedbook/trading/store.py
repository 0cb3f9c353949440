"""SQL of this room: pairs."""

from deedbook.infra.database import Tx
from deedbook.kernel.ids import MarketId, PairId
from deedbook.trading.terms import Pair, PairStatus


async def add_pair(tx: Tx, pair: Pair) -> bool:
    """Insert a pair; `False` when the market or the symbol has one already."""
    return (
        await tx.fetchval(
            """
            INSERT INTO trading_pairs (pair_id, symbol, market_id, base_token_id, quote_token_id, status, tick_size,
                lot_size, fee_bps)
            VALUES ($1, $2, $3, $4, $5, $6, $7::text::numeric, $8::text::numeric, $9)
            ON CONFLICT DO NOTHING RETURNING pair_id
            """,
            pair.pair_id,
            pair.terms.symbol,
            pair.market_id,
            pair.base_token_id,
            pair.quote_token_id,
            pair.status.value,
            pair.terms.tick_size,
            pair.terms.lot_size,
            pair.terms.fee_bps,
        )
        is not None
    )


async def set_status(tx: Tx, market_id: MarketId, status: PairStatus) -> tuple[PairId, str] | None:
    """Set the status of a market's pair; `None` when there is none, or nothing changed."""
    row = await tx.fetchrow(
        "UPDATE trading_pairs SET status = $2, updated_at = now() "
        "WHERE market_id = $1 AND status <> $2 AND status <> 'closed' RETURNING pair_id, symbol",
        market_id,
        status.value,
    )
    return (PairId(row["pair_id"]), row["symbol"]) if row else None
