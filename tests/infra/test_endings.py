"""Those who were under way are awaited, whether they have written or not, and nobody who came later."""

import asyncio

import pytest

from deedbook.infra import endings
from deedbook.infra.database import Database
from deedbook.infra.endings import all_ended
from tests.support.waiting import PATIENCE_S


@pytest.mark.parametrize("first", ["SELECT 1", "CREATE TEMPORARY TABLE written ()"])
async def test_whoever_is_under_way_is_awaited_and_whoever_comes_later_is_not(
    db: Database, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, looked = endings._under_way, asyncio.Event()

    async def noted(db: Database) -> set[str]:
        found = await look(db)
        looked.set()
        return found

    async with db.transaction() as before:
        await before.execute(first)
        assert not await all_ended(db, 0.2)
        monkeypatch.setattr(endings, "_under_way", noted)
        waiting = asyncio.create_task(all_ended(db, 60))
        await asyncio.wait_for(looked.wait(), PATIENCE_S)
        later = await db.pool.acquire()
        await later.execute("BEGIN")
        await later.execute(first)
        assert not waiting.done()
    try:
        assert await waiting
    finally:
        await later.execute("ROLLBACK")
        await db.pool.release(later)
