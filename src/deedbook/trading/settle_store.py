"""SQL of a batch: everything that was matched, written in one commit by `orders_settle`, or nothing of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from deedbook.compliance import Standing, TokenRules
from deedbook.compliance.errors import LockUp
from deedbook.infra.arrays import plain
from deedbook.infra.database import Database
from deedbook.trading.errors import BookOutdated, EligibilityChanged, Fenced, HoldingsExceeded
from deedbook.trading.execution import Batch
from deedbook.trading.swap_store import Planned, planned_columns
from deedbook.trading.writer_store import Writer

_REFUSED = {
    "DL003": Fenced,
    "DL004": BookOutdated,
    "DL005": EligibilityChanged,
    "DL006": HoldingsExceeded,
    "DL007": LockUp,
}


MANY = 5_000
EACH_S = 0.005
"""One order that takes many others, or a pair that ends, is one commit, however many orders and trades it changes. Were
it given up for lasting too long, it would be tried again and again, and nothing behind it would ever be done."""


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
    batches: Sequence[int],
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
    buyers = {trade.buyer_id for trade in trades} if rules.counts else set()
    sellers = {trade.seller_id for trade in trades} if parties and rules.lock_up_days else set()
    bound = sorted(seller for seller in sellers if not standing[seller].is_issuer)
    arguments = [
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
        plain(batches),
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
        plain(sorted(buyer for buyer in buyers if not standing[buyer].is_issuer)),
        rules.max_ownership,
        rules.max_holders,
        batch_id if batch.facts else None,
        first_fact,
        "\n".join(batch.facts),
    ]
    return [*arguments, batch.spec.base_token_id, rules.lock_up_days, plain(bound)] if bound else arguments


async def settle(
    db: Database, arguments: Sequence[Any], planned: Sequence[Planned] = (), *, size: int = 0
) -> None:
    """Write one batch in one commit, or nothing; with it what was `planned` for its swaps, if it has any. `size` is how
    many orders and trades it has: where they are very many, it may last longer.

    Raises:
        Fenced: another is the pair's writer now.
        BookOutdated: the rows are not what the book says: forget it and rebuild.
        EligibilityChanged: compliance decided something meanwhile.
        HoldingsExceeded: a buyer would hold more, or there would be more holders, than the rules allow.
        LockUp: a seller, its `detail`, would part with what is locked up.
        DatabaseUnavailable: not known whether it was written.
    """
    longer_s = size * EACH_S if size >= MANY else 0.0
    try:
        statement = _STATEMENTS[len(arguments) > ALWAYS, bool(planned)]
        columns = planned_columns(planned) if planned else ()
        await db.statement(statement, *arguments, *columns, longer_s=longer_s)
    except asyncpg.PostgresError as error:
        if error.sqlstate in _REFUSED:
            raise _REFUSED[error.sqlstate](str(error.detail or "")) from error
        raise


_SETTLE = """
    SELECT orders_settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::bigint[], $13::text::uuid[],
        $14::text::text[], $15::text::text[], $16::text::bigint[], $17::text::bigint[], $18::text::numeric[],
        $19::text::numeric[], $20::text::numeric[], $21::text::boolean[], $22::text::bigint[],
        $23::text::bigint[], $24::text::bigint[], $25::text::bigint[], $26::text::bigint[],
        $27::text::boolean[], $28::text::uuid[], $29::text::text[], $30::text::bigint[], $31::text::uuid[],
        $32::text::bigint[], $33::text::bigint[], $34::text::text[], $35::text::uuid[], $36::text::uuid[],
        $37::text::uuid[], $38::text::uuid[], $39::text::bigint[], $40::text::bigint[], $41::text::numeric[],
        $42::text::numeric[], $43::text::numeric[], $44::text::numeric[], $45::text::uuid[], $46::text::uuid[],
        $47::text::uuid[], $48::text::numeric[], $49::text::uuid[], $50::text::uuid[], $51::text::numeric[],
        $52::text::numeric[], $53::text::uuid[], $54::text::bigint[], $55::text::bigint[], $56, $57,
        $58::text::uuid[], $59, $60, $61, $62, $63)
"""
ALWAYS = 63
"""How many arguments each batch has."""


def _statement(*, lock_up: bool, swaps: bool) -> str:
    told, after = [_SETTLE], ALWAYS
    if lock_up:
        told.append(f"lock_ups_hold(${after + 1}, ${after + 2}, ${after + 3}::text::uuid[])")
        after += 3
    if swaps:
        kinds = enumerate(("uuid", "bigint", "bigint", "bigint", "bigint"), after + 1)
        told.append(f"swaps_settle({', '.join(f'${place}::text::{kind}[]' for place, kind in kinds)})")
    return ", ".join(told)


_STATEMENTS = {
    (lock_up, swaps): _statement(lock_up=lock_up, swaps=swaps)
    for lock_up in (False, True)
    for swaps in (False, True)
}
