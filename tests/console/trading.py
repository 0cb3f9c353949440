"""What tests of trading do over and over: open the screen, fill the ticket, ask the API what became of it."""

import json
from decimal import Decimal
from typing import Any

from playwright.async_api import Browser, Locator, Page

from tests.console.browser import Visit, look
from tests.console.venue import Venue
from tests.console.wallet import TestWallet, signed_in_with
from tests.support.waiting import eventually

WAITING = ("PENDING_MATCH", "OPEN", "PARTIAL")


async def trade_screen(venue: Venue, browser: Browser, person: str = "investor", **more: Any) -> Visit:
    visit = await look(browser, venue.url, session=venue.sessions.get(person, ""), **more)
    await visit.open(f"/trade/{venue.samples['pair']}")
    return visit


async def trade_with_a_wallet(venue: Venue, browser: Browser) -> tuple[Visit, TestWallet]:
    """The screen as an investor has it whose wallet signs; the wallet tells what it was asked."""
    visit, wallet = await sign_in_with_a_wallet(venue, browser)
    await to_the_pair(venue, visit.page)
    return visit, wallet


async def sign_in_with_a_wallet(venue: Venue, browser: Browser) -> tuple[Visit, TestWallet]:
    """An investor whose key stays in the test."""
    wallet = TestWallet(key=venue.people["investor"]["privateKey"])
    return await signed_in_with(wallet, browser, venue.url), wallet


async def to_the_pair(venue: Venue, page: Page) -> None:
    """Within the page, which would forget a wallet that it is connected to; others may have opened pairs meanwhile."""
    await page.get_by_role("link", name="Trade", exact=True).click()
    await page.get_by_label("Pair", exact=True).select_option(venue.samples["pair"])


async def fill(page: Page, price: str, quantity: str, side: str = "Buy") -> Locator:
    """Fill the ticket; its button."""
    await page.get_by_text(side, exact=True).first.click()
    await page.get_by_label("Price", exact=True).fill(price)
    await page.get_by_label("Quantity", exact=True).fill(quantity)
    return page.get_by_test_id("place")


async def orders_of(venue: Venue, person: str, **query: str) -> list[dict[str, Any]]:
    user_id = json.loads(venue.sessions[person])["userId"]
    async with venue.client(person) as http:
        path = f"/trading/users/{user_id}/orders"
        told = (await http.get(path, params={"limit": "200", **query})).raise_for_status().json()
    found: list[dict[str, Any]] = told["data"]
    return found


async def is_over(venue: Venue, person: str, order_id: str) -> None:
    """Wait until the matcher has ended this order: what is answered is only that it was taken in."""

    async def ended() -> bool:
        async with venue.client(person) as http:
            told = (await http.get(f"/trading/orders/{order_id}")).raise_for_status().json()
        return told["status"] not in WAITING

    await eventually(ended, f"{order_id} is over", within_s=30)


async def is_in_the_book(venue: Venue, side: str, price: str, *, there: bool = True) -> None:
    """Wait until the book's copy, of which quotes are made, has this level, or has it no more."""

    async def does() -> bool:
        path = f"/trading/pairs/{venue.samples['pair']}/orderbook"
        async with venue.client() as http:
            told = (await http.get(path)).raise_for_status().json()
        return (Decimal(price) in [Decimal(level) for level, _ in told[side]]) is there

    await eventually(does, f"{price} {'stands' if there else 'is no more'} in the book", within_s=30)


async def decide(venue: Venue, step: str) -> None:
    await comply(venue, f"/markets/{venue.samples['market']}/{step}", {"reason": "for the test"})


async def comply(venue: Venue, path: str, body: dict[str, Any]) -> None:
    async with venue.client("compliance") as http:
        key = {"Idempotency-Key": f"test-{path}"[:200] + str(len(venue.calls))}
        venue.calls.append(path)
        answer = await http.post(path, json=body, headers=key)
    assert answer.status_code in (200, 202), answer.text


async def available(venue: Venue, person: str, symbol: str) -> Decimal:
    user_id = json.loads(venue.sessions[person])["userId"]

    async def asked() -> Decimal | None:
        async with venue.client(person) as http:
            told = (await http.get(f"/tokens/balances/{user_id}")).raise_for_status().json()["data"]
        return next((Decimal(entry["available"]) for entry in told if entry["symbol"] == symbol), None)

    found = await eventually(asked, f"{person} has {symbol}")
    assert found is not None
    return found
