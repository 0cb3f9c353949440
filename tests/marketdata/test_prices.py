"""Prices from outside, from where they are asked to what screens are told; on real servers, whatever comes twice."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.kernel.clock import to_wire
from deedbook.kernel.events import SYSTEM
from deedbook.kernel.jobs import Job
from deedbook.marketdata import FeedKind, PriceFeeds, PricePolicy, PriceSource, errors, jobs, prices, views
from deedbook.marketdata.references import MOST_BPS
from deedbook.marketdata.store import references as store
from tests.integrations.prices.support import deploy_aggregator, feeds
from tests.marketdata.support import JOB, Tape, open_tape
from tests.support.fake_prices import SCALE, FakeFeeds, price_desk

POLICY = PricePolicy(alert_bps=500, max_spread_bps=200)
ANY = (1, 10**38)


@dataclass
class Desk:
    """A pair whose price is asked outside."""

    tape: Tape
    price_feeds: PriceFeeds
    price_policy: PricePolicy = POLICY
    sources: list[PriceSource] = field(default_factory=list)

    @property
    def db(self) -> Database:
        return self.tape.db

    @property
    def redis(self) -> Redis:
        return self.tape.redis

    async def add(self, kind: FeedKind, locator: str, bounds: tuple[int, int] = ANY) -> PriceSource:
        made = prices.new_source(self.tape.spec, kind, locator, 3600, bounds)
        async with self.db.transaction() as tx:
            await prices.add_source(tx, SYSTEM, self.tape.spec, made)
        self.sources.append(made)
        return made

    async def fetch(self) -> None:
        """Run the job, twice: a job may always come again."""
        for _ in range(2):
            await jobs.fetch_external_prices(self, JOB)

    async def price(self) -> Any:
        return orjson.loads(await views.price(self.db, self.redis, self.tape.spec))

    async def facts(self) -> list[str]:
        rows = await self.tape.rows(
            "SELECT event_type FROM events WHERE event_type LIKE 'price.%' AND event_type NOT LIKE '%source%' "
            "ORDER BY position"
        )
        return [row["event_type"] for row in rows]


@pytest.fixture
async def fake() -> FakeFeeds:
    return FakeFeeds()


@pytest.fixture
async def desk(db: Database, redis: Redis, fake: FakeFeeds) -> Desk:
    return Desk(await open_tape(db, redis, "BTC"), fake)


def lately(seconds: float = 5) -> datetime:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).replace(microsecond=0)


async def test_three_kinds_of_source_become_one_price(
    db: Database, redis: Redis, anvil: EmbeddedAnvil
) -> None:
    async with price_desk() as outside:
        node = SapphireClient(anvil.url)
        desk = Desk(await open_tape(db, redis, "BTC"), feeds(outside, node))
        contract, moment = await deploy_aggregator(anvil), lately()
        await contract.tell(98_234_50000000, moment)
        outside.coins["bitcoin"] = {"usd": "98300.25", "at": int(moment.timestamp())}
        outside.navs["btc"] = {
            "symbol": "BTC",
            "currency": "USDC",
            "nav": "98250",
            "asOf": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        }
        await desk.add(FeedKind.CHAINLINK, contract.address)
        await desk.add(FeedKind.COINGECKO, "bitcoin")
        await desk.add(FeedKind.NAV, f"{outside.url}/nav/btc")
        await desk.fetch()
        told = await desk.price()
        assert (told["price"], told["source"]) == ("98250", "reference")
        assert told["reference"] | {"observedAt": 0} == {
            "price": "98250", "observedAt": 0, "state": "sound", "sources": 3, "spreadBps": 6,
        }  # fmt: skip
        assert len(await desk.tape.rows("SELECT 1 FROM external_prices")) == 3
        await node.close()


async def test_what_was_paid_is_the_price_beside_what_sources_say(desk: Desk, fake: FakeFeeds) -> None:
    source = await desk.add(FeedKind.COINGECKO, "bitcoin")
    fake.say(source.source_id, "100", lately())
    await desk.fetch()
    await desk.tape.trade((9_900, 1, lately()))
    await desk.tape.aggregate()
    await desk.tape.update_stats()
    told = await desk.price()
    assert (told["price"], told["source"], told["reference"]["price"]) == ("99", "trade", "100")


async def test_a_significant_move_is_told_once_and_on_the_ticker(desk: Desk, fake: FakeFeeds) -> None:
    source = await desk.add(FeedKind.COINGECKO, "bitcoin")
    listening = desk.redis.pubsub()
    await listening.subscribe(f"events:ticker:{desk.tape.pair_id}")
    for price in ("100", "104.99", "105", "105.5"):
        fake.say(source.source_id, price, lately())
        await desk.fetch()
    assert await desk.facts() == ["price.moved"]
    heard: list[Any] = []
    async with asyncio.timeout(10):
        while len(heard) < 8:
            message = await listening.get_message(ignore_subscribe_messages=True, timeout=1)
            heard += [orjson.loads(message["data"])] if message is not None else []
    assert [entry["reference"]["price"] for entry in heard[::2]] == ["100", "104.99", "105", "105.5"]
    await listening.aclose()  # type: ignore[no-untyped-call]


async def test_sources_at_odds_and_silent_ones_are_told_and_the_last_sound_price_stays(
    desk: Desk, fake: FakeFeeds
) -> None:
    first, second = [await desk.add(FeedKind.COINGECKO, coin) for coin in ("bitcoin", "wrapped-bitcoin")]
    fake.say(first.source_id, "100", lately())
    await desk.fetch()
    fake.say(second.source_id, "110", lately())
    await desk.fetch()
    assert (await desk.price())["reference"] | {"observedAt": 0} == {
        "price": "100", "observedAt": 0, "state": "disputed", "sources": 2, "spreadBps": 1000,
    }  # fmt: skip
    fake.say(second.source_id, "100.5", lately(1))
    await desk.fetch()
    assert await desk.facts() == ["price.disputed", "price.restored"]
    fake.says.clear()
    await desk.fetch()
    assert (await desk.price())["reference"]["state"] == "sound"  # what was said a moment ago still counts
    problems = await views.price_sources(desk.db, desk.tape.pair_id, 10)
    assert {row["problem"] for row in problems} == {"it says nothing"}


async def test_a_price_becomes_stale_when_its_sources_say_nothing_new(desk: Desk, fake: FakeFeeds) -> None:
    source = await desk.add(FeedKind.COINGECKO, "bitcoin")
    fake.say(source.source_id, "100", lately(3500))
    await desk.fetch()
    fake.say(source.source_id, "100", lately(3700))
    async with desk.db.transaction() as tx:
        await tx.execute("UPDATE price_sources SET max_age_s = 3000")
    await desk.fetch()
    assert await desk.facts() == ["price.outdated"]
    told = (await desk.price())["reference"]
    assert (told["state"], told["price"], told["sources"]) == ("stale", "100", 0)


async def test_a_price_is_stale_when_nobody_asks_for_it_any_more(desk: Desk, fake: FakeFeeds) -> None:
    """The last source was removed, or whatever asks has died: what was found then is not sound for ever."""
    source = await desk.add(FeedKind.COINGECKO, "bitcoin")
    fake.say(source.source_id, "100", lately())
    await desk.fetch()
    async with desk.db.transaction() as tx:
        await prices.remove_source(tx, SYSTEM, source.source_id)
        await tx.execute("UPDATE reference_prices SET as_of = as_of - interval '6 minutes'")
        assert await prices.note_values(tx, None, 10) == 0
    await desk.redis.flushall()
    told = (await desk.price())["reference"]
    assert (told["state"], told["price"], told["sources"]) == ("stale", "100", 0)


async def test_what_comes_late_or_out_of_bounds_changes_nothing(desk: Desk, fake: FakeFeeds) -> None:
    source = await desk.add(FeedKind.COINGECKO, "bitcoin", (50 * SCALE, 150 * SCALE))
    fake.say(source.source_id, "100", lately(5))
    await desk.fetch()
    fake.say(source.source_id, "90", lately(60))
    await desk.fetch()
    assert (await desk.price())["reference"]["price"] == "100"
    fake.say(source.source_id, "1000000", lately(1))
    await desk.fetch()
    told = (await desk.price())["reference"]
    assert (told["price"], told["state"]) == ("100", "stale")


async def test_a_price_counts_when_its_source_has_told_of_a_moment_to_come_before(
    desk: Desk, fake: FakeFeeds
) -> None:
    """A clock that was wrong once must not make a source worth nothing until that moment has come."""
    source = await desk.add(FeedKind.NAV, "https://issuer.example/nav")
    async with desk.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO external_prices (source_id, price, observed_at) VALUES ($1, 7, now() + interval '9 years')",
            source.source_id,
        )
    fake.say(source.source_id, "90", lately(-3600))
    await desk.fetch()
    (row,) = await views.price_sources(desk.db, desk.tape.pair_id, 10)
    assert (row["price"], row["problem"]) == (None, "it tells of a moment that has not come")
    fake.say(source.source_id, "100", lately())
    await desk.fetch()
    told = (await desk.price())["reference"]
    assert (told["price"], told["state"]) == ("100", "sound")


async def test_others_go_on_when_a_price_leaps_beyond_what_can_be_counted(
    desk: Desk, fake: FakeFeeds
) -> None:
    first, second = [await desk.add(FeedKind.COINGECKO, coin) for coin in ("bitcoin", "wrapped-bitcoin")]
    fake.say(first.source_id, "0.000000000000000001", lately(9))
    await desk.fetch()
    fake.say(second.source_id, "99999999999", lately(9))
    await desk.fetch()
    told = (await desk.price())["reference"]
    assert (told["state"], told["spreadBps"]) == ("disputed", MOST_BPS)
    fake.say(first.source_id, "99999999999", lately(8))
    await desk.fetch()
    assert (await desk.price())["reference"]["price"] == "99999999999"
    (moved,) = await desk.tape.rows("SELECT payload FROM events WHERE event_type = 'price.moved'")
    assert moved["payload"]["changeBps"] == MOST_BPS


async def test_a_source_is_asked_once_and_no_longer_when_it_was_removed(desk: Desk, fake: FakeFeeds) -> None:
    source = await desk.add(FeedKind.COINGECKO, "bitcoin")
    with pytest.raises(errors.PriceSourceExists):
        await desk.add(FeedKind.COINGECKO, "bitcoin")
    async with desk.db.transaction() as tx:
        await prices.remove_source(tx, SYSTEM, source.source_id)
    with pytest.raises(errors.PriceSourceNotFound):
        async with desk.db.transaction() as tx:
            await prices.remove_source(tx, SYSTEM, source.source_id)
    await desk.fetch()
    assert fake.asked == 0
    await desk.add(FeedKind.COINGECKO, "bitcoin")


@pytest.mark.parametrize(
    ("kind", "locator", "bounds"),
    [
        (FeedKind.CHAINLINK, "0x12", ANY), (FeedKind.CHAINLINK, "bitcoin", ANY), (FeedKind.COINGECKO, "bit coin", ANY),
        (FeedKind.COINGECKO, "a,b", ANY), (FeedKind.NAV, "ftp://x/y", ANY), (FeedKind.NAV, "https://a b", ANY),
        (FeedKind.COINGECKO, "bitcoin", (0, 5)), (FeedKind.COINGECKO, "bitcoin", (6, 5)),
    ],
)  # fmt: skip
async def test_a_source_is_refused_when_it_cannot_be_asked(
    desk: Desk, kind: FeedKind, locator: str, bounds: tuple[int, int]
) -> None:
    with pytest.raises(errors.PriceSourceInvalid):
        await desk.add(kind, locator, bounds)


async def test_a_token_tells_what_it_is_worth_outside_daily_and_after_a_move(
    desk: Desk, fake: FakeFeeds
) -> None:
    source = await desk.add(FeedKind.NAV, "https://issuer.example/nav")
    moment = lately()
    fake.say(source.source_id, "98.25", moment)
    await desk.fetch()

    async def told() -> Any:
        (row,) = await desk.tape.rows("SELECT metadata FROM tokens WHERE symbol = 'BTC'")
        return row["metadata"]["marketValue"]

    for _ in range(2):
        async with desk.db.transaction() as tx:
            await jobs.note_market_values(tx, JOB)
    assert await told() == {
        "pricePerToken": "98.25", "currency": "USDC", "observedAt": to_wire(moment), "sources": 1,
    }  # fmt: skip
    fake.say(source.source_id, "110", lately(1))
    await desk.fetch()
    moved = Job("1", "moved", {"tradingPairId": str(desk.tape.pair_id)})
    for _ in range(2):
        async with desk.db.transaction() as tx:
            await jobs.note_moved_value(tx, moved)
    assert (await told())["pricePerToken"] == "110"
    facts = await desk.tape.rows("SELECT 1 FROM events WHERE event_type = 'token.metadata_updated'")
    assert len(facts) == 2


async def test_old_quotes_are_forgotten_but_never_the_newest(desk: Desk, fake: FakeFeeds) -> None:
    source = await desk.add(FeedKind.COINGECKO, "bitcoin")
    for seconds in (300, 200, 100):
        fake.say(source.source_id, "100", lately(seconds))
        await desk.fetch()
    async with desk.db.transaction() as tx:
        await jobs.remove_old_prices(tx, JOB)
    assert len(await desk.tape.rows("SELECT 1 FROM external_prices")) == 3
    rows = await desk.tape.rows("SELECT max(observed_at) AS newest FROM external_prices")
    for _ in range(2):
        async with desk.db.transaction() as tx:
            await store.remove_old(tx, datetime.now(UTC) + timedelta(days=1), 100)
    assert await desk.tape.rows("SELECT observed_at AS newest FROM external_prices") == rows
