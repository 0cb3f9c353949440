"""What happens to me is shown by my browser, also while no page is open: switched on, shown, and switched off again."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser, CDPSession, Page, expect

from tests.console.browser import Visit, look
from tests.console.venue import Venue
from tests.support.push_service import Browser as Receiver
from tests.support.push_service import push_service
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
NAME = "Switch on in this browser"


def _subscribes(receiver: Receiver) -> str:
    """A script that has the browser's push service, which nobody reaches from here, give this subscription. It holds
    until it is ended, on every page that is opened."""
    told = json.dumps(receiver.subscription())
    return f"""
        const subscription = {{
          toJSON: () => ({told}),
          unsubscribe: async () => {{ localStorage.removeItem("test.subscribed"); return true; }},
        }};
        PushManager.prototype.subscribe = async (options) => {{
          localStorage.setItem("test.subscribed", JSON.stringify(options));
          return subscription;
        }};
        PushManager.prototype.getSubscription = async () =>
          localStorage.getItem("test.subscribed") ? subscription : null;
    """


async def _registration(devtools: CDPSession) -> str:
    """The id of the worker that runs here."""
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def updated(told: dict[str, Any]) -> None:
        for one in told["registrations"]:
            if not one["isDeleted"] and not found.done():
                found.set_result(one["registrationId"])

    devtools.on("ServiceWorker.workerRegistrationUpdated", updated)
    await devtools.send("ServiceWorker.enable")
    return await asyncio.wait_for(found, 15)


async def _shown(page: Page) -> list[list[str]]:
    """What the browser shows of ours just now."""
    told: list[list[str]] = await page.evaluate(
        "async () => (await (await navigator.serviceWorker.getRegistration('/app/')).getNotifications())"
        ".map(({title, body}) => [title, body])"
    )
    return told


async def _open_browsers(venue: Venue, browser: Browser, script: str, *allowed: str) -> Visit:
    visit = await look(browser, venue.url, session=venue.sessions["operator"], scripts=(script,))
    await visit.page.context.grant_permissions(list(allowed), origin=venue.url)
    await visit.open("/notifications")
    await visit.page.get_by_role("tab", name="Browsers").click()
    return visit


async def test_browser_shows_what_is_pushed_until_it_is_switched_off(venue: Venue, browser: Browser) -> None:
    async with push_service() as (service, receiver):
        visit = await _open_browsers(venue, browser, _subscribes(receiver), "notifications")
        page = visit.page
        await visit.press(NAME)
        row = page.get_by_role("row", name="Chrome on Linux")
        await expect(row).to_contain_text("This one")
        await expect(page.get_by_role("button", name=NAME)).to_have_count(0)
        assert await visit.barriers() == []

        wish = {"preferences": [{"kind": "api_key.created", "push": True}]}
        await _send(venue, "PUT", "/me/notification-preferences", json=wish)
        key = await venue.post("operator", "/me/api-keys", {"name": "of a test of push", "scopes": ["read"]})
        await eventually(_arrival(service), "the platform has posted it", within_s=30)
        pushed = receiver.read(service.received[-1].body).decode()
        devtools = await page.context.new_cdp_session(page)
        message = {
            "origin": venue.url,
            "registrationId": await _registration(devtools),
            "data": pushed,
        }
        await devtools.send("ServiceWorker.deliverPushMessage", message)
        told = json.loads(pushed)

        async def is_shown() -> bool:
            return [told["title"], told["body"]] in await _shown(page)

        await eventually(is_shown, "the worker shows it", within_s=15)
        await _send(venue, "DELETE", f"/me/api-keys/{key['key']['id']}")

        await page.reload()
        await page.get_by_role("tab", name="Browsers").click()
        await expect(row).to_contain_text("This one")
        await visit.press("Switch off in Chrome on Linux")
        await expect(row).to_have_count(0)
        await expect(page.get_by_role("button", name=NAME)).to_be_enabled()
        assert await page.evaluate("localStorage.getItem('test.subscribed')") is None
        visit.nothing_was_amiss()
        await page.context.close()


async def test_page_says_what_stands_in_the_way_when_a_browser_may_show_nothing(
    venue: Venue, browser: Browser
) -> None:
    denied = "Notification.requestPermission = async () => 'denied';"
    denied += "Object.defineProperty(Notification, 'permission', {get: () => 'denied'});"
    visit = await _open_browsers(venue, browser, denied)
    await visit.says("This browser shows no notifications from here.")
    await expect(visit.page.get_by_role("button", name=NAME)).to_be_disabled()
    await visit.page.context.close()

    broken = "PushManager.prototype.subscribe = async () => { throw new Error('no way out'); };"
    before = await _send(venue, "GET", "/me/push-subscriptions")
    visit = await _open_browsers(venue, browser, broken, "notifications")
    await visit.press(NAME)
    await visit.says("The push service of this browser does not answer (no way out).")
    assert await _send(venue, "GET", "/me/push-subscriptions") == before
    visit.nothing_was_amiss()
    await visit.page.context.close()


async def _send(venue: Venue, method: str, path: str, **more: Any) -> Any:
    async with venue.client("operator") as http:
        answer = await http.request(method, path, headers={"Idempotency-Key": str(uuid4())}, **more)
    return answer.raise_for_status().json()


def _arrival(service: Any) -> Any:
    async def arrived() -> bool:
        return bool(service.received)

    return arrived
