"""Traders are shown when they ask for it, with what they traded since, and with nothing once they ask for that."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from redis.asyncio import Redis

from deedbook.bench.venue import account_of, add_traders
from deedbook.identity import Caller, Role
from deedbook.infra.database import Database
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.marketdata import errors, jobs, traders, views
from deedbook.marketdata.store import traders as store
from tests.marketdata.support import JOB, Tape, open_tape


@pytest.fixture
async def tape(db: Database, redis: Redis) -> Tape:
    return await open_tape(db, redis)


async def person(tape: Tape) -> Caller:
    (user_id,) = await add_traders(tape.db, tape.spec, [("0", "0")])
    return Caller(user_id, account_of(user_id), None, frozenset({Role.INVESTOR}), new_uuid())


async def show(tape: Tape, who: Caller, name: str, hours_ago: float = 100) -> None:
    """As if they had asked so long ago."""
    async with tape.db.transaction() as tx:
        await traders.show(tx, who, name)
        since = datetime.now(UTC) - timedelta(hours=hours_ago)
        await tx.execute("UPDATE shown_traders SET since = $2 WHERE user_id = $1", who.user_id, since)


async def leaders(tape: Tape) -> list[tuple[str, str, int]]:
    await tape.redis.flushdb()
    told: Any = orjson.loads(await views.all_stats(tape.db, tape.redis))
    return [(entry["name"], entry["volume24h"], entry["trades24h"]) for entry in told["traders"]]


def ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


async def test_only_those_are_shown_who_asked_for_it(tape: Tape) -> None:
    ada, bob = await person(tape), await person(tape)
    await show(tape, ada, "Ada")
    await tape.trade((500, 10_000, ago(1)), buyer=ada.user_id, seller=bob.user_id)
    await tape.trade((500, 20_000, ago(1)), buyer=bob.user_id, seller=ada.user_id)
    await tape.aggregate()
    assert await leaders(tape) == [("Ada", "15", 2)]


async def test_what_was_traded_before_somebody_asked_or_a_day_ago_does_not_count(tape: Tape) -> None:
    ada = await person(tape)
    await show(tape, ada, "Ada", hours_ago=2)
    await tape.trade((500, 10_000, ago(3)), (500, 30_000, ago(1)), buyer=ada.user_id)
    await tape.aggregate()
    assert await leaders(tape) == [("Ada", "15", 1)]
    await show(tape, ada, "Ada", hours_ago=100)
    await tape.trade((500, 10_000, ago(26)), buyer=ada.user_id)
    await tape.aggregate()
    assert await leaders(tape) == [("Ada", "15", 1)]


async def test_nothing_is_left_of_somebody_who_asks_to_be_hidden(tape: Tape) -> None:
    ada = await person(tape)
    await show(tape, ada, "Ada")
    await tape.trade((500, 10_000, ago(1)), buyer=ada.user_id)
    await tape.aggregate()
    for _ in range(2):
        async with tape.db.transaction() as tx:
            await traders.hide(tx, ada)
    await tape.trade((500, 10_000, ago(1)), buyer=ada.user_id)
    await tape.aggregate()
    assert await leaders(tape) == []
    assert await tape.rows("SELECT 1 FROM trader_volumes") == []
    facts = await tape.rows(
        "SELECT event_type FROM events WHERE event_type LIKE 'trader.%' ORDER BY position"
    )
    assert [row["event_type"] for row in facts] == ["trader.shown", "trader.hidden"]


async def test_a_name_is_one_traders_alone(tape: Tape) -> None:
    ada, bob = await person(tape), await person(tape)
    await show(tape, ada, "Ada")
    with pytest.raises(errors.LeaderNameTaken):
        await show(tape, bob, "ADA")
    await show(tape, ada, "Ada Lovelace")
    await show(tape, bob, "Ada")


async def test_volumes_equal_their_trades_whatever_failed(tape: Tape) -> None:
    draw = random.Random(5)
    people = {name: await person(tape) for name in ("Ada", "Bob", "Cleo")}
    for name, who in people.items():
        await show(tape, who, name)
    ids = [who.user_id for who in people.values()] + [UserId(new_uuid())]
    for _ in range(20):
        buyer, seller = draw.sample(ids, 2)
        told = [(draw.randrange(1, 900), draw.randrange(1, 9000), ago(draw.uniform(0, 20))) for _ in range(3)]
        await tape.trade(*told, buyer=buyer, seller=seller)
        await tape.settle(draw.choice(tape.trades), draw.choice(("FAILED", "PENDING")))
        await tape.aggregate()
        assert {(shown.name, shown.volume, shown.trades) for shown in await _leaders(tape)} == {
            (name, *_traded(tape, who.user_id))
            for name, who in people.items()
            if _traded(tape, who.user_id)[1]
        }


async def _leaders(tape: Tape) -> list[store.Shown]:
    async with tape.db.reading() as connection:
        return await store.leaders(connection, datetime.now(UTC), 10)


def _traded(tape: Tape, user_id: UUID) -> tuple[int, int]:
    mine = [trade for trade in tape.trades if user_id in (trade.buyer, trade.seller) and not trade.failed]
    return sum(tape.spec.notional(trade.ticks, trade.lots) for trade in mine), len(mine)


async def test_old_hours_are_forgotten(tape: Tape) -> None:
    ada = await person(tape)
    await show(tape, ada, "Ada")
    await tape.trade((500, 1, ago(60)), (500, 1, ago(1)), buyer=ada.user_id)
    await tape.aggregate()
    for _ in range(2):
        async with tape.db.transaction() as tx:
            await jobs.remove_old_prices(tx, JOB)
    assert len(await tape.rows("SELECT 1 FROM trader_volumes")) == 1
