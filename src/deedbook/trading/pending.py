"""What waits for a pair's matcher, and how far of it one batch may go.

Found by its state, never by a high-water mark: a lower number may commit later.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deedbook.infra.database import Database
from deedbook.kernel.ids import PairId
from deedbook.trading.engine import Ended
from deedbook.trading.order_store import ORDER_COLUMNS


@dataclass(frozen=True)
class Pending:
    """New orders and commands, and the database's moment. Commands that bar an owner come first: they hold
    against everything that still waits. The others are in the order of their numbers, as the orders are."""

    orders: list[Any]
    commands: list[Any]
    moment: datetime


async def pending(db: Database, pair_id: PairId, limit: int) -> Pending:
    """The oldest of what waits, up to `limit` of each."""
    async with db.reading() as connection:
        # Commands first: whatever they are about is committed before them, so it is seen by the next statement.
        commands = await connection.fetch(
            "SELECT command_number, kind, order_id::text, remaining_lots, why FROM order_commands "
            "WHERE pair_id = $1 AND match_seq IS NULL ORDER BY why <> 'FROZEN', command_number LIMIT $2",
            pair_id,
            limit,
        )
        orders = await connection.fetch(
            f"SELECT {ORDER_COLUMNS}, now() AS moment FROM orders o "  # noqa: S608 -- names are ours
            "WHERE o.pair_id = $1 AND o.status = 'PENDING_MATCH' ORDER BY o.order_number LIMIT $2",
            pair_id,
            limit,
        )
        moment = orders[0]["moment"] if orders else await connection.fetchval("SELECT now()")
    return _together(orders, commands, limit, moment)


def bars(command: Any) -> bool:
    """Whether a command ends an order because its owner may not trade any more."""
    return bool(command["why"] == Ended.FROZEN.name)


def _together(orders: list[Any], commands: list[Any], limit: int, moment: datetime) -> Pending:
    """Where more waits than was read, nothing behind it may go first: a cancel would miss its order, an order
    would meet what was cancelled before it came."""
    if len(orders) == limit:
        last = orders[-1]["order_number"]
        commands = [row for row in commands if bars(row) or row["command_number"] < last]
    elif len(commands) < limit:
        return Pending(orders, commands, moment)
    if len(commands) == limit:
        last = 0 if bars(commands[-1]) else commands[-1]["command_number"]
        orders = [row for row in orders if row["order_number"] < last]
    return Pending(orders, commands, moment)
