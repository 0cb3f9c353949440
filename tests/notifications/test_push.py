"""Browsers are told what their user wants to hear: each once, sealed for it alone, and forgotten when it is gone."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from deedbook import notifications
from deedbook.infra.database import Database
from deedbook.integrations.messaging.posting import WebhookPoster
from deedbook.integrations.messaging.web_push import WebPush
from deedbook.kernel.errors import Invalid
from deedbook.kernel.ids import UserId
from deedbook.kernel.jobs import Job
from deedbook.notifications import derived, jobs, push
from deedbook.notifications.errors import SubscriptionNotFound, TooManySubscriptions
from deedbook.notifications.ports import Messengers
from deedbook.notifications.terms import Channel, Kind
from deedbook.workers.notification_sinks import NotificationsSink
from tests.compliance.support import new_user
from tests.notifications.support import (
    POLICY,
    SECRET,
    Resources,
    caller_of,
    deliveries,
    feed,
    jobs_named,
    subscribed,
    told_of_a_deposit,
)
from tests.support.letter_box import LetterBox
from tests.support.push_service import Browser, push_service, vouched
from tests.support.waiting import PATIENCE_S

CLOCK = Job("1", "by-the-clock", {})
CONTACT = "mailto:push@deedbook.test"


class Desk:
    """Somebody with a browser, whose push service takes what comes."""

    def __init__(
        self, db: Database, redis: Redis, owner: UserId, service: LetterBox, browser: Browser
    ) -> None:
        self.db, self.owner, self.service, self.browser = db, owner, service, browser
        pusher = WebPush(derived.push_key(SECRET), CONTACT, WebhookPoster(PATIENCE_S, private_too=True))
        self.resources = Resources(db, Messengers(pusher=pusher), POLICY, redis)

    async def send(self, times: int = 1) -> None:
        for job in await jobs_named(self.db, "post-webhook"):
            for _ in range(times):
                await jobs.post_webhook(self.resources, job)

    async def hours_pass(self) -> None:
        async with self.db.transaction() as tx:
            await tx.execute(
                "UPDATE message_deliveries SET next_attempt_at = now() WHERE next_attempt_at > now()"
            )
        await jobs.send_notifications_again(self.resources, CLOCK)

    def shown(self) -> list[dict[str, Any]]:
        """What the browser has read."""
        return [orjson.loads(self.browser.read(got.body)) for got in self.service.received]

    async def subscriptions(self) -> list[dict[str, Any]]:
        async with self.db.reading() as connection:
            return [dict(row) for row in await connection.fetch("SELECT * FROM push_subscriptions")]

    async def ended(self) -> list[str]:
        """Why browsers are told nothing any more."""
        told = "SELECT payload->>'reason' AS reason FROM events WHERE event_type = 'push.unsubscribed'"
        async with self.db.reading() as connection:
            return [row["reason"] for row in await connection.fetch(told)]


@pytest.fixture
async def desk(db: Database, redis: Redis) -> AsyncIterator[Desk]:
    owner = UserId(await new_user(db))
    async with push_service() as (service, browser):
        yield Desk(db, redis, owner, service, browser)


async def test_a_browser_shows_once_what_its_user_is_told(desk: Desk) -> None:
    await subscribed(desk.db, desk.owner, desk.browser)
    told = await told_of_a_deposit(desk.db, desk.owner)
    await desk.send(times=2)
    (shown,) = desk.shown()
    (row,) = await feed(desk.db, desk.owner)
    assert shown == {
        "id": str(told),
        "kind": "deposit.credited",
        "title": row["title"],
        "body": row["body"],
    }
    (got,) = desk.service.received
    vouched(got, derived.push_public_key(SECRET), desk.browser.endpoint)
    assert [row["status"] for row in await deliveries(desk.db)] == ["DELIVERED"]


async def test_a_text_is_shortened_when_it_takes_more_bytes_than_letters(desk: Desk) -> None:
    await subscribed(desk.db, desk.owner, desk.browser)
    await told_of_a_deposit(desk.db, desk.owner)
    title, body = "\N{HOUSE BUILDING}" * 200, "\N{HOUSE BUILDING}" * 999
    await desk.db.statement("UPDATE notifications SET title = $1, body = $2", title, body)
    await desk.send()
    (shown,) = desk.shown()
    assert shown["title"] == title
    assert len(shown["body"]) > 500 and shown["body"][:-1] == body[: len(shown["body"]) - 1]
    assert shown["body"].endswith("\N{HORIZONTAL ELLIPSIS}")


async def test_every_browser_of_a_user_is_told_and_nobody_elses(desk: Desk) -> None:
    second = Browser(desk.browser.endpoint + "-2")
    other = Browser(desk.browser.endpoint + "-3")
    for browser in (desk.browser, second):
        await subscribed(desk.db, desk.owner, browser)
    await subscribed(desk.db, UserId(await new_user(desk.db)), other)
    await told_of_a_deposit(desk.db, desk.owner)
    await desk.send()
    got = {f"{desk.service.url}{one.target}": one.body for one in desk.service.received}
    assert got.keys() == {desk.browser.endpoint, second.endpoint}
    assert second.read(got[second.endpoint]) == desk.browser.read(got[desk.browser.endpoint])


async def test_a_message_keeps_its_topic_when_it_comes_again(desk: Desk) -> None:
    """A push service keeps one of a topic, so that a browser that was offline shows it once."""
    desk.service.statuses = [503, 201]
    await subscribed(desk.db, desk.owner, desk.browser)
    await told_of_a_deposit(desk.db, desk.owner)
    await desk.send()
    await desk.hours_pass()
    await desk.send()
    assert len({got.headers["topic"] for got in desk.service.received}) == 1
    assert [row["attempts"] for row in await deliveries(desk.db)] == [2]


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_is_forgotten_when_its_service_says_that_it_is_gone(desk: Desk, status: int) -> None:
    desk.service.statuses = [status]
    await subscribed(desk.db, desk.owner, desk.browser)
    await told_of_a_deposit(desk.db, desk.owner)
    await desk.send()
    assert (await desk.subscriptions(), await deliveries(desk.db)) == ([], [])
    await told_of_a_deposit(desk.db, desk.owner)
    await desk.send()
    assert len(desk.service.received) == 1
    assert await desk.ended() == ["gone"]


async def test_a_browser_is_forgotten_when_its_service_has_refused_everything_for_days(desk: Desk) -> None:
    """As it does once `DEEDBOOK_SECRET` is another, to whose key nothing that was subscribed is bound."""
    desk.service.statuses = [403, 201, 403, 403, 503, 403]
    await subscribed(desk.db, desk.owner, desk.browser)
    refused = []
    for _ in range(6):
        await told_of_a_deposit(desk.db, desk.owner)
        await desk.send()
        refused += [row["refused_since"] is not None for row in await desk.subscriptions()]
        await desk.db.statement(
            "UPDATE push_subscriptions SET refused_since = refused_since - interval '37 hours'"
        )
    assert refused == [True, False, True, True, True]
    assert (await desk.subscriptions(), await desk.ended()) == ([], ["refused"])


async def test_a_browser_begins_anew_when_it_subscribes_again_after_a_refusal(desk: Desk) -> None:
    desk.service.statuses = [403]
    await subscribed(desk.db, desk.owner, desk.browser)
    await told_of_a_deposit(desk.db, desk.owner)
    await desk.send()
    await subscribed(desk.db, desk.owner, desk.browser)
    assert [row["refused_since"] for row in await desk.subscriptions()] == [None]


async def test_a_browser_hears_of_what_its_user_has_chosen(desk: Desk) -> None:
    await subscribed(desk.db, desk.owner, desk.browser)
    async with desk.db.transaction() as tx:
        choice = {(Kind.DEPOSIT_CREDITED, Channel.PUSH): False}
        await notifications.choose(tx, caller_of(desk.owner), choice)
    await told_of_a_deposit(desk.db, desk.owner)
    assert await deliveries(desk.db) == []


async def test_a_browser_keeps_its_id_and_is_read_by_its_newest_key_when_it_subscribes_again(
    desk: Desk,
) -> None:
    first = await subscribed(desk.db, desk.owner, desk.browser)
    desk.browser = Browser(desk.browser.endpoint, secret=b"another secret b")
    assert await subscribed(desk.db, desk.owner, desk.browser) == first
    await told_of_a_deposit(desk.db, desk.owner)
    await desk.send()
    assert [shown["kind"] for shown in desk.shown()] == ["deposit.credited"]


async def test_nobody_takes_anothers_browser_away_and_its_owner_does(desk: Desk) -> None:
    made = await subscribed(desk.db, desk.owner, desk.browser)
    stranger = UserId(await new_user(desk.db))
    for who in (stranger, desk.owner):
        async with desk.db.transaction() as tx:
            if who is stranger:
                with pytest.raises(SubscriptionNotFound):
                    await push.unsubscribe(tx, caller_of(who), made)
            else:
                await push.unsubscribe(tx, caller_of(who), made)
    assert await desk.subscriptions() == []


async def test_a_browser_is_told_nothing_more_of_whoever_was_signed_in_before(desk: Desk) -> None:
    await subscribed(desk.db, desk.owner, desk.browser)
    await told_of_a_deposit(desk.db, desk.owner)
    later = UserId(await new_user(desk.db))
    made = await subscribed(desk.db, later, desk.browser)
    await desk.send()
    assert desk.shown() == []
    assert [row["subscription_id"] for row in await desk.subscriptions()] == [made]
    (told,) = await desk.db.statement(
        "SELECT payload->>'reason' AS reason, payload->>'userId' AS user_id FROM events "
        "WHERE event_type = 'push.unsubscribed'"
    )
    assert (told["reason"], told["user_id"]) == ("taken_over", str(desk.owner))


async def test_nobody_takes_a_browser_over_who_only_knows_its_address(desk: Desk) -> None:
    made = await subscribed(desk.db, desk.owner, desk.browser)
    await subscribed(desk.db, UserId(await new_user(desk.db)), Browser(desk.browser.endpoint))
    assert made in [row["subscription_id"] for row in await desk.subscriptions()]


async def test_a_user_hears_that_a_browser_was_subscribed(desk: Desk) -> None:
    """Whoever has their session for a moment would read everything from then on."""
    await subscribed(desk.db, desk.owner, desk.browser)
    sink = NotificationsSink(desk.db, "relay")
    while await sink.step():
        continue
    assert "push.subscribed" in {row["kind"] for row in await feed(desk.db, desk.owner)}


async def test_ten_browsers_are_enough(desk: Desk) -> None:
    for number in range(push.MOST):
        await subscribed(desk.db, desk.owner, Browser(f"{desk.browser.endpoint}-{number}"))
    with pytest.raises(TooManySubscriptions):
        await subscribed(desk.db, desk.owner, desk.browser)
    await subscribed(desk.db, desk.owner, Browser(f"{desk.browser.endpoint}-0"))


@pytest.mark.parametrize(
    ("endpoint", "public_key"),
    [
        ("http://push.example.com/x", None),
        ("https://push.example.com:8443/x", None),
        ("https://ada@push.example.com/x", None),
        ("https://push.example.com/x", b"\4" + bytes(64)),
        ("https://push.example.com/x", b"\2" + bytes(32)),
        ("https://push.example.com/x", b""),
    ],
)
async def test_what_nobody_could_be_told_by_is_refused(
    desk: Desk, endpoint: str, public_key: bytes | None
) -> None:
    offer = push.Offer(
        endpoint, desk.browser.point if public_key is None else public_key, desk.browser.secret, ""
    )
    async with desk.db.transaction() as tx:
        with pytest.raises(Invalid):
            await push.subscribe(tx, caller_of(desk.owner), offer, private_too=False)


def test_the_key_is_the_installations_own_and_always_the_same() -> None:
    assert derived.push_public_key(SECRET) == derived.push_public_key(SECRET)
    assert derived.push_public_key(SECRET) != derived.push_public_key(SECRET + "-other")
