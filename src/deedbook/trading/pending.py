"""What waits for a pair's matcher, and how far of it one batch may go.

Found because it waits, never by a high-water mark: a lower number may commit later. All of it is seen at one moment, so
that an order never overtakes a cancel that was acknowledged before it came. Orders come as they were taken in, many
together and always all of them; the number of such a batch is higher than its orders', and lower than those of
commands about them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from deedbook.infra.database import Database
from deedbook.kernel.ids import PairId
from deedbook.trading.engine import Ended
from deedbook.trading.order_store import ORDER_COLUMNS


class Command(NamedTuple):
    """A durable command to the book: `kind` is one of `CommandKind`, `why` one of `Ended`."""

    number: int
    kind: str
    order_id: str
    remaining_lots: int
    why: str

    @property
    def bars(self) -> bool:
        """Whether it ends an order because its owner may not trade any more."""
        return self.why == Ended.FROZEN.name


@dataclass(frozen=True)
class Pending:
    """New orders with the batches they came in, commands, and the database's moment. Commands that bar an owner come
    first: they hold against everything that still waits. The others are in the order of their numbers, as the orders
    are."""

    batches: list[int]
    orders: list[Any]
    commands: list[Command]
    moment: datetime


async def pending(db: Database, pair_id: PairId, limit: int, taken: Sequence[int] = ()) -> Pending:
    """The oldest of what waits, up to `limit` of each, or one batch of orders where that is larger. What is `taken`
    by its numbers was read before."""
    async with db.reading() as connection:
        first, *rows = await connection.fetch(_PENDING, pair_id, limit, taken)
    orders = [row for row in rows if row["command"] is None]
    commands = [Command(*row["command"]) for row in rows[len(orders) :]]
    return _together(orders, commands, limit, first["more"], first["moment"])


def _together(
    orders: list[Any], commands: list[Command], limit: int, more: bool, moment: datetime
) -> Pending:
    """Where more waits than was read, nothing behind it may go first: a cancel would miss its order, an order
    would meet what was cancelled before it came."""
    if more:
        last = max(row["batch_number"] for row in orders)
        commands = [command for command in commands if command.bars or command.number < last]
    if len(commands) == limit:
        last = 0 if commands[-1].bars else commands[-1].number
        orders = [row for row in orders if row["batch_number"] < last]
    batches = sorted({row["batch_number"] for row in orders})
    return Pending(batches, orders, commands, moment)


_NO_ORDER = ", ".join(["NULL"] * (ORDER_COLUMNS.count(",") + 1))
# One statement sees one moment. First that moment; then whole batches of orders, the oldest first: those that begin
# within the limit; then commands.
_PENDING = f"""
    WITH waiting AS (
        SELECT w.batch_number, w.order_ids,
               sum(cardinality(w.order_ids)) OVER (ORDER BY w.batch_number) - cardinality(w.order_ids) AS before
        FROM waiting_orders w WHERE w.pair_id = $1 AND w.batch_number <> ALL ($3)
    ), fresh AS (
        SELECT {ORDER_COLUMNS}, w.batch_number
        FROM waiting w CROSS JOIN LATERAL unnest(w.order_ids) AS u (order_id) JOIN orders o USING (order_id)
        WHERE w.before < $2 ORDER BY o.order_number
    ), told AS (
        SELECT (command_number, kind, order_id::text, remaining_lots, why) AS command FROM order_commands
        WHERE pair_id = $1 AND match_seq IS NULL AND command_number <> ALL ($3)
        ORDER BY why <> 'FROZEN', command_number LIMIT $2
    )
    SELECT fresh.*, NULL::record AS command, false AS more, now() AS moment FROM fresh WHERE false
    UNION ALL
    SELECT {_NO_ORDER}, NULL, NULL, EXISTS (SELECT 1 FROM waiting WHERE before >= $2), now()
    UNION ALL
    SELECT fresh.*, NULL, NULL, NULL FROM fresh
    UNION ALL
    SELECT {_NO_ORDER}, NULL, command, NULL, NULL FROM told
"""  # noqa: S608 -- names are ours
