"""What comes between an order and its answer: U-06, U-08, U-10 and U-11, against the real stack."""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from deedbook.stack.sign import order_body
from tests.console.trading import comply, decide, fill, orders_of, trade_screen, trade_with_a_wallet
from tests.console.venue import ORDERS_A_MINUTE, Venue
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
BATCH = 100


async def test_order_counts_once_when_it_is_pressed_twice_on_a_slow_line_and_the_page_is_left(
    venue: Venue, browser: Browser
) -> None:
    """U-06: the platform has the order, its answer is minutes away; the page is left, and comes back."""
    visit, wallet = await trade_with_a_wallet(venue, browser)
    page = visit.page
    sent: list[str | None] = []
    page.on("request", lambda asked: sent.append(asked.post_data) if _is_placing(asked) else None)
    line = await page.context.new_cdp_session(page)
    await line.send("Network.enable")
    wallet.while_signing = partial(_delay_answers, line, 120_000)
    place = await fill(page, "902.22", "0.05")
    await expect(place).to_be_enabled()
    await place.dblclick()

    async def arrived() -> list[dict[str, Any]]:
        return [order for order in await orders_of(venue, "investor") if order["price"] == "902.22"]

    [order] = await eventually(arrived, "the platform has the order")
    await expect(place).to_be_disabled()
    await expect(page.get_by_label("Quantity", exact=True)).to_be_disabled()
    await page.goto("about:blank")
    await _delay_answers(line, 0)
    await visit.open(f"/trade/{venue.samples['pair']}")
    await visit.says("Order placed")
    assert len(wallet.signed) == 1, "a double click is one wish"
    assert len(sent) == 2 and sent[0] == sent[1], "the very same was sent again"
    await page.context.close()
    assert [found["id"] for found in await arrived()] == [order["id"]]


def _is_placing(asked: Any) -> bool:
    return bool(asked.method == "POST" and asked.url.endswith("/trading/orders"))


async def _delay_answers(line: Any, delay_ms: int) -> None:
    conditions = {"offline": False, "latency": delay_ms, "downloadThroughput": -1, "uploadThroughput": -1}
    await line.send("Network.emulateNetworkConditions", conditions)


async def test_order_is_not_given_twice_when_its_answer_was_lost_and_the_button_is_pressed_again(
    venue: Venue, browser: Browser
) -> None:
    """The platform has taken it, and the line breaks before it says so. Pressed again it is the same; and what was
    changed meanwhile waits until one knows what became of the first."""
    visit, wallet = await trade_with_a_wallet(venue, browser)
    page = visit.page
    for price, changed in (("902.44", "0.05"), ("902.66", "0.07")):
        signed = len(wallet.signed)
        place = await fill(page, price, "0.05")
        await expect(place).to_be_enabled()
        await page.route("**/api/v1/trading/orders", _lose_the_answer, times=1)
        await place.click()
        await visit.says("It may have been placed")
        await page.get_by_label("Quantity", exact=True).fill(changed)
        await expect(place).to_be_enabled()
        await place.click()
        await visit.says("Order placed" if changed == "0.05" else "Your earlier order came first")
        there = [order for order in await orders_of(venue, "investor") if order["price"] == price]
        assert [order["quantity"] for order in there] == ["0.05"]
        assert len(wallet.signed) == signed + 1
    await page.context.close()


async def _lose_the_answer(route: Route) -> None:
    await route.fetch()
    await route.abort("connectionreset")


async def test_ticket_says_why_when_the_pair_is_paused_meanwhile(venue: Venue, browser: Browser) -> None:
    """U-08: the market is paused while the form is filled in, and resumed; a level that is none is named at once."""
    visit = await trade_screen(venue, browser)
    page = visit.page
    place = await fill(page, "903.001", "0.05")
    await visit.says("In steps of 0.01")
    await expect(place).to_be_disabled()
    place = await fill(page, "903", "0.05")
    await expect(place).to_be_enabled()
    await decide(venue, "pause")
    await expect(page.locator("[data-blocked=closed]")).to_contain_text("takes no orders now")
    await expect(place).to_be_disabled()
    await expect(page.get_by_label("Price", exact=True)).to_have_value("903")
    await decide(venue, "resume")
    await expect(place).to_be_enabled()
    # A question that was on its way when the pair was paused is refused: browsers write that down.
    assert all("status of 423" in complaint for complaint in visit.complaints), visit.complaints
    await page.context.close()


async def test_ticket_says_why_when_compliance_freezes_the_account_meanwhile(
    venue: Venue, browser: Browser
) -> None:
    """U-08, of a person."""
    visit = await trade_screen(venue, browser)
    page = visit.page
    place = await fill(page, "904", "0.05")
    await expect(place).to_be_enabled()
    user_id = json.loads(venue.sessions["investor"])["userId"]
    await comply(venue, f"/compliance/{user_id}/freeze", {"reason": "an order of the court"})
    await page.get_by_label("Quantity", exact=True).fill("0.06")
    await expect(page.locator("[data-blocked=compliance]")).to_contain_text("account is frozen")
    await expect(place).to_be_disabled()
    await comply(venue, f"/compliance/{user_id}/unfreeze", {"reason": "lifted"})
    await page.get_by_label("Quantity", exact=True).fill("0.05")
    await expect(place).to_be_enabled()
    visit.nothing_was_amiss()
    await page.context.close()


async def test_ticket_says_why_when_a_verification_expires_meanwhile(venue: Venue, browser: Browser) -> None:
    """U-08, of a record that ends by itself a few seconds after compliance has written it."""
    user_id = json.loads(venue.sessions["issuer"])["userId"]
    path, token = f"/tokens/compliance/{user_id}", await _token_id(venue)
    visit = await trade_screen(venue, browser, "issuer")
    page = visit.page
    place = await fill(page, "1500.5", "0.05", side="Sell")
    await expect(place).to_be_enabled()
    ends = (datetime.now(UTC) + timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    await comply(venue, path, {"tokenId": token, "expiresAt": ends})
    await expect(page.locator("[data-blocked=compliance]")).to_contain_text("verification has expired")
    await expect(place).to_be_disabled()
    await expect(page.get_by_label("Price", exact=True)).to_have_value("1500.5")
    await comply(venue, path, {"tokenId": token, "kycStatus": "APPROVED", "expiresAt": None})
    await expect(place).to_be_enabled()
    visit.nothing_was_amiss()
    await page.context.close()


async def _token_id(venue: Venue) -> str:
    async with venue.client() as http:
        told = (await http.get(f"/tokens/{venue.samples['token']}")).raise_for_status().json()
    return str(told["id"])


async def test_countdown_is_shown_when_there_were_too_many_and_one_cancels_all_the_same(
    venue: Venue, browser: Browser
) -> None:
    """U-10: the platform's own limit, used up by as many orders as it gives in a minute."""
    visit = await trade_screen(venue, browser, "issuer")
    page = visit.page
    place = await fill(page, "1600.25", "0.05", side="Sell")
    await place.click()
    row = page.get_by_role("row").filter(has_text="1,600.25")
    await expect(row).to_contain_text("Open")
    face = page.locator("[data-face=rate-limited]")
    more = await _refused_for_the_rate(venue, page)
    await expect(face).to_contain_text(f"more than {ORDERS_A_MINUTE} orders in a minute")
    await expect(face).to_contain_text("Cancels are counted separately")
    await expect(face.get_by_test_id("countdown")).to_have_text(re.compile(r"Try again in \d+ s\."))
    await expect(row).to_have_count(1 + more)
    await row.first.get_by_role("button", name="Cancel").click()
    await expect(row).to_have_count(more)
    await page.context.close()


async def _refused_for_the_rate(venue: Venue, page: Page) -> int:
    """The window slides: where a minute ended between using it up and pressing, both once more. How often there was
    room for one more order."""
    for placed in range(3):
        await _use_up(venue)
        async with page.expect_response(lambda told: _is_placing(told.request)) as answered:
            await page.get_by_test_id("place").click()
        if (await answered.value).status == 429:
            return placed
    raise AssertionError("three times in a row there was room for one more order")


async def _use_up(venue: Venue) -> None:
    """Orders that somebody else has signed are counted, and refused after that."""
    async with venue.client("issuer") as http:
        domain, pair = await venue.to_sign(http)
        body = order_body(venue.wallet("operator"), domain, pair, "SELL", "0.05", "1700")
        for _ in range(ORDERS_A_MINUTE // BATCH):
            told = await http.post("/trading/orders/batch", json={"orders": [body] * BATCH})
            fates = {item["status"] for item in told.raise_for_status().json()["data"]}
            assert 201 not in fates


async def test_form_is_kept_when_the_session_ends_meanwhile(venue: Venue, browser: Browser) -> None:
    """U-11: everywhere else the person has signed out; one press, and the order goes on as it was typed."""
    await venue.enter("second-investor")
    visit = await trade_screen(venue, browser, "second-investor")
    page = visit.page
    place = await fill(page, "1100.5", "0.05", side="Sell")
    await expect(place).to_be_enabled()
    async with venue.client("second-investor") as http:
        (await http.post("/auth/logout", json={})).raise_for_status()
    quantity = page.get_by_label("Quantity", exact=True)
    await quantity.fill("0.06")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    await expect(dialog).to_be_visible()
    # Another question may have found the session ended before this was typed.
    typed = await quantity.input_value()
    await dialog.get_by_role("button", name="Sign in again").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_label("Price", exact=True)).to_have_value("1100.5")
    await expect(quantity).to_have_value(typed)
    await place.click()
    await visit.says("Order placed")
    await page.context.close()
    await venue.enter("second-investor")
