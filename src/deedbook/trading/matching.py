"""The door for processes: matchers (who they are together, which pairs are free, taking one over, whose orders end
because they fell silent), and what the relay carries out."""

from deedbook.infra.database import Database
from deedbook.kernel.ids import PairId
from deedbook.trading import exposure, writer_store
from deedbook.trading.book_copies import BookCopies, depth_key
from deedbook.trading.log_store import StoredFacts, facts_after
from deedbook.trading.matcher import PairMatcher, take_over
from deedbook.trading.open_orders import OpenOrderCopies

__all__ = [
    "BookCopies",
    "OpenOrderCopies",
    "PairMatcher",
    "StoredFacts",
    "cancel_overdue",
    "depth_key",
    "facts_after",
    "leave",
    "share",
    "take_over",
]


async def share(db: Database, holder: str, ttl_s: float, limit: int) -> tuple[int, list[PairId]]:
    """Be counted as a living matcher; how many pairs are this one's share, and which are free."""
    async with db.transaction() as tx:
        living, pairs = await writer_store.be_present(tx, holder, ttl_s)
    return -(-pairs // max(living, 1)), await writer_store.free_pairs(db, limit)


async def leave(db: Database, holder: str) -> None:
    """Be counted no longer."""
    async with db.transaction() as tx:
        await writer_store.be_absent(tx, holder)


async def cancel_overdue(db: Database) -> int:
    """Cancel the orders of those who have fallen silent; how many. Asked by whoever matches, since this must not
    depend on queues."""
    async with db.transaction() as tx:
        return await exposure.cancel_overdue(tx)
