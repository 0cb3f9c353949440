"""SQL of pairs: opened, changed, and what they trade by."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import MarketId, PairId, TokenId
from deedbook.ledger import AccountId
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import CommandKind, FeeMode, Pair, PairStatus


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


async def spec(db: Database, pair_id: PairId) -> PairSpec | None:
    """What the pair trades by."""
    async with db.reading() as connection:
        row = await connection.fetchrow(_SPEC + " WHERE p.pair_id = $1", pair_id)
    return _spec(row) if row else None


async def specs(db: Database, limit: int) -> list[PairSpec]:
    """What all pairs trade by, by symbol."""
    async with db.reading() as connection:
        rows = await connection.fetch(_SPEC + " ORDER BY p.symbol LIMIT $1", limit)
    return [_spec(row) for row in rows]


async def spec_within(tx: Tx, pair_id: PairId) -> PairSpec | None:
    """The same in a transaction that is under way."""
    row = await tx.fetchrow(_SPEC + " WHERE p.pair_id = $1", pair_id)
    return _spec(row) if row else None


_SPEC = """
    SELECT p.pair_id, p.symbol, p.status, p.base_token_id, p.quote_token_id, b.decimals AS base_decimals,
           q.decimals AS quote_decimals, b.token_type = 'RWA' AS base_is_rwa,
           (p.tick_size * 1000000000000000000)::numeric(78, 0) AS tick,
           (p.lot_size * 1000000000000000000)::numeric(78, 0) AS lot,
           p.fee_bps, p.fee_mode, p.fee_account_id, p.min_quantity_lots, p.max_quantity_lots, p.min_notional,
           p.max_open_orders, p.protection_bps, p.max_backlog, p.congested
    FROM trading_pairs p JOIN tokens b ON b.token_id = p.base_token_id JOIN tokens q ON q.token_id = p.quote_token_id
"""


def _spec(row: Any) -> PairSpec:
    fields = dict(row)
    tick, lot = int(fields.pop("tick")), int(fields.pop("lot"))
    return PairSpec(
        pair_id=PairId(_id(fields.pop("pair_id"))),
        base_token_id=TokenId(_id(fields.pop("base_token_id"))),
        quote_token_id=TokenId(_id(fields.pop("quote_token_id"))),
        status=PairStatus(fields.pop("status")),
        fee_mode=FeeMode(fields.pop("fee_mode")),
        fee_account_id=AccountId(_id(fields.pop("fee_account_id"))),
        min_notional=int(fields.pop("min_notional")),
        tick=tick,
        lot=lot,
        lot_units=lot * 10 ** fields["base_decimals"] // 10**18,
        unit_quote=tick * lot * 10 ** fields["quote_decimals"] // 10**36,
        **fields,
    )


def _id(found: UUID) -> UUID:
    """A plain one: the driver's own kind is nothing that can be written as JSON."""
    return UUID(int=found.int)


COLUMNS = (
    "status",
    "fee_bps",
    "fee_mode",
    "min_quantity_lots",
    "max_quantity_lots",
    "min_notional",
    "max_open_orders",
    "protection_bps",
)


async def locked(tx: Tx, pair_id: PairId) -> dict[str, Any] | None:
    """The pair, until this transaction ends nobody else's to change."""
    row = await tx.fetchrow(
        """
        SELECT p.pair_id, p.symbol, p.market_id, p.status, trim_scale(p.tick_size)::text AS tick_size,
               trim_scale(p.lot_size)::text AS lot_size, p.fee_bps, p.fee_mode, p.min_quantity_lots,
               p.max_quantity_lots, p.min_notional, p.max_open_orders, p.protection_bps, q.decimals AS quote_decimals
        FROM trading_pairs p JOIN tokens q ON q.token_id = p.quote_token_id WHERE p.pair_id = $1 FOR UPDATE OF p
        """,
        pair_id,
    )
    return dict(row) if row else None


async def set_columns(tx: Tx, pair_id: PairId, columns: Mapping[str, Any]) -> None:
    """Change these columns of a pair, and leave the others."""
    assert columns.keys() <= set(COLUMNS), "no others are changed here"
    await tx.execute(_SET, pair_id, *(columns.get(name) for name in COLUMNS))


_SET = """
    UPDATE trading_pairs SET status = COALESCE($2, status), fee_bps = COALESCE($3, fee_bps),
        fee_mode = COALESCE($4, fee_mode), min_quantity_lots = COALESCE($5, min_quantity_lots),
        max_quantity_lots = COALESCE($6, max_quantity_lots), min_notional = COALESCE($7, min_notional),
        max_open_orders = COALESCE($8, max_open_orders), protection_bps = COALESCE($9, protection_bps),
        updated_at = now()
    WHERE pair_id = $1
"""
