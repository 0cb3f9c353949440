"""Webhooks: at least once and under one id, signed so that a receiver's own library takes it, switched off when
nobody is there any more."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis
from standardwebhooks import Webhook, WebhookVerificationError

from deedbook import notifications
from deedbook.infra.database import Database
from deedbook.infra.failpoints import FailpointHit
from deedbook.integrations.messaging.posting import WebhookPoster
from deedbook.kernel.errors import Invalid
from deedbook.kernel.ids import UserId
from deedbook.kernel.jobs import Job
from deedbook.notifications import derived, jobs, webhooks
from deedbook.notifications.model import Endpoint
from deedbook.notifications.ports import Messengers
from deedbook.notifications.turns import Turns
from deedbook.workers.notification_sinks import NotificationsSink, TradingNotificationsSink
from tests.chain.support import armed
from tests.compliance.support import new_user
from tests.notifications.support import (
    POLICY,
    Resources,
    a_deposit,
    a_webhook,
    caller_of,
    deliveries,
    feed,
    jobs_named,
    stored,
)
from tests.notifications.test_feed import trades
from tests.support.letter_box import LetterBox, Received, letter_box
from tests.support.waiting import PATIENCE_S, eventually
from tests.trading.venue import open_venue

CLOCK = Job("1", "by-the-clock", {})
LONG_S = 60.0
"""Longer than a test keeps an address from answering."""


class Desk:
    """Somebody with a webhook that leads to a box."""

    def __init__(self, db: Database, redis: Redis, box: LetterBox, endpoint: Endpoint) -> None:
        self.db, self.box, self.endpoint = db, box, endpoint
        poster = WebhookPoster(PATIENCE_S, private_too=True)
        self.resources = Resources(db, Messengers(poster=poster), redis=redis)

    @property
    def owner(self) -> UserId:
        return self.endpoint.user_id

    async def happen(self, amount: str = "12.5") -> None:
        notices = await notifications.notices_of(self.db, [stored(a_deposit(self.owner, amount))])
        for _ in range(2):
            async with self.db.transaction() as tx:
                await notifications.tell(tx, notices)

    async def send(self) -> None:
        for job in await jobs_named(self.db, "post-webhook"):
            await jobs.post_webhook(self.resources, job)

    async def hours_pass(self) -> None:
        await self.execute(
            "UPDATE message_deliveries SET next_attempt_at = now() WHERE next_attempt_at > now()"
        )
        await jobs.send_notifications_again(self.resources, CLOCK)

    async def execute(self, query: str, *args: Any) -> None:
        async with self.db.transaction() as tx:
            await tx.execute(query, *args)

    async def disabled(self) -> bool:
        async with self.db.reading() as connection:
            found = await connection.fetchval(
                "SELECT disabled_at IS NOT NULL FROM webhook_endpoints WHERE endpoint_id = $1",
                self.endpoint.endpoint_id,
            )
        return bool(found)

    def verified(self, received: Received, version: int = 1) -> Any:
        """What the receiver's own library makes of it under a secret."""
        secret = derived.webhook_secret(POLICY.secret, self.endpoint.endpoint_id, version)
        return Webhook(secret).verify(received.body, received.headers)


@pytest.fixture
async def desk(db: Database, redis: Redis) -> Any:
    owner = UserId(await new_user(db))
    async with letter_box() as box:
        yield Desk(db, redis, box, await a_webhook(db, owner, f"{box.url}/hook"))


async def test_no_letter_waits_for_a_slow_address(desk: Desk) -> None:
    await desk.happen()
    assert await jobs_named(desk.db, "send-trade-notification") == []
    assert len(await jobs_named(desk.db, "post-webhook")) == 1


async def test_a_slow_address_holds_some_posts_and_nobody_elses(desk: Desk) -> None:
    """What is not posted while others of this user take long comes again, and no attempt is counted for it."""
    clock = Clock()
    messengers = Messengers(poster=WebhookPoster(LONG_S, private_too=True), turns=Turns(clock))
    desk.resources = Resources(desk.db, messengers, redis=desk.resources.redis)
    for number in range(5):
        await desk.happen(f"{number + 1}")
    *posts, last = await jobs_named(desk.db, "post-webhook")
    desk.box.answering.clear()
    under_way = []
    for number, post in enumerate(posts, 1):
        under_way.append(asyncio.create_task(jobs.post_webhook(desk.resources, post)))
        await eventually(partial(_come, desk.box, number), "it is posted")
    clock.now += 10
    await jobs.post_webhook(desk.resources, last)
    (postponed,) = [row for row in await deliveries(desk.db) if row["next_attempt_at"] is not None]
    assert (postponed["attempts"], postponed["status"], len(desk.box.received)) == (0, "WAITING", 4)
    async with letter_box() as quick:
        other = UserId(await new_user(desk.db))
        await a_webhook(desk.db, other, f"{quick.url}/hook")
        others = Desk(desk.db, desk.resources.redis, quick, replace(desk.endpoint, user_id=other))
        await others.happen()
        await jobs.post_webhook(desk.resources, (await jobs_named(desk.db, "post-webhook"))[-1])
        assert len(quick.received) == 1
    desk.box.answering.set()
    await asyncio.gather(*under_way)
    await desk.hours_pass()
    await jobs.post_webhook(desk.resources, (await jobs_named(desk.db, "post-webhook"))[-1])
    assert {row["status"] for row in await deliveries(desk.db)} == {"DELIVERED"}
    assert len({got.headers["webhook-id"] for got in desk.box.received}) == 5


async def test_it_is_switched_off_when_it_is_too_slow_for_all_that_is_posted(desk: Desk) -> None:
    clock = Clock()
    turns = Turns(clock)
    desk.resources = Resources(desk.db, Messengers(turns=turns), redis=desk.resources.redis)
    await desk.happen()
    with turns.going(desk.owner), turns.going(desk.owner), turns.going(desk.owner):
        clock.now += 10
        for _ in range(4000):
            turns.later_s(desk.owner)
        await desk.send()
    assert await desk.disabled()
    assert [row["status"] for row in await deliveries(desk.db)] == ["WAITING"]


async def _come(box: LetterBox, number: int) -> bool:
    return len(box.received) >= number


class Clock:
    """It moves when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_what_happens_is_posted_once_and_the_receivers_library_takes_it(desk: Desk) -> None:
    await desk.happen()
    for _ in range(2):
        await desk.send()
    (got,) = desk.box.received
    told = desk.verified(got)
    assert (told["type"], told["data"]["amount"]) == ("deposit.credited", "12.5")
    assert told["data"]["userId"] == str(desk.owner)
    (row,) = await deliveries(desk.db)
    assert (row["status"], row["last_outcome"]) == ("DELIVERED", "answered 200")
    assert got.headers["webhook-id"] == f"msg_{row['delivery_id']}"
    forged = Received(got.method, got.target, got.headers, got.body.replace(b"12.5", b"99.5"))
    with pytest.raises(WebhookVerificationError):
        desk.verified(forged)


async def test_it_comes_again_under_one_id_until_it_is_taken(desk: Desk) -> None:
    desk.box.statuses = [500, 302, 200]
    await desk.happen()
    for _ in range(4):
        await desk.send()
        await desk.hours_pass()
    assert len(desk.box.received) == 3
    assert len({got.headers["webhook-id"] for got in desk.box.received}) == 1
    assert [desk.verified(got)["type"] for got in desk.box.received] == ["deposit.credited"] * 3
    assert not await desk.disabled()
    async with desk.db.reading() as connection:
        assert await connection.fetchval("SELECT failing_since FROM webhook_endpoints") is None


async def test_it_has_the_same_id_when_the_worker_died_after_posting_it(desk: Desk) -> None:
    await desk.happen()
    with armed("notify.afterSend=raise:1"), pytest.raises(FailpointHit):
        await desk.send()
    await desk.send()
    first, second = desk.box.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)


async def test_two_secrets_sign_for_a_day_after_one_was_replaced(desk: Desk) -> None:
    async with desk.db.transaction() as tx:
        await webhooks.rotate(tx, caller_of(desk.owner), desk.endpoint.endpoint_id)
    await desk.happen()
    await desk.send()
    await desk.execute("UPDATE webhook_endpoints SET former_until = now() - interval '1 second'")
    await desk.happen()
    await desk.send()
    during, after = desk.box.received
    assert desk.verified(during, 1) == desk.verified(during, 2)
    assert desk.verified(after, 2)
    with pytest.raises(WebhookVerificationError):
        desk.verified(after, 1)


async def test_it_is_switched_off_when_it_is_gone_and_its_owner_is_told(desk: Desk) -> None:
    desk.box.statuses = [410]
    await desk.happen()
    await desk.happen()
    await desk.send()
    assert await desk.disabled()
    assert len(desk.box.received) == 1
    assert [row["status"] for row in await deliveries(desk.db)] == ["FAILED", "FAILED"]
    sink = NotificationsSink(desk.db, "relay")
    while await sink.step():
        continue
    kinds = [row["kind"] for row in await feed(desk.db, desk.owner)]
    assert kinds.count("webhook.disabled") == 1
    await desk.happen()
    assert len(await deliveries(desk.db)) == 2


async def test_it_is_switched_off_when_it_has_taken_nothing_for_days(desk: Desk) -> None:
    desk.box.statuses = [500]
    await desk.happen()
    await desk.send()
    await desk.execute("UPDATE webhook_endpoints SET failing_since = now() - interval '2 days 23 hours'")
    await desk.hours_pass()
    await desk.send()
    assert not await desk.disabled()
    await desk.execute("UPDATE webhook_endpoints SET failing_since = now() - interval '3 days 1 second'")
    await desk.hours_pass()
    await desk.send()
    assert await desk.disabled()


async def test_it_is_switched_off_when_too_much_waits_for_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MOST_WAITING", 2)
    desk.box.statuses = [500]
    for _ in range(3):
        await desk.happen()
    await desk.send()
    await desk.happen()
    assert await desk.disabled()
    assert len(await deliveries(desk.db)) == 3


async def test_what_was_missed_is_replayed_under_its_id(desk: Desk) -> None:
    desk.box.statuses = [410, 200]
    await desk.happen()
    await desk.send()
    (row,) = await deliveries(desk.db)
    async with desk.db.transaction() as tx:
        await webhooks.enable(tx, caller_of(desk.owner), desk.endpoint.endpoint_id)
        await webhooks.replay(tx, caller_of(desk.owner), desk.endpoint.endpoint_id, row["delivery_id"])
    await desk.send()
    first, second = desk.box.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    (row,) = await deliveries(desk.db)
    assert (row["status"], row["attempts"]) == ("DELIVERED", 1)


async def test_each_webhook_gets_what_it_asked_for(db: Database, redis: Redis) -> None:
    venue = await open_venue(db)
    buyer, seller = await trades(venue)
    everything = await a_webhook(db, buyer, "http://127.0.0.1:1/a")
    filled = await a_webhook(db, seller, "http://127.0.0.1:1/b", "order.filled")
    await a_webhook(db, seller, "http://127.0.0.1:1/c", "market.paused")
    sink = TradingNotificationsSink(db, "relay", pause_s=0)
    while await sink.step():
        continue
    rows = await deliveries(db)
    assert {row["endpoint_id"] for row in rows} == {everything.endpoint_id, filled.endpoint_id}
    told = orjson.loads(next(row for row in rows if row["endpoint_id"] == filled.endpoint_id)["payload"])
    assert (told["type"], told["data"]["side"], told["data"]["pair"]) == (
        "order.filled",
        "SELL",
        "LUXAPT-USDC",
    )
    assert abs(datetime.fromisoformat(told["timestamp"]) - datetime.now(UTC)) < timedelta(minutes=5)


async def test_messages_of_long_ago_are_forgotten(desk: Desk) -> None:
    await desk.happen()
    await desk.execute("UPDATE message_deliveries SET created_at = now() - interval '31 days'")
    await desk.happen()
    for _ in range(2):
        await jobs.remove_old_notifications(desk.resources, CLOCK)
    assert len(await deliveries(desk.db)) == 1


@pytest.mark.parametrize("url", ["http://example.com/", "https://example.com:8443/"])
async def test_in_production_an_address_is_https_at_its_own_port(db: Database, url: str) -> None:
    caller = caller_of(UserId(await new_user(db)))
    async with db.transaction() as tx:
        with pytest.raises(Invalid):
            await webhooks.add(tx, caller, url, "", frozenset(), private_too=False)
        assert await webhooks.add(tx, caller, "https://example.com:443/", "", frozenset(), private_too=False)
