"""Letters leave: at least once and under one id, to those who have proved their address and want them; what is not
taken comes again, for so long and no longer."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import cast

import pytest
from redis.asyncio import Redis

from deedbook import notifications
from deedbook.infra.database import Database
from deedbook.infra.failpoints import FailpointHit
from deedbook.infra.telemetry import NOTIFICATION_OUTCOMES_KEY
from deedbook.kernel.ids import UserId
from deedbook.kernel.jobs import Job, handlers_of
from deedbook.notifications import jobs, letters, model
from deedbook.notifications.letters import Told
from deedbook.notifications.ports import Messengers, Outcome
from deedbook.notifications.terms import Arrival, Channel, Kind, Outgoing
from tests.chain.support import armed
from tests.compliance.support import new_user
from tests.notifications.support import (
    FakeMailer,
    Resources,
    caller_of,
    deliveries,
    feed,
    jobs_named,
    reachable,
    told_of_a_deposit,
)

AFTER_SEND = "notify.afterSend"
CLOCK = Job("1", "by-the-clock", {})
LATER = Outcome(Arrival.LATER, "the mail server: 451")


class Post:
    """Somebody with a proved address, and what is sent to them."""

    def __init__(self, db: Database, redis: Redis, user_id: UserId) -> None:
        self.db = db
        self.user_id = user_id
        self.mailer = FakeMailer()
        self.resources = Resources(db, Messengers(mailer=self.mailer), redis=redis)

    async def send(self, times: int = 1) -> None:
        """Run every job that was asked for, so many times."""
        for job in await jobs_named(self.db, "send-trade-notification"):
            for _ in range(times):
                await jobs.send_trade_notification(self.resources, job)

    async def hours_pass(self) -> None:
        async with self.db.transaction() as tx:
            await tx.execute(
                "UPDATE message_deliveries SET next_attempt_at = now() WHERE next_attempt_at > now()"
            )
        for _ in range(2):
            await jobs.send_notifications_again(self.resources, CLOCK)

    async def choose(self, kind: Kind, channel: Channel, wanted: bool) -> None:
        caller = caller_of(self.user_id)
        async with self.db.transaction() as tx:
            await notifications.choose(tx, caller, {(kind, channel): wanted})


@pytest.fixture
async def post(db: Database, redis: Redis) -> Post:
    owner = UserId(await new_user(db))
    await reachable(db, owner)
    return Post(db, redis, owner)


async def test_a_letter_leaves_once_when_its_job_runs_twice(post: Post) -> None:
    notification_id = await told_of_a_deposit(post.db, post.user_id)
    await post.send(times=2)
    (letter,) = post.mailer.letters
    (row,) = await deliveries(post.db)
    assert (row["status"], row["attempts"], row["notification_id"]) == ("DELIVERED", 1, notification_id)
    assert (letter.to, letter.message_id) == ("ada@example.com", f"<{row['delivery_id']}@deedbook.test>")
    assert "Amount       12.5" in letter.text


async def test_a_letter_has_the_same_id_when_the_worker_died_after_sending_it(post: Post) -> None:
    await told_of_a_deposit(post.db, post.user_id)
    with armed(f"{AFTER_SEND}=raise:1"), pytest.raises(FailpointHit):
        await post.send()
    await post.send()
    first, second = post.mailer.letters
    assert first == second
    assert [row["status"] for row in await deliveries(post.db)] == ["DELIVERED"]


async def test_a_letter_comes_again_until_it_is_taken(post: Post) -> None:
    post.mailer.outcomes = [LATER, LATER, Outcome(Arrival.DELIVERED, "kept")]
    await told_of_a_deposit(post.db, post.user_id)
    for _ in range(4):
        await post.send()
        await post.hours_pass()
    (row,) = await deliveries(post.db)
    assert (row["status"], row["attempts"], len(post.mailer.letters)) == ("DELIVERED", 3, 3)
    assert len({letter.message_id for letter in post.mailer.letters}) == 1
    counted = await cast("Awaitable[dict[str, str]]", post.resources.redis.hgetall(NOTIFICATION_OUTCOMES_KEY))
    assert counted == {"EMAIL|later": "2", "EMAIL|delivered": "1"}


async def test_a_letter_is_given_up_when_it_is_never_taken(post: Post) -> None:
    post.mailer.outcomes = [LATER]
    await told_of_a_deposit(post.db, post.user_id)
    for _ in range(8):
        await post.send()
        await post.hours_pass()
    (row,) = await deliveries(post.db)
    assert (row["status"], row["attempts"], row["last_outcome"]) == ("FAILED", 6, LATER.told)


async def test_a_letter_is_over_when_it_is_refused_for_good_or_nobody_is_there_any_more(post: Post) -> None:
    post.mailer.outcomes = [Outcome(Arrival.NEVER, "the mail server refused it: 550")]
    await told_of_a_deposit(post.db, post.user_id)
    await post.send()
    await told_of_a_deposit(post.db, post.user_id)
    async with post.db.transaction() as tx:
        await tx.execute("DELETE FROM notification_contacts")
    await post.send()
    assert [row["status"] for row in await deliveries(post.db)] == ["FAILED", "FAILED"]
    assert len(post.mailer.letters) == 1


async def test_a_letter_waits_when_our_own_job_has_failed_for_good(post: Post) -> None:
    await told_of_a_deposit(post.db, post.user_id)
    (job,) = await jobs_named(post.db, "send-trade-notification")
    (handler,) = [entry for entry in handlers_of(jobs) if entry.kind.name == job.name]
    assert handler.on_failure is not None
    for _ in range(2):
        async with post.db.transaction() as tx:
            await handler.on_failure(tx, job, "boom")
    (row,) = await deliveries(post.db)
    assert (row["status"], row["attempts"]) == ("WAITING", 1)
    await post.hours_pass()
    await post.send()
    assert [row["status"] for row in await deliveries(post.db)] == ["DELIVERED"]


async def test_nothing_is_sent_to_an_address_that_is_not_proved(post: Post) -> None:
    async with post.db.transaction() as tx:
        await tx.execute("UPDATE notification_contacts SET verified_at = NULL")
    await told_of_a_deposit(post.db, post.user_id)
    assert await deliveries(post.db) == []


async def test_everybody_hears_where_they_want_to(post: Post) -> None:
    await post.choose(Kind.DEPOSIT_CREDITED, Channel.EMAIL, False)
    await told_of_a_deposit(post.db, post.user_id)
    assert await deliveries(post.db) == []
    await post.choose(Kind.DEPOSIT_CREDITED, Channel.EMAIL, True)
    shown = await told_of_a_deposit(post.db, post.user_id)
    await post.choose(Kind.DEPOSIT_CREDITED, Channel.IN_APP, False)
    hidden = await told_of_a_deposit(post.db, post.user_id)
    assert {row["notification_id"]: row["in_app"] for row in await feed(post.db)}[hidden] is False
    assert [row["notification_id"] for row in await deliveries(post.db)] == [shown, hidden]


def test_what_concerns_somebodys_safety_cannot_be_silenced() -> None:
    assert model.wants(False, Kind.ACCOUNT_FROZEN, Channel.IN_APP)
    assert not model.wants(False, Kind.ACCOUNT_FROZEN, Channel.EMAIL)
    assert not model.wants(False, Kind.ORDER_FILLED, Channel.IN_APP)


@pytest.mark.parametrize("channel", Outgoing)
def test_attempts_come_further_and_further_apart_and_end(channel: Outgoing) -> None:
    plain = [model.again_in(channel, attempt, 0.0) for attempt in range(1, 12)]
    waits = [wait for wait in plain if wait is not None]
    assert waits == sorted(waits)
    assert plain[len(waits) :] == [None] * (11 - len(waits))
    assert model.again_in(channel, 1, 1.0) == waits[0] * (1 + model.JITTER)
    if channel is Outgoing.WEBHOOK:
        assert timedelta(days=3) <= sum(waits, timedelta()) <= timedelta(days=4)


HOSTILE = '<script>alert("x")</script>\r\nBcc: all@example.com'


def test_a_letter_shows_hostile_words_as_they_are() -> None:
    letter = letters.letter(Told(HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)], [(HOSTILE, HOSTILE)]), HOSTILE)
    assert "<script>" not in letter.html
    assert "\n" not in letter.subject + letters.short(Told(HOSTILE, HOSTILE))
    assert "\r" not in letter.subject
