"""Those who were under way are awaited, whether they have written or not, and nobody who came later."""

import asyncio

import pytest

from deedbook.infra.database import Database
from deedbook.infra.endings import all_ended


@pytest.mark.parametrize("first", ["SELECT 1", "CREATE TEMPORARY TABLE written ()"])
async def test_whoever_is_under_way_is_awaited_and_whoever_comes_later_is_not(
    db: Database, first: str
) -> None:
    async with db.transaction() as before:
        await before.execute(first)
        assert not await all_ended(db, 0.2)
        waiting = asyncio.create_task(all_ended(db, 60))
        await asyncio.sleep(0.1)
        later = await db.pool.acquire()
        await later.execute("BEGIN")
        await later.execute(first)
        assert not waiting.done()
    try:
        assert await waiting
    finally:
        await later.execute("ROLLBACK")
        await db.pool.release(later)
