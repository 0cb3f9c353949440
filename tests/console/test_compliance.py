"""Compliance: records written of the version that was seen, what ends soon, and freezes whose effect is shown first."""

import json
import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from deedbook.stack.wallet import Wallet, sign_in
from tests.console.browser import Visit, look
from tests.console.trading import WAITING, is_in_the_book
from tests.console.venue import Venue
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PREVIEW = "**/api/v1/tokens/compliance/*/preview"


async def newcomer(venue: Venue) -> str:
    """Somebody of whom nothing is known yet."""
    return (await somebody(venue))[0]


async def somebody(venue: Venue) -> tuple[str, str]:
    """The same, with their account."""
    wallet = Wallet.from_key(os.urandom(32))
    async with venue.client() as http:
        return str((await sign_in(http, wallet))["userId"]), wallet.address


def cut(text: str) -> str:
    return f"{text[:6]}…{text[-4:]}"


async def token_id(venue: Venue) -> str:
    async with venue.client() as http:
        listed = (await http.get("/tokens", params={"type": "RWA", "limit": 200})).json()["data"]
    return next(str(token["id"]) for token in listed if token["symbol"] == venue.samples["token"])


async def test_account_is_frozen_and_thawed_with_reasons_when_an_officer_says_so(
    venue: Venue, browser: Browser
) -> None:
    user_id = await newcomer(venue)
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open("/compliance")
    await visit.page.get_by_label("Account or user id").fill(user_id)
    await visit.press("Open")
    await visit.press("Freeze the account")
    dialog = visit.page.get_by_role("dialog")
    await expect(dialog.get_by_test_id("exposure")).to_contain_text("No order is open")
    await expect(dialog.get_by_role("button", name="Freeze the account")).to_be_disabled()
    await dialog.get_by_label("Reason").fill("court order 12/2026")
    await dialog.get_by_role("button", name="Freeze the account").click()
    await visit.says("court order 12/2026")
    await visit.press("Lift the freeze")
    await dialog.get_by_label("Reason").fill("the order was lifted")
    await dialog.get_by_role("button", name="Lift the freeze").click()
    await expect(visit.page.get_by_role("button", name="Freeze the account")).to_be_visible()
    await expect(visit.page.get_by_text("court order 12/2026")).to_have_count(0)
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_person_is_told_apart_by_their_account_when_ids_begin_alike(
    venue: Venue, browser: Browser
) -> None:
    people = [await somebody(venue), await somebody(venue)]
    for user_id, _ in people:
        await venue.post("compliance", f"/compliance/{user_id}/freeze", {"reason": "looked alike"})
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visit.open("/compliance")
    listed = visit.page.get_by_role("table", name="Accounts that are frozen or on the sanctions list")
    for user_id, account in people:
        row = listed.get_by_role("row", name=cut(account))
        await expect(row).to_contain_text(f"user {cut(user_id)}")
        await row.get_by_role("button", name=f"Copy the account {cut(account)}").click()
        await _copied(visit, account)
    search = visit.page.get_by_label("Account or user id")
    await search.fill("0x" + "7e" * 20)
    await visit.press("Open")
    await visit.says("Nobody here has this account.")
    await search.fill(people[1][1])
    await visit.press("Open")
    await expect(visit.page.get_by_role("link", name=people[1][1])).to_be_visible()
    await visit.says(people[1][0])
    for user_id, _ in people:
        await venue.post("compliance", f"/compliance/{user_id}/unfreeze", {"reason": "told apart"})
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def _copied(visit: Visit, text: str) -> None:
    """The page writes it after the press, and not at once."""

    async def has() -> bool:
        return bool(await visit.page.evaluate("navigator.clipboard.readText()") == text)

    await eventually(has, f"{text} is in the clipboard")


async def test_freeze_shows_what_it_reaches_before_it_is_done(venue: Venue, browser: Browser) -> None:
    investor = json.loads(venue.sessions["investor"])["userId"]
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open(f"/compliance/{investor}")
    await visit.press("Freeze the account")
    reached = visit.page.get_by_role("dialog").get_by_test_id("exposure")
    await expect(reached).to_contain_text(venue.samples["token"])
    await visit.press("Go back")
    await expect(visit.page.get_by_role("dialog")).to_have_count(0)
    async with venue.client("compliance") as http:
        assert (await http.get(f"/tokens/compliance/{investor}")).json()["frozen"] is False
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_change_of_a_record_shows_which_orders_end_before_it_is_written(
    venue: Venue, browser: Browser
) -> None:
    investor, symbol = venue.user_id("investor"), venue.samples["token"]
    placed = [await venue.place("investor", "BUY", "0.0625", price) for price in ("981.5", "981.6")]
    await is_in_the_book(venue, "bids", "981.6")  # what was to end before has ended
    async with venue.client("investor") as http:
        listed = (await http.get(f"/trading/users/{investor}/orders", params={"limit": 200})).json()["data"]
    ended = len([order for order in listed if order["status"] in WAITING])
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open(f"/compliance/{investor}")
    await visit.press(f"Change the record for {symbol}")
    effect = visit.page.get_by_role("dialog").get_by_test_id("record-effect")
    await expect(effect).to_contain_text("No order ends")
    await visit.page.get_by_label("On the whitelist of this token").uncheck()
    await expect(effect).to_contain_text(f"They may not trade {symbol} any more")
    await expect(effect).to_contain_text("they are not on the whitelist")
    await expect(effect).to_contain_text(f"{ended} open orders end:")
    await expect(effect).to_contain_text(f"buy 0.0625 {symbol}-USDC at 981.6")
    await expect(effect).to_contain_text("Available to them again:")
    await visit.page.route(PREVIEW, _never)
    await visit.page.get_by_label("On the whitelist of this token").check()
    await expect(effect.get_by_role("status")).to_be_visible()
    await expect(visit.page.get_by_role("button", name="Write the record")).to_be_disabled()
    await visit.page.unroute(PREVIEW)
    await visit.page.get_by_label("KYC level").select_option("9")
    await expect(effect).to_contain_text("No order ends")
    await visit.page.route("**/trading/users/*/orders?*", _one_at_a_time)
    await visit.page.get_by_label("On the whitelist of this token").uncheck()
    await expect(effect).to_contain_text("1 or more open orders end:")
    await expect(effect).to_contain_text("Available to them again: at least")
    await visit.press("Go back")
    async with venue.client("investor") as http:
        for order in placed:
            told = (await http.get(f"/trading/orders/{order['id']}")).json()
            (await http.delete(f"/trading/orders/{order['id']}")).raise_for_status()
            assert told["status"] == "OPEN"
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def _never(_: Route) -> None:
    """No answer, for as long as one waits."""


async def _one_at_a_time(route: Route) -> None:
    """Lists that do not fit into one answer."""
    await route.continue_(url=route.request.url.replace("limit=200", "limit=1"))


async def test_record_is_not_overwritten_when_another_officer_was_faster(
    venue: Venue, browser: Browser
) -> None:
    """Neither the first that there is, nor one that was changed meanwhile."""
    (user_id, account), symbol = await somebody(venue), venue.samples["token"]
    ends = (datetime.now(UTC) + timedelta(days=20)).strftime("%Y-%m-%d")
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open(f"/compliance/{user_id}")
    await visit.page.get_by_label("Write a record for another token").select_option(symbol)
    await visit.press("Begin")
    await visit.page.get_by_label("Country").fill("pt")
    body: dict[str, Any] = {
        "tokenId": await token_id(venue),
        "kycStatus": "APPROVED",
        "expiresAt": f"{ends}T12:00:00Z",
    }
    for country in ("FR", "LU"):
        await venue.post("compliance", f"/tokens/compliance/{user_id}", {**body, "jurisdiction": country})
        await visit.page.get_by_label("KYC ends").fill(ends)
        await visit.press("Write the record")
        await expect(visit.page.locator("[data-face=stale]")).to_be_visible()
        await visit.press("Look again")
        await expect(visit.page.get_by_role("cell", name=country, exact=True)).to_be_visible()
        await visit.press(f"Change the record for {symbol}")
    assert [complaint for complaint in visit.complaints if "412" not in complaint] == []
    await visit.open("/compliance")
    await expect(visit.page.get_by_role("link", name=cut(account)).first).to_be_visible()
    await visit.page.context.close()


async def test_last_day_is_shown_as_it_was_entered_when_the_next_one_has_begun_here(
    venue: Venue, browser: Browser
) -> None:
    """In summer the end of a day in UTC is one in the morning in Lisbon."""
    user_id, symbol = await newcomer(venue), venue.samples["token"]
    body = {"tokenId": await token_id(venue), "kycStatus": "APPROVED", "expiresAt": "2027-07-30T10:00:00Z"}
    await venue.post("compliance", f"/tokens/compliance/{user_id}", body)
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open(f"/compliance/{user_id}")
    row = visit.page.get_by_role("table", name="Records of this user").get_by_role("row", name=symbol)
    await expect(row).to_contain_text("30 Jul 2027 10:00 UTC")
    await visit.press(f"Change the record for {symbol}")
    await visit.says("At 10:00 UTC, as long as the day stays.")
    await visit.page.get_by_label("KYC ends (end of day UTC)").fill("2027-07-31")
    await visit.page.get_by_label("Accreditation", exact=True).select_option("accredited")
    await visit.page.get_by_label("Accreditation ends (end of day UTC)").fill("2027-08-31")
    await visit.press("Write the record")
    await expect(row).to_contain_text("31 Jul 2027 end of day UTC")
    await expect(row).to_contain_text("31 Aug 2027 end of day UTC")
    await visit.press(f"Change the record for {symbol}")
    await expect(visit.page.get_by_label("KYC ends (end of day UTC)")).to_have_value("2027-07-31")
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_rules_are_changed_and_a_token_paused_when_an_officer_says_why(
    venue: Venue, browser: Browser
) -> None:
    symbol = venue.samples["token"]
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open("/token-rules")
    await visit.press(f"Change the rules of {symbol}")
    await visit.page.get_by_label("Countries blocked").fill("kp")
    await visit.says("Two capital letters each")
    await visit.page.get_by_label("Countries blocked").fill("KP")
    await visit.press("Write the rules")
    await expect(visit.page.get_by_role("dialog")).to_have_count(0)
    await visit.says("KP")
    await visit.press(f"Pause {symbol}")
    await visit.page.get_by_label("Reason").fill("the deed is contested")
    await visit.press("Pause it")
    await visit.says("Paused")
    await visit.press(f"Let {symbol} move")
    await visit.page.get_by_label("Reason").fill("the court has decided")
    await visit.press("Let it move")
    await expect(visit.page.get_by_text("Paused", exact=True)).to_have_count(0)
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_note_stays_and_the_stopped_are_listed_when_an_officer_works_on_a_case(
    venue: Venue, browser: Browser
) -> None:
    user_id = await newcomer(venue)
    await venue.post("compliance", f"/compliance/{user_id}/freeze", {"reason": "court order 14/2026"})
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open("/compliance")
    listed = visit.page.get_by_role("table", name="Accounts that are frozen or on the sanctions list")
    row = listed.get_by_role("row", name="court order 14/2026")
    await expect(row).to_contain_text("Freeze")
    await row.get_by_role("link").click()
    await visit.says("Nobody has written anything yet.")
    await visit.page.get_by_label("A note").fill("Called the bank: the account is theirs.")
    await visit.press("Put on record")
    notes = visit.page.get_by_role("list", name="Notes, newest first")
    await expect(notes.get_by_role("listitem")).to_contain_text("Called the bank")
    await expect(notes.get_by_role("link", name=cut(venue.people["compliance"]["address"]))).to_be_visible()
    await expect(visit.page.get_by_label("A note")).to_have_value("")
    await venue.post("compliance", f"/compliance/{user_id}/unfreeze", {"reason": "lifted"})
    await visit.open("/compliance")
    await expect(visit.page.get_by_text("court order 14/2026")).to_have_count(0)
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def test_table_is_rehearsed_and_written_when_it_can_be_read(venue: Venue, browser: Browser) -> None:
    first, second, symbol = await newcomer(venue), await newcomer(venue), venue.samples["token"]
    nobody = str(uuid.uuid4())
    header = "user,token,kyc,level,whitelisted,country,ends"
    visit = await look(browser, venue.url, session=venue.sessions["compliance"])
    await visit.open("/compliance")
    table = visit.page.get_by_label("A table of records")
    await table.fill(f"{header}\n{first},{symbol},APPROVED,2,maybe,PT,")
    await visit.says("Line 2: whitelisted is yes or no.")
    await table.fill(
        f"{header}\n{first},{symbol},APPROVED,2,yes,PT,2027-01-31\n"
        f"{nobody},{symbol},APPROVED,2,yes,,\n{second},{symbol},REJECTED,0,no,,"
    )
    await visit.press("Rehearse")
    rows = visit.page.get_by_role("table", name="What would change").get_by_role("row")
    await expect(rows.nth(1)).to_contain_text("APPROVED")
    async with venue.client("compliance") as http:
        assert (await http.get(f"/tokens/compliance/{first}")).json()["records"] == []
    await visit.press("Write 2")
    await expect(rows.nth(1)).to_contain_text("Written")
    await expect(rows.nth(3)).to_contain_text("Written")
    await expect(rows.nth(2)).not_to_contain_text("Written")
    async with venue.client("compliance") as http:
        [record] = (await http.get(f"/tokens/compliance/{first}")).json()["records"]
    assert (record["kycStatus"], record["jurisdiction"]) == ("APPROVED", "PT")
    assert record["expiresAt"].startswith("2027-01-31T23:59:59")
    assert [complaint for complaint in visit.complaints if "404" not in complaint] == []
    await visit.page.context.close()
