"""SQL of orders and of a pair's writer: what a matcher reads when it takes over, what waits, what one batch writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from deedbook.compliance import Standing, TokenRules
from deedbook.infra.arrays import hexed, plain, quoted
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint
from deedbook.infra.outbox import Cursor
from deedbook.kernel.ids import PairId, TokenId, UserId
from deedbook.ledger import AccountId
from deedbook.trading.admission import Admitted
from deedbook.trading.errors import BookOutdated, EligibilityChanged, Fenced, HoldingsExceeded
from deedbook.trading.execution import Batch
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import FeeMode, PairStatus

_REFUSED = {
    "DL003": Fenced,
    "DL004": BookOutdated,
    "DL005": EligibilityChanged,
    "DL006": HoldingsExceeded,
}
RACES = 3
ORDER_COLUMNS = """o.order_id::text, o.order_number, o.user_id::text, o.trade_group, o.side, o.order_type,
    o.time_in_force, o.post_only, o.self_trade, o.quantity_lots, o.price_ticks, o.stop_ticks, o.trail,
    o.trail_distance, o.fee_bps, o.client_order_id, o.expires_at, o.status, o.triggered, o.remaining_lots,
    o.filled_lots, o.filled_quote,
    o.fee_charged, o.held, o.match_seq, o.priority, o.created_at"""


@dataclass(frozen=True)
class Writer:
    """A pair as its writer takes it over. Whoever has the newest `epoch` may write."""

    epoch: int
    match_seq: int
    trade_number: int
    fact_seq: int
    last_price: int
    accepting: bool


@dataclass(frozen=True)
class SelfMade:
    """An order that the writer takes out by itself."""

    order_id: str
    why: str
    match_seq: int


@dataclass(frozen=True)
class CarriedOut:
    """A durable command and what became of it."""

    number: int
    match_seq: int
    effective: bool


async def take_over(tx: Tx, pair_id: PairId, holder: str, ttl_s: float) -> Writer | None:
    """Become the pair's writer under a new epoch; `None` while another is."""
    row = await tx.fetchrow(
        """
        UPDATE pair_writer SET epoch = epoch + 1, holder = $2, expires_at = now() + make_interval(secs => $3)
        WHERE pair_id = $1 AND (holder = $2 OR expires_at < now())
        RETURNING epoch, match_seq, trade_number, fact_seq, last_price_ticks AS last_price, accepting
        """,
        pair_id,
        holder,
        ttl_s,
    )
    return Writer(**dict(row)) if row else None


async def renew(tx: Tx, pair_id: PairId, epoch: int, ttl_s: float) -> bool:
    """Stay the pair's writer; `False` when another has become it."""
    return (
        await tx.fetchval(
            "UPDATE pair_writer SET expires_at = now() + make_interval(secs => $3) "
            "WHERE pair_id = $1 AND epoch = $2 RETURNING epoch",
            pair_id,
            epoch,
            ttl_s,
        )
        is not None
    )


async def give_up(tx: Tx, pair_id: PairId, epoch: int) -> None:
    """Let a successor begin at once."""
    await tx.execute(
        "UPDATE pair_writer SET expires_at = '-infinity' WHERE pair_id = $1 AND epoch = $2", pair_id, epoch
    )


async def free_pairs(db: Database, limit: int) -> list[PairId]:
    """Pairs without a living writer."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT w.pair_id FROM pair_writer w JOIN trading_pairs p USING (pair_id) "
            "WHERE w.expires_at < now() AND (p.status <> 'closed' OR EXISTS (SELECT 1 FROM orders o "
            "WHERE o.pair_id = p.pair_id AND o.status IN ('PENDING_MATCH', 'OPEN', 'PARTIAL'))) LIMIT $1",
            limit,
        )
    return [PairId(row["pair_id"]) for row in rows]


async def spec(db: Database, pair_id: PairId) -> PairSpec | None:
    """What the pair trades by."""
    async with db.reading() as connection:
        row = await connection.fetchrow(_SPEC + " WHERE p.pair_id = $1", pair_id)
    return _spec(row) if row else None


async def specs(db: Database) -> list[PairSpec]:
    """What all pairs trade by."""
    async with db.reading() as connection:
        return [_spec(row) for row in await connection.fetch(_SPEC + " LIMIT 10000")]


_SPEC = """
    SELECT p.pair_id, p.symbol, p.status, p.base_token_id, p.quote_token_id, b.decimals AS base_decimals,
           q.decimals AS quote_decimals, b.token_type = 'RWA' AS base_is_rwa,
           (p.tick_size * 1000000000000000000)::numeric(78, 0) AS tick,
           (p.lot_size * 1000000000000000000)::numeric(78, 0) AS lot,
           p.fee_bps, p.fee_mode, p.fee_account_id, p.min_quantity_lots, p.max_quantity_lots, p.min_notional,
           p.max_open_orders, p.protection_bps, p.max_backlog
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


async def resting(db: Database, pair_id: PairId) -> list[asyncpg.Record]:
    """The living orders that were matched before, in the order of their priority; waiting stops last."""
    async with db.reading() as connection:
        return await connection.fetch(
            f"SELECT {ORDER_COLUMNS} FROM orders o WHERE o.pair_id = $1 AND o.status IN ('OPEN', 'PARTIAL') "
            "ORDER BY o.triggered DESC, o.priority, o.order_number",
            pair_id,
        )


@dataclass(frozen=True)
class StoredTrade:
    """A trade as everybody may see it."""

    trade_id: UUID
    number: int
    taker_side: str
    price: int
    size: int
    executed_at: datetime


async def recent_trades(db: Database, pair_id: PairId, limit: int) -> list[StoredTrade]:
    """The last trades of a pair, oldest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT trade_id, trade_number AS number, taker_side, price_ticks AS price, size_lots AS size, executed_at "
            "FROM trades WHERE pair_id = $1 ORDER BY trade_number DESC LIMIT $2",
            pair_id,
            limit,
        )
    return [StoredTrade(**dict(row)) for row in reversed(rows)]


async def moment(db: Database) -> datetime:
    """The database's clock, one and the same for all processes."""
    async with db.reading() as connection:
        now = await connection.fetchval("SELECT now()")
    assert isinstance(now, datetime)
    return now


def settle_arguments(
    writer: Writer,
    before: int,
    match_seq: int,
    batch: Batch,
    moment: datetime,
    *,
    last_price: int,
    best: tuple[int, int],
    accepting: bool,
    carried_out: Sequence[CarriedOut],
    self_made: Sequence[SelfMade],
    standing: Mapping[str, Standing],
    rules: TokenRules,
    batch_id: UUID,
    first_fact: int,
) -> list[Any]:
    """Everything that one batch writes, as it is at this moment: the book goes on changing while it is written."""
    touched, trades, lines = batch.touched, batch.trades, batch.lines
    keys = sorted(batch.balances)
    parties = sorted(batch.parties)
    return [
        batch.spec.pair_id,
        writer.epoch,
        before,
        match_seq,
        batch.trade_number,
        batch.fact_seq,
        last_price,
        *best,
        accepting,
        moment,
        plain([order.order_id for order in touched]),
        plain([order.status for order in touched]),
        plain([order.reason for order in touched]),
        plain([order.left for order in touched]),
        plain([order.filled for order in touched]),
        plain([order.filled_quote for order in touched]),
        plain([order.fee for order in touched]),
        plain([order.held for order in touched]),
        plain([not order.waiting for order in touched]),
        plain([order.stop for order in touched]),
        plain([order.match_seq for order in touched]),
        plain([order.priority for order in touched]),
        plain([command.number for command in carried_out]),
        plain([command.match_seq for command in carried_out]),
        plain([command.effective for command in carried_out]),
        plain([made.order_id for made in self_made]),
        plain([made.why for made in self_made]),
        plain([made.match_seq for made in self_made]),
        plain([trade.trade_id for trade in trades]),
        plain([trade.number for trade in trades]),
        plain([trade.match_seq for trade in trades]),
        plain([trade.taker_side for trade in trades]),
        plain([trade.buy_order_id for trade in trades]),
        plain([trade.sell_order_id for trade in trades]),
        plain([trade.buyer_id for trade in trades]),
        plain([trade.seller_id for trade in trades]),
        plain([trade.price for trade in trades]),
        plain([trade.size for trade in trades]),
        plain([trade.base for trade in trades]),
        plain([trade.quote for trade in trades]),
        plain([trade.buyer_fee for trade in trades]),
        plain([trade.seller_fee for trade in trades]),
        plain([line[0] for line in lines]),
        plain([line[1] for line in lines]),
        plain([line[2] for line in lines]),
        plain([line[3] for line in lines]),
        plain([key[0] for key in keys]),
        plain([key[1] for key in keys]),
        plain([batch.balances[key][0] for key in keys]),
        plain([batch.balances[key][1] for key in keys]),
        plain(parties),
        plain([standing[user_id].record_version for user_id in parties]),
        plain([standing[user_id].profile_version for user_id in parties]),
        batch.spec.base_token_id if parties else None,
        rules.version,
        plain(sorted({trade.buyer_id for trade in trades}) if rules.counts else []),
        rules.max_ownership,
        rules.max_holders,
        batch_id if batch.facts else None,
        first_fact,
        "\n".join(batch.facts),
    ]


async def settle(db: Database, arguments: Sequence[Any]) -> None:
    """Write one batch in one commit, or nothing.

    Raises:
        Fenced: another is the pair's writer now.
        BookOutdated: the rows are not what the book says: forget it and rebuild.
        EligibilityChanged: compliance decided something meanwhile.
        HoldingsExceeded: a buyer would hold more, or there would be more holders, than the rules allow.
        DatabaseUnavailable: not known whether it was written.
    """
    try:
        async with db.transaction() as tx:
            await tx.execute(_SETTLE, *arguments)
    except asyncpg.PostgresError as error:
        if error.sqlstate in _REFUSED:
            raise _REFUSED[error.sqlstate](str(error.detail or "")) from error
        raise


async def cancel_living(
    tx: Tx, user_id: UserId, why: str, *, pair_id: PairId | None = None, side: str | None = None
) -> int:
    """Ask for the end of all living orders of a user, or those of one pair or side, by durable commands."""
    told = await tx.execute(
        """
        INSERT INTO order_commands (pair_id, kind, order_id, why, actor_id)
        SELECT o.pair_id, 'CANCEL', o.order_id, $2, $1 FROM orders o
        WHERE o.user_id = $1 AND o.status IN ('PENDING_MATCH', 'OPEN', 'PARTIAL')
          AND ($3::uuid IS NULL OR o.pair_id = $3) AND ($4::text IS NULL OR o.side = $4)
        ORDER BY o.order_number
        """,
        user_id,
        why,
        pair_id,
        side,
    )
    return int(told.rsplit(" ", 1)[1])


_SETTLE = """
    SELECT orders_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
        $12::text::uuid[], $13::text::text[], $14::text::text[], $15::text::bigint[], $16::text::bigint[],
        $17::text::numeric[], $18::text::numeric[], $19::text::numeric[], $20::text::boolean[], $21::text::bigint[],
        $22::text::bigint[], $23::text::bigint[],
        $24::text::bigint[], $25::text::bigint[], $26::text::boolean[],
        $27::text::uuid[], $28::text::text[], $29::text::bigint[],
        $30::text::uuid[], $31::text::bigint[], $32::text::bigint[], $33::text::text[], $34::text::uuid[],
        $35::text::uuid[], $36::text::uuid[], $37::text::uuid[], $38::text::bigint[], $39::text::bigint[],
        $40::text::numeric[], $41::text::numeric[], $42::text::numeric[], $43::text::numeric[],
        $44::text::uuid[], $45::text::uuid[], $46::text::uuid[], $47::text::numeric[],
        $48::text::uuid[], $49::text::uuid[], $50::text::numeric[], $51::text::numeric[],
        $52::text::uuid[], $53::text::bigint[], $54::text::bigint[], $55, $56, $57::text::uuid[], $58, $59,
        $60, $61, $62)
"""


async def take(db: Database, orders: Sequence[Admitted]) -> list[Any]:
    """Write orders in one commit; a row with each one's verdict, in their order.

    Raises:
        UniqueViolationError: others kept using the same names at the very same moment; nothing was written.
        DatabaseUnavailable: not known whether it was written.
    """
    await failpoint("intake.beforeCommit")
    for attempt in range(1, RACES + 1):
        try:
            async with db.transaction() as tx:
                rows = await tx.fetch(_TAKE, *_columns(orders))
            break
        except asyncpg.UniqueViolationError:
            # Somebody used a client order id or a key of ours meanwhile: next time it is seen, and judged.
            if attempt == RACES:
                raise
    await failpoint("intake.afterCommit")
    return rows


def _columns(orders: Sequence[Admitted]) -> list[str | None]:
    texts, terms = [order.text for order in orders], [order.terms for order in orders]
    replaced = (
        plain([order.replaces for order in orders]) if any(order.replaces for order in orders) else None
    )
    return [
        plain([order.order_id for order in orders]),
        plain([order.spec.pair_id for order in orders]),
        plain([order.user_id for order in orders]),
        plain([text.side.value for text in texts]),
        plain([text.order_type.value for text in texts]),
        plain([text.time_in_force.value for text in texts]),
        plain([text.post_only for text in texts]),
        plain([text.self_trade.name for text in texts]),
        plain([term.quantity_lots for term in terms]),
        plain([term.price_ticks for term in terms]),
        plain([term.stop_ticks for term in terms]),
        plain([term.trailing.name for term in terms]),
        plain([term.distance for term in terms]),
        plain([text.max_fee_bps for text in texts]),
        plain([order.spec.fee_bps for order in orders]),
        quoted([text.client_order_id or None for text in texts]),
        quoted([text.nonce for text in texts]),
        plain([order.expires_at for order in orders]),
        plain([text.trader for text in texts]),
        hexed([order.digest for order in orders]),
        hexed([order.signature for order in orders]),
        quoted([orjson.dumps(text.values()).decode() for text in texts]),
        plain([term.hold_token_id for term in terms]),
        plain([term.hold_units for term in terms]),
        quoted([order.fact for order in orders]),
        plain([order.created_at for order in orders]),
        quoted([order.idempotency_key for order in orders]),
        hexed([order.fingerprint for order in orders]),
        hexed([order.answer if order.idempotency_key else None for order in orders]),
        replaced,
    ]


_TAKE = """
    SELECT verdict, first_id, answer FROM orders_intake(
        $1::text::uuid[], $2::text::uuid[], $3::text::uuid[], $4::text::text[], $5::text::text[], $6::text::text[],
        $7::text::boolean[], $8::text::text[], $9::text::bigint[], $10::text::bigint[], $11::text::bigint[],
        $12::text::text[], $13::text::bigint[], $14::text::int[], $15::text::int[], $16::text::text[],
        $17::text::text[], $18::text::timestamptz[], $19::text::text[], $20::text::bytea[], $21::text::bytea[],
        $22::text::text[], $23::text::uuid[], $24::text::numeric[], $25::text::text[], $26::text::timestamptz[],
        $27::text::text[], $28::text::bytea[], $29::text::bytea[], $30::text::uuid[])
"""


async def owner_and_status(tx: Tx, order_id: UUID) -> tuple[UserId, PairId, str] | None:
    """Whose an order is, on which pair, and where it is."""
    row = await tx.fetchrow("SELECT user_id, pair_id, status FROM orders WHERE order_id = $1", order_id)
    return (UserId(row["user_id"]), PairId(row["pair_id"]), row["status"]) if row else None


async def add_command(
    tx: Tx, kind: str, pair_id: PairId, order_id: UUID, actor_id: UserId, remaining_lots: int | None
) -> None:
    """Write a command to the pair's book."""
    await tx.execute(
        "INSERT INTO order_commands (pair_id, kind, order_id, actor_id, remaining_lots) VALUES ($1, $2, $3, $4, $5)",
        pair_id,
        kind,
        order_id,
        actor_id,
        remaining_lots,
    )


async def pairs_with_orders_of(
    tx: Tx, user_id: UserId, token_id: TokenId | None
) -> list[tuple[PairId, TokenId]]:
    """The pairs, of one base token or all, on which a user has living orders, each with its base token."""
    rows = await tx.fetch(
        """
        SELECT DISTINCT p.pair_id, p.base_token_id FROM orders o JOIN trading_pairs p USING (pair_id)
        WHERE o.user_id = $1 AND o.status IN ('PENDING_MATCH', 'OPEN', 'PARTIAL')
          AND ($2::uuid IS NULL OR p.base_token_id = $2)
        """,
        user_id,
        token_id,
    )
    return [(PairId(row["pair_id"]), TokenId(row["base_token_id"])) for row in rows]


async def be_present(tx: Tx, holder: str, ttl_s: float) -> tuple[int, int]:
    """Renew a matcher's sign of life; how many live, and how many pairs there are to match."""
    await tx.execute(
        "INSERT INTO leases (name, holder, expires_at) VALUES ($1, $1, now() + make_interval(secs => $2)) "
        "ON CONFLICT (name) DO UPDATE SET expires_at = EXCLUDED.expires_at",
        holder,
        ttl_s,
    )
    row = await tx.fetchrow(
        "SELECT (SELECT count(*) FROM leases WHERE starts_with(name, 'matcher-') AND expires_at > now()) AS living, "
        "(SELECT count(*) FROM pair_writer) AS pairs"
    )
    assert row is not None
    return row["living"], row["pairs"]


async def be_absent(tx: Tx, holder: str) -> None:
    """Take a matcher's sign of life away, and those of the long dead with it."""
    await tx.execute(
        "DELETE FROM leases WHERE name = $1 "
        "OR (starts_with(name, 'matcher-') AND expires_at < now() - interval '1 day')",
        holder,
    )


@dataclass(frozen=True)
class StoredFacts:
    """The events of one commit on one pair, one JSON text a line."""

    batch_id: UUID
    pair_id: UUID
    occurred_at: datetime
    lines: list[str]
    cursor: Cursor


async def facts_after(db: Database, cursor: Cursor, *, limit: int) -> list[StoredFacts]:
    """The next events that are safe to read, oldest first: see `infra.outbox` for why so."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT batch_id, pair_id, occurred_at, facts, tx_id::text::bigint AS tx, position FROM trading_facts
            WHERE (tx_id, position) > ($1::text::xid8, $2::bigint)
              AND tx_id < pg_snapshot_xmin(pg_current_snapshot())
            ORDER BY tx_id, position LIMIT $3
            """,
            str(cursor.tx_id),
            cursor.position,
            limit,
        )
    return [
        StoredFacts(
            row["batch_id"],
            row["pair_id"],
            row["occurred_at"],
            row["facts"].split("\n"),
            Cursor(row["tx"], row["position"]),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Log:
    """Everything that a pair's book was told, and the trades that came of it, each in order."""

    orders: list[asyncpg.Record]
    commands: list[asyncpg.Record]
    trades: list[asyncpg.Record]


async def log_of(db: Database, pair_id: PairId) -> Log:
    """The whole log of a pair, of one moment."""
    async with db.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        orders = await tx.fetch(
            "SELECT order_id, order_number, trade_group, side, order_type, time_in_force, post_only, self_trade, "
            "quantity_lots, price_ticks, stop_ticks, trail, trail_distance, match_seq FROM orders "
            "WHERE pair_id = $1 AND match_seq IS NOT NULL ORDER BY match_seq",
            pair_id,
        )
        commands = await tx.fetch(
            "SELECT kind, order_id, remaining_lots, why, match_seq FROM order_commands "
            "WHERE pair_id = $1 AND match_seq IS NOT NULL ORDER BY match_seq",
            pair_id,
        )
        trades = await tx.fetch(
            "SELECT buy_order_id, sell_order_id, taker_side, price_ticks, size_lots FROM trades "
            "WHERE pair_id = $1 ORDER BY trade_number",
            pair_id,
        )
    return Log(orders, commands, trades)
