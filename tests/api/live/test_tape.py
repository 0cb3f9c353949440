"""The tape: no trade twice, none left out; where one is missing for good, those who hear know it."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from deedbook.api.live.connection import Connection
from deedbook.api.live.tape import GAP, Tape
from deedbook.infra.database import Database
from deedbook.kernel.ids import new_uuid
from deedbook.trading.order_store import StoredTrade
from tests.api.live.test_hostile import Stuck
from tests.support.waiting import eventually
from tests.trading.venue import open_venue


def stored(number: int) -> StoredTrade:
    return StoredTrade(new_uuid(), number, "BUY", 100, 1, datetime.now(UTC))


def news(number: int) -> dict[str, Any]:
    return {
        "tradeId": str(new_uuid()),
        "seq": number,
        "price": "1",
        "quantity": "1",
        "takerSide": "BUY",
        "executedAt": "t",
    }


async def test_trades_that_come_twice_are_told_once_and_missing_ones_are_read(db: Database) -> None:
    tape = Tape((await open_venue(db)).spec)
    tape.begin([stored(4), stored(5)], 5)
    tape.follow()
    wire, told = Stuck(), list[int]()
    wire.reads.set()
    connection = Connection(wire)
    subscription, snapshot = tape.hear(connection)
    connection.subscriptions["trades", "A-B"] = subscription
    assert [trade["seq"] for trade in json.loads(snapshot)["trades"]] == [4, 5]
    writing = asyncio.create_task(connection.write())
    tape.take([news(5), news(6)])
    tape.take([news(6), news(7)])
    tape.follow()
    tape.begin([stored(number) for number in range(6, 10)], 9)
    tape.follow()

    async def both_are_written() -> bool:
        return len(wire.heard) == 2

    await eventually(both_are_written, "two updates")
    for text in wire.heard:
        message = json.loads(text)
        assert message["prevSeq"] == message["trades"][0]["seq"] - 1
        told += [trade["seq"] for trade in message["trades"]]
    assert told == [6, 7, 8, 9] and tape.last_price is not None

    tape.begin([stored(number) for number in range(2000, 2100)], 2099)
    await connection.over.wait()
    await writing
    await connection.finish()
    assert wire.ended == GAP
    assert tape.number == 2099 and not tape.listeners
