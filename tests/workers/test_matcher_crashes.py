"""Matcher processes that are killed, frozen and cut off while people trade: no acknowledged order is lost, none is
doubled, the log replays to the book that stands, and the copies are that book (F-01, F-02, F-08, F-11)."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from deedbook import truths
from deedbook.infra.bullmq_client import connect
from deedbook.infra.database import Database, DatabaseUnavailable
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.kernel.ids import UserId
from deedbook.trading import order_store, orders
from deedbook.trading.admission import Admitted
from deedbook.trading.errors import DuplicateOrder, OrderNotFound, OrderOver
from deedbook.trading.intake import Intake
from deedbook.trading.replay import replay
from tests.journeys.conftest import kill
from tests.support import servers
from tests.support.servers import QUICK_START, PostgresServer
from tests.support.waiting import PATIENCE_S, eventually
from tests.support.world import test_settings
from tests.trading.venue import Venue, open_venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

KINDS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {"tif": "IOC"},
    {"tif": "FOK"},
    {"post_only": True},
    {"kind": "STOP_LIMIT", "stop_price": "100.02"},
    {"kind": "STOP_MARKET", "tif": "IOC", "stop_price": "99.98"},
    {"self_trade": "DECREMENT"},
    {"self_trade": "EXPIRE_MAKER"},
)


@dataclass
class Matcher:
    """`deedbook matcher`, a process of its own."""

    process: "subprocess.Popen[bytes]"

    async def dies(self, within_s: float = 40) -> int:
        return await asyncio.to_thread(self.process.wait, within_s)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@dataclass
class Floor:
    """A pair on servers that may be killed, its people, and what they were answered."""

    postgres: PostgresServer
    valkey: EmbeddedValkey
    dsn: str
    redis: Redis
    directory: Path
    venue: Venue
    people: list[UserId]
    draw: random.Random
    taken: list[tuple[UserId, Admitted]] = field(default_factory=list)
    matchers: list[Matcher] = field(default_factory=list)

    def start(self, failpoints: str = "", **more: str) -> Matcher:
        settings = test_settings(self.dsn, self.valkey.url(), FAILPOINTS=failpoints)
        told = {name: _text(value) for name, value in settings.model_dump(exclude_unset=True).items()}
        with (self.directory / f"matcher-{len(self.matchers)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "deedbook", "matcher"],
                env={**os.environ, **QUICK_START, **told, **more},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.matchers.append(Matcher(process))
        return self.matchers[-1]

    async def trade(self, count: int, apart_s: float = 0.01) -> None:
        """People send random orders, each again and again until it is answered, and cancel some."""
        intake = Intake(self.venue.db, lambda admitted: None)
        async with asyncio.TaskGroup() as going:
            for _ in range(count):
                going.create_task(self._send(intake))
                if self.taken and self.draw.random() < 0.3:
                    going.create_task(self._change(*self.draw.choice(self.taken)))
                await asyncio.sleep(apart_s)
        await intake.close()

    async def _send(self, intake: Intake) -> None:
        who = self.draw.choice(self.people)
        price = f"{100 + self.draw.randrange(-5, 6) / 100:.2f}"
        side, size = self.draw.choice(("BUY", "SELL")), f"0.{self.draw.randrange(1, 9)}"
        order = self.venue.order(who, side, size, price, **self.draw.choice(KINDS))
        while True:
            try:
                await intake.submit(order)
            except DuplicateOrder:
                pass  # It was taken, and nobody could tell us.
            except DatabaseUnavailable:
                await asyncio.sleep(0.2)
                continue
            self.taken.append((who, order))
            return

    async def _change(self, owner: UserId, order: Admitted) -> None:
        cancels, left = self.draw.random() < 0.6, self.draw.randrange(1, 3000)
        while True:
            try:
                async with self.venue.db.transaction() as tx:
                    if cancels:
                        await orders.cancel(tx, owner, order.order_id)
                    else:
                        await orders.reduce(tx, owner, order.order_id, left)
            except DatabaseUnavailable:
                await asyncio.sleep(0.2)
                continue
            except (OrderOver, OrderNotFound):
                pass
            return

    async def matched(self, within_s: float = 40) -> None:
        async def nothing_waits() -> bool:
            try:
                return not await self.venue.rows(
                    "SELECT 1 FROM orders WHERE status = 'PENDING_MATCH' "
                    "UNION ALL SELECT 1 FROM order_commands WHERE match_seq IS NULL"
                )
            except DatabaseUnavailable:
                return False

        await eventually(nothing_waits, "everything is matched", within_s=within_s)

    async def prove(self) -> None:
        """What was answered is there once; the books, the log, the events and the copies agree."""
        await self.matched()
        kept = [str(row["order_id"]) for row in await self.venue.rows("SELECT order_id FROM orders")]
        assert sorted(kept) == sorted(str(order.order_id) for _, order in self.taken)
        await eventually(self._copies_agree, "the copies are the book", within_s=15)
        found = await replay(self.venue.db, self.venue.pair_id)
        assert found.findings == () and found.trades > 0
        untrue = [truth for truth in await truths.check_trading(self.venue.db) if not truth.holds]
        assert untrue == []
        await self._events_agree()

    async def _copies_agree(self) -> bool:
        spec, rows = self.venue.spec, await order_store.resting(self.venue.db, self.venue.pair_id)
        for side, buy in (("bids", "BUY"), ("asks", "SELL")):
            members: Any = await self.redis.zrange(f"orderbook:{spec.pair_id}:{side}", 0, -1)
            shown = [(told["orderId"], told["remainingQuantity"]) for told in map(orjson.loads, members)]
            sign = -1 if buy == "BUY" else 1
            kept = sorted(
                (row for row in rows if row["triggered"] and row["side"] == buy),
                key=lambda row: (sign * row["price_ticks"], row["priority"]),
            )
            if shown != [(row["order_id"], spec.size_text(row["remaining_lots"])) for row in kept]:
                return False
        return True

    async def _events_agree(self) -> None:
        """Each order was created and opened or ended once, each trade told to both, and nothing after an end."""
        rows = await self.venue.rows(
            "SELECT facts FROM trading_facts ORDER BY last_seq NULLS FIRST, position"
        )
        told = [orjson.loads(line) for row in rows for line in row["facts"].split("\n")]
        assert len({event["eventId"] for event in told}) == len(told)
        of: dict[str, list[str]] = {str(order.order_id): [] for _, order in self.taken}
        for event in told:
            of[event["orderId"]].append(event["eventType"])
        for order_id, kinds in of.items():
            counted, changes = Counter(kinds), [kind for kind in kinds if kind.startswith("order.")]
            assert kinds[0] == "order.created" and counted["order.created"] == 1, (order_id, kinds)
            assert counted["order.open"] <= 1
            assert counted["order.filled"] + counted["order.cancelled"] <= 1
            assert not {"order.filled", "order.cancelled"} & set(changes[:-1]), (order_id, kinds)
        (trades,) = await self.venue.rows("SELECT count(*) AS n FROM trades")
        assert sum(event["eventType"] == "trade.executed" for event in told) == 2 * trades["n"]

    async def close(self) -> None:
        for matcher in self.matchers:
            if matcher.process.poll() is None:
                matcher.process.kill()
                matcher.process.wait()


def _text(value: Any) -> str:
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    with servers.open_directory() as opened:
        yield opened


@pytest.fixture(scope="module")
async def own_postgres(directory: Path) -> AsyncIterator[PostgresServer]:
    """One that may be killed."""
    async with servers.postgres(directory) as server:
        prepared = PostgresServer(server)
        await prepared.prepare()
        yield prepared


@pytest.fixture
async def floor(
    own_postgres: PostgresServer, valkey: EmbeddedValkey, directory: Path
) -> AsyncIterator[Floor]:
    dsn = await own_postgres.new_database()
    db, redis = await Database.connect(dsn), connect(valkey.url(), timeout_s=PATIENCE_S)
    await redis.flushall()
    venue = await open_venue(db)
    people = [await venue.investor(base="1000", quote="1000000") for _ in range(4)]
    floor = Floor(own_postgres, valkey, dsn, redis, directory, venue, people, random.Random(7))
    try:
        yield floor
    finally:
        await floor.close()
        await redis.aclose()
        await db.close()
        await own_postgres.drop(dsn)


async def test_matchers_that_die_at_every_step_lose_and_double_nothing(floor: Floor) -> None:
    dying = [
        floor.start(f"{point}=kill:{crossing}")
        for point, crossing in (
            ("matcher.afterClaim", 4),
            ("matcher.beforeCommit", 5),
            ("matcher.afterCommit", 5),
            ("database.beforeCommit", 12),
            ("database.afterCommit", 12),
        )
    ]

    async def trade_on() -> None:
        """For as long as one lives: each dies over what people send."""
        while any(matcher.process.poll() is None for matcher in dying):
            await floor.trade(60, apart_s=0.03)

    trading = asyncio.create_task(trade_on())
    codes = await asyncio.gather(*(matcher.dies(within_s=60) for matcher in dying))
    assert codes == [-signal.SIGKILL] * len(dying)

    floor.start()
    await trading
    await floor.prove()


async def test_a_matcher_that_was_frozen_past_its_lease_changes_nothing_when_it_wakes(floor: Floor) -> None:
    frozen = floor.start()
    await floor.trade(40)
    await floor.matched()
    for _ in range(2):
        heir = floor.start()
        trading = asyncio.create_task(floor.trade(250, apart_s=0.02))
        await asyncio.sleep(0.5)
        frozen.send(signal.SIGSTOP)
        await trading
        await floor.matched(within_s=20)
        frozen.send(signal.SIGCONT)
        await floor.trade(60)
        await floor.matched()
        frozen = heir
    await floor.prove()


async def test_a_matcher_that_is_frozen_inside_a_commit_lets_go_of_its_pair(floor: Floor) -> None:
    """It holds the row that says who writes: the database ends its transaction before long."""
    frozen, heir = floor.start("database.beforeCommit=sleep:0.1"), floor.start()
    await floor.trade(5)
    await floor.matched()
    (writer,) = await floor.venue.rows("SELECT holder FROM pair_writer")
    if f"-{heir.process.pid}-" in writer["holder"]:
        heir.send(signal.SIGTERM)
        await heir.dies()
        heir = floor.start()
    trading = asyncio.create_task(floor.trade(60))

    async def inside() -> bool:
        held = "SELECT 1 FROM pg_locks WHERE relation = 'pair_writer'::regclass AND mode = 'RowExclusiveLock'"
        frozen.send(signal.SIGSTOP)
        await asyncio.sleep(0.05)
        if await floor.venue.rows(held):
            return True
        frozen.send(signal.SIGCONT)
        return False

    await eventually(inside, "it is frozen while it holds the pair", every_s=0.03)
    since = time.monotonic()
    await trading
    # Seven seconds where nobody else is at work; other processes' transactions are ended after ten.
    await floor.matched(within_s=9.7 - (time.monotonic() - since))
    frozen.send(signal.SIGCONT)
    await floor.trade(30)
    await floor.prove()


async def test_postgresql_is_killed_and_valkey_forgets_while_people_trade(floor: Floor) -> None:
    floor.start(), floor.start()
    await floor.trade(20)
    await floor.matched()
    trading = asyncio.create_task(floor.trade(500, apart_s=0.02))
    for _ in range(2):
        await asyncio.sleep(1.5)
        await kill(floor.postgres.server)
        with suppress(Exception):
            await floor.redis.flushall()
        await asyncio.sleep(0.5)
        await floor.postgres.server.start()
    await asyncio.sleep(1)
    await floor.redis.flushall()
    await trading
    await floor.prove()
