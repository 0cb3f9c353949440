"""What every source does behind our port: the fake of the tests, a contract on a chain, CoinGecko and an issuer's feed
over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.marketdata import FeedKind, PriceFeeds, PriceSource, Quote, Silence
from tests.integrations.prices.support import deploy_aggregator, feeds
from tests.support.fake_prices import SCALE, FakeFeeds, PriceDesk, price_desk, source

NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
LATER = NOW + timedelta(seconds=60)


@dataclass
class Side:
    """One source, and how to have its far side say something: 12.34567891 at a moment, or nothing any more."""

    feeds: PriceFeeds
    source: PriceSource
    say: Callable[[datetime], Awaitable[None]]
    fall_silent: Callable[[], Awaitable[None]]


@pytest.fixture(params=["fake", "chainlink", "coingecko", "nav"])
async def side(request: pytest.FixtureRequest, anvil: EmbeddedAnvil) -> AsyncIterator[Side]:
    async with price_desk() as desk:
        node = SapphireClient(anvil.url)
        yield await SIDES[request.param](desk, node, anvil)
        await node.close()


async def _fake(desk: PriceDesk, node: SapphireClient, anvil: EmbeddedAnvil) -> Side:
    fake, asked = FakeFeeds(), source(FeedKind.COINGECKO, "bitcoin")

    async def say(moment: datetime) -> None:
        fake.say(asked.source_id, "12.34567891", moment)

    async def silence() -> None:
        fake.says.clear()

    return Side(fake, asked, say, silence)


async def _chainlink(desk: PriceDesk, node: SapphireClient, anvil: EmbeddedAnvil) -> Side:
    contract = await deploy_aggregator(anvil)

    async def say(moment: datetime) -> None:
        await contract.tell(1_234_567_891, moment)

    async def silence() -> None:
        await contract.tell(0, 0, 0, 0)

    return Side(feeds(desk, node), source(FeedKind.CHAINLINK, contract.address), say, silence)


async def _coingecko(desk: PriceDesk, node: SapphireClient, anvil: EmbeddedAnvil) -> Side:
    async def say(moment: datetime) -> None:
        desk.coins["bitcoin"] = {"usd": "12.34567891", "at": int(moment.timestamp())}

    async def silence() -> None:
        desk.coins.clear()

    return Side(feeds(desk, node), source(FeedKind.COINGECKO, "bitcoin"), say, silence)


async def _nav(desk: PriceDesk, node: SapphireClient, anvil: EmbeddedAnvil) -> Side:
    asked = source(FeedKind.NAV, desk.url + "/nav/luxapt")

    async def say(moment: datetime) -> None:
        told = {
            "symbol": "LUXAPT",
            "currency": "USDC",
            "nav": "12.34567891",
            "asOf": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        }
        desk.navs["luxapt"] = told

    async def silence() -> None:
        desk.status = 500

    return Side(feeds(desk, node), asked, say, silence)


SIDES = {"fake": _fake, "chainlink": _chainlink, "coingecko": _coingecko, "nav": _nav}


async def test_a_price_is_read_to_its_last_digit_with_its_own_time(side: Side) -> None:
    await side.say(NOW)
    told = await side.feeds.ask([side.source])
    assert told == {side.source.source_id: Quote(12_345_678_910_000_000_000, NOW)}


async def test_the_same_is_said_again_until_there_is_something_new(side: Side) -> None:
    await side.say(NOW)
    first = await side.feeds.ask([side.source])
    assert await side.feeds.ask([side.source]) == first
    await side.say(LATER)
    assert (await side.feeds.ask([side.source]))[side.source.source_id] == Quote(
        1_234_567_891 * SCALE // 10**8, LATER
    )


async def test_one_that_says_nothing_is_silent_and_tells_why(side: Side) -> None:
    await side.say(NOW)
    await side.fall_silent()
    (told,) = (await side.feeds.ask([side.source])).values()
    assert isinstance(told, Silence) and told.why
