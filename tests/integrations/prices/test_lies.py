"""Sources that fail or lie: nothing of it is a price, nothing of it comes back to us, and nobody waits for long."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.answers import NoAnswer
from deedbook.integrations.prices import numbers
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.marketdata import FeedKind, PriceSource, Quote, Silence
from tests.integrations.prices.support import deploy_aggregator, feeds
from tests.support.fake_prices import SCALE, PriceDesk, price_desk, source

AT = 1_770_000_000
NAV = {"symbol": "LUXAPT", "currency": "USDC", "nav": "98.25", "asOf": "2026-03-01T12:00:00Z"}


@pytest.fixture
async def desk() -> AsyncIterator[PriceDesk]:
    async with price_desk() as opened:
        yield opened


@pytest.fixture
async def node(anvil: EmbeddedAnvil) -> AsyncIterator[SapphireClient]:
    client = SapphireClient(anvil.url)
    yield client
    await client.close()


async def why(desk: PriceDesk, node: SapphireClient, asked: PriceSource, **more: Any) -> str:
    """Why there was no price."""
    (told,) = (await feeds(desk, node, **more).ask([asked])).values()
    assert isinstance(told, Silence), told
    return told.why


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{", b'{"bitcoin":1}', b'{"bitcoin":{"usd":NaN,"last_updated_at":1}}', b"[" * 100_000,
        b'{"bitcoin":{"usd":-1,"last_updated_at":1}}', b'{"bitcoin":{"usd":0,"last_updated_at":1}}',
        b'{"bitcoin":{"usd":"12","last_updated_at":1}}', b'{"bitcoin":{"usd":12}}', b'{"bitcoin":{"eur":12}}',
        b'{"bitcoin":{"usd":1e99,"last_updated_at":1}}', b'{"bitcoin":{"usd":1,"last_updated_at":1e99}}',
        b'{"bitcoin":{"usd":1,"last_updated_at":99999999999999999999}}',
        b'{"bitcoin":{"usd":1e-30,"last_updated_at":1}}',
        b'{"bitcoin":{"usd":1,"last_updated_at":' + b"9" * 5000 + b"}}",
    ],
)  # fmt: skip
async def test_what_coingecko_says_is_no_price_when_it_is_none(
    desk: PriceDesk, node: SapphireClient, body: bytes
) -> None:
    desk.body = body
    assert await why(desk, node, source(FeedKind.COINGECKO, "bitcoin"))


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "OTHER"}, {"currency": "EURC"}, {"nav": 98.25}, {"nav": "-1"}, {"nav": "0"}, {"nav": ""},
        {"nav": None},
        {"nav": "1e999"}, {"asOf": "yesterday"}, {"asOf": "2026-02-30T00:00:00Z"}, {"asOf": "2026-03-01T12:00:00"},
        {"asOf": 5}, {"nav": "１２"},
    ],
)  # fmt: skip
async def test_what_an_issuer_says_is_no_price_when_a_field_is_not_of_its_form(
    desk: PriceDesk, node: SapphireClient, change: dict[str, Any]
) -> None:
    desk.navs["luxapt"] = NAV | change
    assert await why(desk, node, source(FeedKind.NAV, f"{desk.url}/nav/luxapt"))


async def test_nobody_waits_for_an_answer_that_is_late_or_endless(
    desk: PriceDesk, node: SapphireClient
) -> None:
    asked = source(FeedKind.NAV, f"{desk.url}/nav/luxapt")
    desk.body = b" " * 20_000
    assert "more than" in await why(desk, node, asked)
    desk.body, desk.delay_s = None, 30
    started = time.monotonic()
    assert "no answer in" in await why(desk, node, asked, timeout_s=0.3)
    assert time.monotonic() - started < 5


async def test_a_redirection_is_not_followed(desk: PriceDesk, node: SapphireClient) -> None:
    desk.status, desk.headers = 302, f"location: {desk.url}/nav/elsewhere\r\n"
    desk.navs = {"luxapt": NAV, "elsewhere": NAV}
    assert await why(desk, node, source(FeedKind.NAV, f"{desk.url}/nav/luxapt")) == "the feed answered 302"
    assert len(desk.seen) == 1


async def test_all_coins_are_asked_in_one_question_with_the_key_in_a_header(
    desk: PriceDesk, node: SapphireClient
) -> None:
    desk.coins = {
        coin: {"usd": "1.0000000000000000019", "at": AT} for coin in ("bitcoin", "ether", "unasked")
    }
    asked = [source(FeedKind.COINGECKO, coin) for coin in ("bitcoin", "ether", "unknown")]
    told = await feeds(desk, node, coingecko_key="the-key").ask(asked)
    right = Quote(SCALE + 1, datetime.fromtimestamp(AT, UTC))  # what is finer than 10^-18 is cut off
    assert [told[entry.source_id] for entry in asked[:2]] == [right, right]
    assert isinstance(told[asked[2].source_id], Silence)
    ((target, headers),) = desk.seen
    assert "the-key" not in target and headers["x-cg-demo-api-key"] == "the-key"


@pytest.mark.parametrize(
    ("answer", "at", "round_id", "answered_in"),
    [
        (0, AT, 9, 9),
        (-5, AT, 9, 9),
        (5, 0, 9, 9),
        (5, AT, 9, 8),
        (2**254, AT, 9, 9),
        (5, 2**200, 9, 9),
        (5, AT, 0, 0),
    ],
)
async def test_what_a_contract_says_is_no_price_when_it_is_none(
    desk: PriceDesk,
    node: SapphireClient,
    anvil: EmbeddedAnvil,
    answer: int,
    at: int,
    round_id: int,
    answered_in: int,
) -> None:
    contract = await deploy_aggregator(anvil)
    await contract.tell(answer, at, round_id, answered_in)
    assert await why(desk, node, source(FeedKind.CHAINLINK, contract.address))


async def test_an_address_without_a_feed_and_a_node_that_is_away_are_silent(
    desk: PriceDesk, node: SapphireClient
) -> None:
    nothing = source(FeedKind.CHAINLINK, "0x" + "12" * 20)
    assert await why(desk, node, nothing) == "the contract is no price feed"
    away = SapphireClient("http://127.0.0.1:1", 0.3)
    assert await why(desk, away, nothing) == "the chain does not answer"
    await away.close()


@pytest.mark.parametrize("decimals", [0, 8, 18, 27])
async def test_a_contract_is_read_with_its_own_decimals(
    desk: PriceDesk, node: SapphireClient, anvil: EmbeddedAnvil, decimals: int
) -> None:
    contract = await deploy_aggregator(anvil, decimals)
    await contract.tell(7 * 10**decimals, AT)
    (told,) = (await feeds(desk, node).ask([source(FeedKind.CHAINLINK, contract.address)])).values()
    assert told == Quote(7 * SCALE, datetime.fromtimestamp(AT, UTC))


async def test_one_that_lies_holds_nobody_else_up(desk: PriceDesk, node: SapphireClient) -> None:
    desk.navs["luxapt"] = NAV
    good, bad = (source(FeedKind.NAV, f"{desk.url}/nav/{name}") for name in ("luxapt", "none"))
    told = await feeds(desk, node).ask([bad, good])
    assert told[good.source_id] == Quote(9825 * SCALE // 100, datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert isinstance(told[bad.source_id], Silence)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("1", SCALE), ("0.5", SCALE // 2), ("1e-18", 1), ("1.5E+2", 150 * SCALE), ("98234.50", 9823450 * SCALE // 100),
        ("0.1234567890123456789", 123456789012345678),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly(text: str, price: int) -> None:
    assert numbers.scaled(text) == price


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "0", "1e-19", "1e30", ".5", "1.", "1_0", "0x1", "1e9999", "1\n", "٣"]
)
def test_what_is_no_positive_number_is_no_price(text: str) -> None:
    with pytest.raises(NoAnswer):
        numbers.scaled(text)
