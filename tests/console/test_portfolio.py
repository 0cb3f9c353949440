"""U-18: the portfolio shows what the API says, and what is saved or printed adds up to the same."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.console.browser import Visit, look
from tests.console.newcomer import CHAIN_MS
from tests.console.trading import is_in_the_book, is_over
from tests.console.venue import Venue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
A4: ViewportSize = {"width": 718, "height": 1047}
"""Within its margins, in the pixels of style sheets."""


@pytest.fixture
async def bid(venue: Venue) -> AsyncIterator[None]:
    """An order of hers that holds dollars, while a test lasts: others may have ended all that she had."""
    order = (await venue.place("investor", "BUY", "0.01", "985.03"))["id"]
    await is_in_the_book(venue, "bids", "985.03")
    yield
    async with venue.client("investor") as http:
        (await http.delete(f"/trading/orders/{order}")).raise_for_status()
    await is_over(venue, "investor", order)


async def _as_investor(venue: Venue, browser: Browser, path: str) -> Visit:
    visit = await look(browser, venue.url, session=venue.sessions["investor"])
    await visit.open(path)
    return visit


async def _held(venue: Venue) -> dict[str, dict[str, Any]]:
    user_id = json.loads(venue.sessions["investor"])["userId"]
    async with venue.client("investor") as http:
        told = (await http.get(f"/tokens/balances/{user_id}")).raise_for_status().json()["data"]
    return {balance["symbol"]: balance for balance in told}


async def _open_bids(venue: Venue) -> int:
    """How many orders of hers hold dollars."""
    user_id = json.loads(venue.sessions["investor"])["userId"]
    async with venue.client("investor") as http:
        path, query = f"/trading/users/{user_id}/orders", {"limit": "200"}
        told = (await http.get(path, params=query)).raise_for_status().json()["data"]
    open_bids = [order for order in told if order["side"] == "BUY" and order["status"] in ("OPEN", "PARTIAL")]
    assert open_bids
    return len(open_bids)


@pytest.mark.usefixtures("bid")
async def test_each_number_opens_its_lines_when_it_is_pressed(venue: Venue, browser: Browser) -> None:
    visit, held = await _as_investor(venue, browser, "/portfolio"), await _held(venue)
    page = visit.page
    dollars = held["USDC"]["total"]
    row = page.get_by_role("table", name="Balances").get_by_role("row", name=re.compile("^USDC"))
    await expect(row.get_by_title(f"{_grouped(dollars)}", exact=True).first).to_be_visible()
    await page.get_by_role("button", name=f"USDC total {_grouped(dollars)}").click()
    lines = page.get_by_role("dialog").get_by_role("table", name="Ledger lines")
    newest = lines.get_by_role("row").nth(1)
    await expect(newest.get_by_title(f"{_grouped(dollars)} USDC", exact=True)).to_be_visible()
    await expect(lines.get_by_role("row", name=re.compile("Withdrawal"))).to_have_count(1)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name=re.compile("^USDC locked")).click()
    holding = page.get_by_role("table", name="What holds USDC").get_by_role("row")
    await expect(holding).to_have_count(1 + await _open_bids(venue))
    await page.keyboard.press("Escape")
    await page.get_by_role("tab", name="Fills").click()
    fills = page.get_by_role("table", name="Fills")
    await expect(fills.get_by_role("row").nth(1)).to_contain_text("Settled", timeout=CHAIN_MS)
    visit.nothing_was_amiss()
    await page.context.close()


async def test_statement_is_the_apis_when_it_is_saved(venue: Venue, browser: Browser, tmp_path: Path) -> None:
    visit = await _as_investor(venue, browser, "/portfolio")
    async with visit.page.expect_download() as saving:
        await visit.press("Statement as CSV")
    saved = await saving.value
    assert saved.suggested_filename == "statement.csv"
    await saved.save_as(tmp_path / "statement.csv")
    async with venue.client("investor") as http:
        told = (await http.get("/ledger/export", params={"format": "csv"})).raise_for_status().content
    assert (tmp_path / "statement.csv").read_bytes() == told
    assert told.startswith(b"id,createdAt,kind,symbol")
    assert b"priceSymbol,fee,feeSymbol" in told.splitlines()[0]
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_printed_totals_are_the_apis_when_a_statement_is_drawn_up(
    venue: Venue, browser: Browser
) -> None:
    visit, held = await _as_investor(venue, browser, "/portfolio/statement"), await _held(venue)
    page = visit.page
    totals = page.get_by_role("table", name="Totals")
    for symbol, balance in held.items():
        row = totals.get_by_role("row", name=re.compile(f"^{symbol} "))
        closing = row.get_by_role("cell").nth(4).locator("[title]")
        await expect(closing).to_have_attribute("title", _grouped(balance["total"]))
    await _trades_have_price_and_fee(venue, page)
    await page.emulate_media(media="print")
    await page.set_viewport_size(A4)
    assert await visit.wider_than_the_screen() == 0, "it sticks out of the paper"
    await expect(page.get_by_role("banner")).to_be_hidden()
    await expect(page.get_by_role("button", name="Print, or save as PDF")).to_be_hidden()
    await expect(totals).to_be_visible()
    assert (await page.pdf(format="A4")).startswith(b"%PDF")
    visit.nothing_was_amiss()
    await page.context.close()


async def _trades_have_price_and_fee(venue: Venue, page: Page) -> None:
    """Of the newest of her lines that a fee was taken of; the fee is in the token of the line."""
    async with venue.client("investor") as http:
        lines = (await http.get("/ledger", params={"limit": "200"})).raise_for_status().json()["data"]
    place, line = next(
        (place, line) for place, line in enumerate(lines) if line["trade"] and line["trade"]["fee"]
    )
    trade, rows = line["trade"], page.get_by_role("table", name="Lines of the statement").get_by_role("row")
    row = rows.nth(1 + place)
    await expect(row).to_contain_text(f"Trade {trade['side'].lower()} {trade['pair']}")
    for amount, unit in ((trade["price"], trade["priceSymbol"]), (trade["fee"], line["symbol"])):
        await expect(row.get_by_title(f"{_grouped(amount)} {unit}", exact=True)).to_be_visible()


def _grouped(amount: str) -> str:
    whole, mark, fraction = amount.partition(".")
    return f"{int(whole):,}{mark}{fraction}"
