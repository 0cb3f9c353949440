"""SQL of intake: many orders in one commit by `orders_intake`, each with a verdict of its own."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg
import orjson

from deedbook.infra.arrays import hexed, ids, plain, quoted
from deedbook.infra.database import Database
from deedbook.infra.failpoints import failpoint
from deedbook.trading.admission import Admitted

RACES = 3


class Told(NamedTuple):
    """What is said of one order: its verdict, which order came first where it is a second one, and the first answer
    where it was asked for before."""

    verdict: int
    first_id: UUID | None
    answer: bytes | None


async def take(db: Database, orders: Sequence[Admitted]) -> list[Told]:
    """Write orders in one commit; what is said of each, in their order.

    Raises:
        UniqueViolationError: others kept using the same names at the very same moment; nothing was written.
        DatabaseUnavailable: not known whether it was written.
    """
    await failpoint("intake.beforeCommit")
    for attempt in range(1, RACES + 1):
        try:
            (row,) = await db.statement(_TAKE, *_columns(orders))
            break
        except asyncpg.UniqueViolationError:
            # Somebody used a client order id or a key of ours meanwhile: next time it is seen, and judged.
            if attempt == RACES:
                raise
    await failpoint("intake.afterCommit")
    return [Told(*one) for one in zip(row["verdicts"], row["firsts"], row["answers"], strict=True)]


def _columns(orders: Sequence[Admitted]) -> list[str | list[str] | None]:
    texts, terms = [order.text for order in orders], [order.terms for order in orders]
    replaced = (
        plain([order.replaces for order in orders]) if any(order.replaces for order in orders) else None
    )
    return [
        ids([order.order_id for order in orders]),
        ids([order.spec.pair_id for order in orders]),
        ids([order.user_id for order in orders]),
        plain([text.side for text in texts]),
        plain([text.order_type for text in texts]),
        plain([text.time_in_force for text in texts]),
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
        [orjson.dumps(text.values()).decode() for text in texts],
        ids([term.hold_token_id for term in terms]),
        plain([term.hold_units for term in terms]),
        [order.fact for order in orders],
        plain([order.created_at for order in orders]),
        quoted([order.idempotency_key for order in orders]),
        hexed([order.fingerprint for order in orders]),
        hexed([order.answer if order.idempotency_key else None for order in orders]),
        replaced,
    ]


_TAKE = """
    SELECT verdicts, firsts, answers FROM orders_intake(
        $1::text::uuid[], $2::text::uuid[], $3::text::uuid[], $4::text::text[], $5::text::text[], $6::text::text[],
        $7::text::boolean[], $8::text::text[], $9::text::bigint[], $10::text::bigint[], $11::text::bigint[],
        $12::text::text[], $13::text::bigint[], $14::text::int[], $15::text::int[], $16::text::text[],
        $17::text::text[], $18::text::timestamptz[], $19::text::text[], $20::text::bytea[], $21::text::bytea[],
        $22::text[], $23::text::uuid[], $24::text::numeric[], $25::text[], $26::text::timestamptz[],
        $27::text::text[], $28::text::bytea[], $29::text::bytea[], $30::text::uuid[])
"""
