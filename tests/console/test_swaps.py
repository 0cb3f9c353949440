"""One token for another in the browser: what is shown is what is signed, once, for at least that or not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.console.browser import NARROW, Visit, look
from tests.console.newcomer import CHAIN_MS
from tests.console.trading import available, decide, is_in_the_book, sign_in_with_a_wallet
from tests.console.venue import Venue
from tests.console.wallet import TestWallet
from tests.support.waiting import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PLACING, QUOTING = "**/api/v1/swaps", "**/api/v1/swaps/quote"
OFFER = ("0.4", "999")
"""The best that is offered, while a test of these lasts: more than all of them take."""
WORSE = ("0.4", "1003")
LEAST = "0.02034650625"
"""0.0205 of it, less a quarter of a percent, and of that half a percent less."""


@pytest.fixture
async def offer(venue: Venue) -> AsyncIterator[str]:
    async with _offered(venue, *OFFER) as order_id:
        yield order_id


@pytest.fixture
async def worse(venue: Venue) -> AsyncIterator[None]:
    """What is left when the offer is gone: others may have left nothing, and an empty book gives no quote."""
    async with _offered(venue, *WORSE):
        yield


@asynccontextmanager
async def _offered(venue: Venue, quantity: str, price: str) -> AsyncIterator[str]:
    """It stands in the copy of the book, of which quotes are made; what was asked for before has been matched."""
    placed = await venue.place("second-investor", "SELL", quantity, price)
    try:
        await is_in_the_book(venue, "asks", price)
        yield placed["id"]
    finally:
        await _take_back(venue, placed["id"])
        await is_in_the_book(venue, "asks", price, there=False)


async def _take_back(venue: Venue, order_id: str) -> None:
    async with venue.client("second-investor") as http:
        await http.delete(f"/trading/orders/{order_id}")


@asynccontextmanager
async def _converting(venue: Venue, browser: Browser) -> AsyncIterator[tuple[Visit, TestWallet]]:
    """The page as an investor has it whose wallet signs, with dollars to give for the sample's token."""
    visit, wallet = await sign_in_with_a_wallet(venue, browser)
    await visit.open("/convert")
    await _choose(venue, visit.page)
    try:
        yield visit, wallet
    finally:
        await visit.page.context.close()


async def _choose(venue: Venue, page: Page) -> None:
    await page.get_by_label("From", exact=True).select_option("USDC")
    await page.get_by_label("To", exact=True).select_option(venue.samples["token"])


async def _type(page: Page, amount: str) -> Locator:
    """The amount, and the button when the book has said what it gives."""
    await page.get_by_label("Amount", exact=True).fill(amount)
    button = page.get_by_test_id("convert")
    await expect(button).to_be_enabled()
    return button


async def _swaps(venue: Venue, amount: str) -> list[dict[str, Any]]:
    async with venue.client("investor") as http:
        told = (await http.get("/swaps", params={"limit": "200"})).raise_for_status().json()["data"]
    return [swap for swap in told if swap["amountIn"] == amount]


async def test_dollars_become_tokens_when_what_the_receipt_says_is_signed(
    venue: Venue, browser: Browser, offer: str
) -> None:
    dollars = await available(venue, "investor", "USDC")
    async with _converting(venue, browser) as (visit, wallet):
        page = visit.page
        receipt = page.get_by_test_id("receipt")
        await page.get_by_label("Amount", exact=True).fill("20,5")
        await visit.says("A positive amount, such as 250.50")
        await page.get_by_label("Amount", exact=True).fill("20.0000001")
        await visit.says("At most 6 places after the point")
        button = await _type(page, " 020.50 ")
        for words in (
            "20.5 USDC",
            LEAST,
            "999 USDC",
            "0.25%",
            "at least that, or not at all",
        ):
            await expect(receipt).to_contain_text(words)
        await expect(page.get_by_test_id("rest")).to_contain_text("The book takes 20.4795 USDC")
        await button.click()
        way = page.get_by_role("list", name="Steps")
        await expect(way.locator("[data-state=done]")).to_have_count(3, timeout=CHAIN_MS)
        [signed] = [told["message"] for told in wallet.signed if told["primaryType"] == "Swap"]
        shown = {
            name: signed[name] for name in ("tradingPairId", "side", "amountIn", "minAmountOut", "maxFeeBps")
        }
        assert shown == {
            "tradingPairId": venue.samples["pair"],
            "side": "BUY",
            "amountIn": "20.5",
            "minAmountOut": LEAST,
            "maxFeeBps": 25,
        }
        [swap] = await _swaps(venue, "20.5")
        assert (swap["status"], swap["settlementStatus"], swap["minAmountOut"]) == (
            "FILLED",
            "SETTLED",
            LEAST,
        )
        row = page.get_by_role("table", name="Swaps").get_by_role("row").nth(1)
        for words in (f"USDC → {venue.samples['token']}", "20.4795 USDC", "Filled", "Settled"):
            await expect(row).to_contain_text(words)
        assert dollars - await available(venue, "investor", "USDC") == Decimal("20.4795")
        await expect(page.get_by_label("Amount", exact=True)).to_have_value("")
        assert await visit.barriers() == []
        visit.nothing_was_amiss()


async def test_swap_counts_once_when_it_is_pressed_twice_and_its_answer_is_lost(
    venue: Venue, browser: Browser, offer: str
) -> None:
    """The platform has taken it, and the line breaks before it says so. Pressed again it is the same, whatever the
    quote says by then; what was changed meanwhile waits until one knows; a page that was left ends what it began; what
    was refused does not stand in the way of the next."""
    async with _converting(venue, browser) as (visit, wallet):
        page = visit.page
        for amount, changed in (("21", "21"), ("22", "23")):
            signed = len(wallet.signed)
            button = await _type(page, amount)
            await _lose_an_answer(page)
            await button.dblclick()
            await visit.says("the very same swap is sent")
            await (await _type(page, changed)).click()
            if changed != amount:
                await visit.says("Your earlier swap came first")
                await visit.says(f"22 USDC for {venue.samples['token']}")
            await expect(page.get_by_text("the very same swap is sent")).to_have_count(0)
            assert len(await _swaps(venue, amount)) == 1
            assert len(wallet.signed) == signed + 1
        assert await _swaps(venue, "23") == []

        await _lose_an_answer(page)
        await (await _type(page, "24")).click()
        await visit.says("the very same swap is sent")
        await visit.open("/convert")
        await expect(page.get_by_role("region", name="Your swap")).to_contain_text("24 USDC into")
        assert len(await _swaps(venue, "24")) == 1

        wallet.others_sign["Swap"] = TestWallet().key
        await _lose_an_answer(page)
        button = await _type(page, "27")
        await button.click()
        await visit.says("the very same swap is sent")
        await button.click()
        await expect(page.locator("[data-code=signature_refused]")).to_be_visible()
        await expect(page.get_by_text("the very same swap is sent")).to_have_count(0)
        wallet.others_sign.clear()
        await button.click()
        await expect(page.get_by_role("region", name="Your swap")).to_contain_text("27 USDC into")


async def _lose_an_answer(page: Page) -> None:
    """Of the next swap; the list of them is asked for at the same address."""

    lost: list[str | None] = []

    async def lose(route: Route) -> None:
        if route.request.method != "POST" or lost:
            await route.fallback()
            return
        lost.append(route.request.post_data)
        await route.fetch()
        await route.abort("connectionreset")

    await page.route(PLACING, lose)


@pytest.mark.usefixtures("worse")
async def test_nothing_is_converted_when_the_book_moves_while_its_owner_reads(
    venue: Venue, browser: Browser, offer: str
) -> None:
    """No more than was signed is given; one that was declined is not sent, and what was typed stays. While the wallet
    is open, what it shows stands on the page, whatever the book does."""
    async with _converting(venue, browser) as (visit, wallet):
        page = visit.page
        wallet.refusals["eth_signTypedData_v4"] = (4001, "User rejected the request.")
        await (await _type(page, "250")).click()
        await expect(page.locator("[data-face=wallet-rejected]")).to_be_visible()
        assert await _swaps(venue, "250") == []
        wallet.refusals.clear()
        await page.get_by_label("The book may move against me by").select_option("Nothing")
        stood: list[str] = []

        async def move() -> None:
            stood.append(await receipt.inner_text())
            await _take_back(venue, offer)
            for _ in range(2):
                await page.wait_for_event("response", lambda told: told.url.endswith("/swaps/quote"))
            await expect(page.get_by_label("Amount", exact=True)).to_be_disabled()
            stood.append(await receipt.inner_text())

        wallet.while_signing = move
        receipt = page.get_by_test_id("receipt")
        await (await _type(page, "250")).click()
        swap = page.get_by_role("region", name="Your swap")
        await expect(swap).to_contain_text("The book had moved")
        await expect(swap).to_contain_text("what was set aside is yours again")
        [ended] = await _swaps(venue, "250")
        assert (ended["status"], ended["reason"], ended["amountUsed"]) == ("CANCELLED", "min_amount_out", "0")
        assert ended["minAmountOut"] in stood[0] and stood[1] == stood[0], "what is signed stands there"
        visit.nothing_was_amiss()


async def test_form_says_why_when_it_cannot_be_converted_and_keeps_what_was_typed(
    venue: Venue, browser: Browser, offer: str
) -> None:
    """On a telephone: nobody is signed in, too much is asked for, the market is paused, the session has ended."""
    stranger = await look(browser, venue.url, size=NARROW, theme="light")
    await stranger.open("/convert")
    await _choose(venue, stranger.page)
    await stranger.page.get_by_label("Amount", exact=True).fill("26")
    await expect(stranger.page.get_by_test_id("receipt")).to_contain_text("999 USDC")
    await expect(stranger.page.get_by_role("link", name="Sign in to convert")).to_be_visible()
    await stranger.page.context.close()
    await venue.enter("second-investor")
    visit = await look(
        browser, venue.url, size=NARROW, theme="light", session=venue.sessions["second-investor"]
    )
    page = visit.page
    await visit.open("/convert")
    await _choose(venue, page)
    why = page.locator("[data-blocked]")
    await page.get_by_role("button", name="The other way round").click()
    await page.get_by_label("Amount", exact=True).fill("0.0000000001")
    await expect(why).to_contain_text("The amount has to be at least 0.0001")
    asked = asyncio.Event()

    async def never(_: Route) -> None:
        asked.set()

    await page.route(QUOTING, never)
    await asyncio.wait_for(asked.wait(), PATIENCE_S)
    await expect(why).to_contain_text("The amount has to be at least 0.0001")
    await page.unroute(QUOTING)
    await _choose(venue, page)
    button = await _type(page, "26")
    await page.get_by_label("Amount", exact=True).fill("1000000000")
    await expect(page.locator("[data-blocked=funds]")).to_contain_text("Not enough USDC available")
    assert await visit.wider_than_the_screen() == 0
    button = await _type(page, "26")
    await decide(venue, "pause")
    await expect(page.locator("[data-blocked=closed]")).to_contain_text("takes no orders now")
    await decide(venue, "resume")
    await expect(button).to_be_enabled()
    async with venue.client("second-investor") as http:
        (await http.post("/auth/logout", json={})).raise_for_status()
    # It may have heard of its end by itself: then the dialog lies over the button already.
    await button.dispatch_event("click")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    await dialog.get_by_role("button", name="Sign in again").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_label("Amount", exact=True)).to_have_value("26")
    await expect(page.locator("[data-face=signed-out]")).to_have_count(0)
    assert [len(await _swaps(venue, "26"))] == [0]
    await page.context.close()
    await venue.enter("second-investor")
