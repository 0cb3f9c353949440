"""Pairs on real PostgreSQL: opened once, and always with the status that their market has now."""

import asyncio
from uuid import uuid4

import pytest

from deedbook import markets, tokens
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import MarketId
from deedbook.markets import MarketStatus
from deedbook.trading import service, views
from tests.markets.support import OFFICER, load, market_in


@pytest.fixture
async def live(db: Database) -> MarketId:
    """A live market on a platform that has its quote token."""
    async with db.transaction() as tx:
        await tokens.record_cash(tx, Address("0x" + "ca" * 20), 31337, 6)
    return (await market_in(db, MarketStatus.ACTIVE)).market_id


async def _open(db: Database, market_id: MarketId) -> None:
    async with db.transaction() as tx:
        await service.open_pair(tx, market_id)


async def _status(db: Database) -> list[str]:
    return [row["status"] for row in await views.pairs(db)]


async def test_a_pair_is_opened_once_when_the_fact_comes_many_times_at_once(
    db: Database, live: MarketId
) -> None:
    await asyncio.gather(*(_open(db, live) for _ in range(6)))
    (pair,) = await views.pairs(db)
    symbol = (await load(db, live)).token_symbol + "-USDC"
    assert (pair["symbol"], pair["status"], pair["tick_size"], pair["lot_size"]) == (
        symbol,
        "active",
        "0.01",
        "0.0001",
    )
    assert (await views.pair(db, symbol)) == (await views.pair(db, str(pair["pair_id"]))) == pair
    assert await views.pair(db, str(uuid4())) is None
    assert await views.pair(db, "' OR 1=1 --") is None


async def test_a_pair_follows_its_market_when_it_pauses_resumes_and_ends(
    db: Database, live: MarketId
) -> None:
    await _open(db, live)
    told = []
    for move in (markets.pause, markets.resume, markets.archive):
        async with db.transaction() as tx:
            await move(tx, live, "", OFFICER)
        for _ in range(2):
            async with db.transaction() as tx:
                await service.follow_market(tx, live)
        told += await _status(db)
    assert told == ["paused", "active", "closed"]


async def test_a_pair_has_the_markets_present_status_when_its_fact_comes_late(
    db: Database, live: MarketId
) -> None:
    async with db.transaction() as tx:
        await markets.pause(tx, live, "", OFFICER)
    await _open(db, live)
    assert await _status(db) == ["paused"]
    async with db.transaction() as tx:
        await markets.resume(tx, live, "", OFFICER)
    await _open(db, live)
    assert await _status(db) == ["active"]


async def test_nothing_happens_when_there_is_no_such_market(db: Database) -> None:
    async with db.transaction() as tx:
        await service.follow_market(tx, MarketId(uuid4()))
    assert await _status(db) == []
