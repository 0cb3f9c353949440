"""SQL of this room: pairs."""

from deedbook.infra.database import Tx
from deedbook.kernel.ids import MarketId, PairId
from deedbook.ledger import AccountId
from deedbook.trading.terms import CommandKind, Pair, PairStatus


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


async def set_status(
    tx: Tx, market_id: MarketId, status: PairStatus
) -> tuple[PairId, str, PairStatus] | None:
    """Set the status of a market's pair; its id, symbol and former status, or `None` when nothing changed."""
    row = await tx.fetchrow(
        """
        WITH former AS (SELECT pair_id, status FROM trading_pairs WHERE market_id = $1 FOR UPDATE)
        UPDATE trading_pairs p SET status = $2, updated_at = now() FROM former f
        WHERE p.pair_id = f.pair_id AND f.status NOT IN ($2, 'closed') RETURNING p.pair_id, p.symbol, f.status
        """,
        market_id,
        status.value,
    )
    return (PairId(row["pair_id"]), row["symbol"], PairStatus(row["status"])) if row else None


async def set_fee_account(tx: Tx, pair_id: PairId, account_id: AccountId) -> None:
    """Say where the pair's fees go; the row of its writer comes with it."""
    await tx.execute(
        "UPDATE trading_pairs SET fee_account_id = $2 WHERE pair_id = $1 AND fee_account_id IS NULL",
        pair_id,
        account_id,
    )
    await tx.execute("INSERT INTO pair_writer (pair_id) VALUES ($1) ON CONFLICT DO NOTHING", pair_id)


async def add_pair_command(tx: Tx, pair_id: PairId, kind: CommandKind) -> None:
    """Tell the pair's book; it obeys in the order of intake."""
    await tx.execute("INSERT INTO order_commands (pair_id, kind) VALUES ($1, $2)", pair_id, kind.value)
