"""What `deedbook bench feeds` does with hundreds of clients, with some: all are cut off at once and come back within a
second while orders trade, and each knows everything again soon (INV-7)."""

import asyncio
from urllib.parse import urlsplit

from deedbook.bench.crowd import KEEP_BOOKS, Crowd
from tests.api.live.conftest import Stand
from tests.api.live.test_private import all_matched
from tests.support.waiting import eventually, under_way
from tests.support.world import User

CLIENTS = 2 * KEEP_BOOKS
CUTS = 5


async def trade(stand: Stand, buyer: User, seller: User) -> None:
    floor = stand.floor
    for number in range(1000):
        await floor.place(seller, "SELL", price=str(100 + number % 9), quantity="0.5")
        await floor.place(buyer, "BUY", price=str(96 + number % 9), quantity="0.3")


async def test_all_who_are_cut_off_come_back_to_the_same_book(stand: Stand) -> None:
    buyer, seller = await stand.floor.investor("1000000"), await stand.floor.investor(deeds="1000")
    port, stopping = urlsplit(stand.address).port, asyncio.Event()
    assert port is not None
    crowd = Crowd(port, [stand.market], CLIENTS)
    try:
        async with under_way(trade(stand, buyer, seller)):
            await crowd.open()
            crowd.count()
            async with under_way(crowd.cut_now_and_then(0.05, stopping)) as cutting:
                await eventually(lambda: _gone(crowd, CUTS), "some were cut off and came back", within_s=60)
                stopping.set()
                await cutting
            back_s = await crowd.cut_all(1.0)
        await all_matched(stand)
        assert (len(back_s), len(crowd.followers)) == (CLIENTS, CLIENTS)
        assert max(back_s) < 10
        http = stand.floor.world.http

        async def same() -> bool:
            return await crowd.differences(http) == []

        await eventually(same, "every book that is kept is the one that HTTP tells", within_s=30)
        assert [trouble for follower in crowd.all for trouble in follower.troubles] == []
        assert sum(follower.book is not None for follower in crowd.followers) == 2
    finally:
        crowd.close()


async def _gone(crowd: Crowd, count: int) -> bool:
    return len(crowd.gone) >= count
