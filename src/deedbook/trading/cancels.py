"""The way out for orders: cancels that arrive while a commit is under way share the next one, each with its own
verdict. A cancel is answered when it is durable; the book obeys right after."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from deedbook.infra.database import Database
from deedbook.infra.sharing import Shared
from deedbook.kernel.ids import PairId, UserId
from deedbook.trading import entry_store, order_views
from deedbook.trading.bells import Bells
from deedbook.trading.errors import OrderNotFound, OrderOver
from deedbook.trading.pairs import PairDirectory

MAX_AT_ONCE = 256


@dataclass(frozen=True)
class _Asked:
    order_id: UUID
    user_id: UserId


class Cancels:
    """One per process that takes orders in."""

    def __init__(self, db: Database, pairs: PairDirectory, bells: Bells) -> None:
        self._db = db
        self._pairs = pairs
        self._bells = bells
        self._asking: Shared[_Asked, dict[str, Any]] = Shared(self._write, MAX_AT_ONCE)

    async def cancel(self, user_id: UserId, order_id: UUID) -> dict[str, Any]:
        """Ask for an order's end; the order as it is now, in the words of the API.

        Raises:
            OrderNotFound: absent, or another's.
            OrderOver: nothing of it is left.
        """
        row = await self._asking.ask(_Asked(order_id, user_id))
        self._bells.ring_for(order_id, PairId(row["pair_id"]))
        return order_views.shown(row, await self._pairs.spec(str(row["pair_id"])))

    async def close(self) -> None:
        """Finish what was begun."""
        await self._asking.close()

    async def _write(self, asked: Sequence[_Asked]) -> list[dict[str, Any] | Exception]:
        async with self._db.transaction() as tx:
            living = await entry_store.cancel_many(
                tx, [one.order_id for one in asked], [one.user_id for one in asked], "CANCELLED"
            )
            rows = await order_views.rows_of(tx, [one.order_id for one in asked])
        return [_verdict(one, rows.get(one.order_id), one.order_id in living) for one in asked]


def _verdict(asked: _Asked, row: dict[str, Any] | None, living: bool) -> dict[str, Any] | Exception:
    if row is None or row["user_id"] != asked.user_id:
        return OrderNotFound()
    return row if living else OrderOver(f"it is {row['status']}")
