"""What waits for a matcher for too long."""

from datetime import UTC, datetime, timedelta

from deedbook.infra.database import Database
from deedbook.trading import orders
from deedbook.trading.stuck import Stuck, stuck
from tests.trading.venue import open_venue


async def test_orders_and_cancels_are_stuck_when_nobody_takes_them_up_in_time(db: Database) -> None:
    venue = await open_venue(db)
    user_id = await venue.investor(quote="1000")
    placed = [venue.order(user_id, "BUY", "0.1", "100") for _ in range(3)]
    await venue.place(*placed[:2])
    await venue.place(placed[2])
    async with db.transaction() as tx:
        await orders.cancel(tx, user_id, placed[0].order_id)
    assert await stuck(db) == Stuck(0, 0, None)

    began = datetime.now(UTC) - timedelta(minutes=1)
    async with db.transaction() as tx:
        for table in ("orders", "order_commands"):
            await tx.execute(f"UPDATE {table} SET created_at = $1", began)
    assert await stuck(db) == Stuck(3, 1, began)

    matcher = await venue.matcher()
    while await matcher.step():
        pass
    assert await stuck(db) == Stuck(0, 0, None)
