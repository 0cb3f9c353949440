"""Developers: a key that is shown once and works until it is revoked, webhooks whose messages can be posted again, and
examples that run as they stand."""

import json
import os
import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx2
import pytest
from playwright.async_api import Browser, expect

from tests.console.browser import look
from tests.console.venue import Venue
from tests.support.servers import free_port
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_key_works_until_it_is_revoked_when_it_was_made_here(venue: Venue, browser: Browser) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["second-investor"])
    await visit.open("/developers")
    await visit.press("New key")
    await expect(visit.page.get_by_role("button", name="Make the key")).to_be_disabled()
    await visit.page.get_by_label("Name").fill("quoting bot")
    await visit.page.get_by_label("Read the account").check()
    await visit.page.get_by_label("Only from these networks").fill("127.0.0.1, ::1")
    await visit.press("Make the key")
    secret = await visit.page.get_by_test_id("secret").text_content() or ""
    assert await status_with(venue, secret) == 200
    await visit.press("I have it")
    await expect(visit.page.get_by_test_id("secret")).to_have_count(0)
    await visit.page.reload()
    await visit.is_there()
    assert secret not in await visit.page.content()
    await visit.press("Requests of quoting bot")
    requests = visit.page.get_by_role("dialog", name="Requests of quoting bot")
    asked = requests.get_by_role("row").filter(has_text="GET /api/v1/me").first
    await expect(asked).to_contain_text("200")
    await requests.get_by_role("button", name="Close").click()
    await visit.press("Revoke quoting bot")
    await visit.press("Revoke it")
    await visit.says("Revoked")
    assert await status_with(venue, secret) == 401
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def status_with(venue: Venue, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx2.AsyncClient(timeout=15, trust_env=False, headers=headers) as http:
        return (await http.get(f"{venue.terminal.api_url}/api/v1/me")).status_code


class Taker(BaseHTTPRequestHandler):
    """Takes everything and remembers under which ids it came."""

    ids: list[str]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.ids.append(self.headers["webhook-id"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: what came is in `ids`."""


async def test_message_is_posted_again_under_its_id_when_it_is_asked_for(
    venue: Venue, browser: Browser
) -> None:
    port = free_port()
    ids: list[str] = []
    server = HTTPServer(("127.0.0.1", port), type("OneTaker", (Taker,), {"ids": ids}))
    Thread(target=server.serve_forever, daemon=True).start()
    visit = await look(browser, venue.url, session=venue.sessions["second-investor"])
    try:
        await visit.open("/developers")
        await visit.press("New webhook")
        await visit.page.get_by_label("Address").fill(f"http://127.0.0.1:{port}/told")
        await visit.page.get_by_label("Settlement").check()
        await visit.press("Add the webhook")
        await expect(visit.page.get_by_test_id("secret")).to_contain_text("whsec_")
        await visit.press("I have it")
        await visit.press("Post a test")
        message = visit.page.get_by_role("list", name="Messages, newest first").get_by_role("listitem")
        await expect(message).to_contain_text("webhook.test")
        await expect(message).to_contain_text("1 try")
        await message.locator("summary").click()
        await message.get_by_role("button", name="Post it again").click()

        async def came_twice() -> bool:
            return len(ids) == 2

        await eventually(came_twice, "it comes again")
        assert len(set(ids)) == 1
        visit.nothing_was_amiss()
    finally:
        server.shutdown()
        server.server_close()
        await visit.page.context.close()


async def test_example_runs_as_it_stands_when_it_is_pasted(venue: Venue, browser: Browser) -> None:
    visit = await look(browser, venue.url, session=venue.sessions["second-investor"])
    await visit.open("/developers")
    example = await visit.page.get_by_label("The book of a pair, curl").text_content() or ""
    token = json.loads(venue.sessions["second-investor"])["accessToken"]
    done = subprocess.run(
        ["bash", "-c", f"{example} -o /dev/null -w '%{{http_code}}' --noproxy '*'"],
        capture_output=True,
        text=True,
        timeout=30,
        env={"PATH": os.environ["PATH"], "DEEDBOOK_TOKEN": token},
    )
    assert done.stdout == "200", done.stdout + done.stderr
    visit.nothing_was_amiss()
    await visit.page.context.close()
