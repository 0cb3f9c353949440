"""Use cases that only lessen exposure, all of it at once: cancel everything, now or when the sender falls silent."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from deedbook.infra.database import Tx
from deedbook.kernel.ids import PairId, UserId
from deedbook.trading import entry_store, orders

MAX_OVERDUE = 500


@dataclass(frozen=True)
class CancelledAll:
    """How many orders were asked to end, and the books that have to hear of it: one order and its pair each."""

    count: int
    books: tuple[tuple[UUID, PairId], ...]


async def cancel_all(tx: Tx, user_id: UserId, pair_id: PairId | None) -> CancelledAll:
    """Ask for the end of all living orders of a user, or of those on one pair."""
    books = await entry_store.living_books(tx, user_id, pair_id)
    return CancelledAll(await orders.cancel_all(tx, user_id, pair_id), tuple(books))


async def cancel_all_after(tx: Tx, user_id: UserId, seconds: int) -> datetime | None:
    """Have all orders of a user cancelled in so many seconds, unless this is said again before; 0 takes it back."""
    if seconds:
        return await entry_store.set_deadline(tx, user_id, seconds)
    await entry_store.drop_deadline(tx, user_id)
    return None


async def cancel_overdue(tx: Tx) -> int:
    """Cancel the orders of those who have fallen silent; how many orders."""
    count = 0
    for user_id in await entry_store.take_overdue(tx, MAX_OVERDUE):
        count += await orders.cancel_all(tx, user_id, None)
    return count
