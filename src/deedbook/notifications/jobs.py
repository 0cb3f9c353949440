"""Jobs of this room: messages leave, again and again where they must; approvals that run out are announced; what is
old is forgotten."""

from uuid import UUID

import structlog
from redis.exceptions import RedisError

from deedbook.infra.database import Tx
from deedbook.infra.failpoints import failpoint
from deedbook.infra.telemetry import NOTIFICATION_OUTCOMES_KEY
from deedbook.kernel.errors import Unavailable
from deedbook.kernel.ids import UserId
from deedbook.kernel.jobs import Job, every, handles
from deedbook.notifications import contacts, letters, outgoing, push, reminders, service, webhooks
from deedbook.notifications.ports import NotificationResources, Outcome
from deedbook.notifications.store import contacts as contact_store
from deedbook.notifications.store.deliveries import Delivery
from deedbook.notifications.terms import (
    POST,
    REMIND_OF_EXPIRING,
    REMOVE_OLD_NOTIFICATIONS,
    SEND,
    SEND_AGAIN,
    SEND_CODE,
    Arrival,
    Channel,
    Outgoing,
)
from deedbook.notifications.turns import MOST_POSTPONED_S

log = structlog.get_logger(__name__)

ROUNDS = 50


class NotSent(Unavailable):
    code, title = "message_not_sent", "The message could not be sent now"


async def _put_off(tx: Tx, job: Job, error: str) -> None:
    delivery = await outgoing.waiting_within(tx, _id(job, "deliveryId"), int(job.data["round"]))
    if delivery is not None:
        await outgoing.note(tx, delivery, Outcome(Arrival.LATER, "an error of ours"))


@handles(SEND, lengthy=True, on_failure=_put_off)
async def send_trade_notification(resources: NotificationResources, job: Job) -> None:
    """Send one message. What the other side does is written down; only what we cannot do is an error."""
    delivery = await outgoing.waiting(resources.db, _id(job, "deliveryId"), int(job.data["round"]))
    if delivery is None:
        return
    outcome = await _try(resources, delivery)
    if outcome is None:
        return
    await failpoint("notify.afterSend")
    async with resources.db.transaction() as tx:
        if await outgoing.note(tx, delivery, outcome):
            await webhooks.note(tx, delivery, outcome)
            await push.note(tx, delivery, outcome)
    await _tally(resources, delivery.channel, outcome)


async def _try(resources: NotificationResources, delivery: Delivery) -> Outcome | None:
    """What came of it; `None` where it was postponed, since too much is posted for this user now."""
    ways = {Outgoing.WEBHOOK: webhooks.send, Outgoing.PUSH: push.send}
    way, turns = ways.get(delivery.channel), resources.messengers.turns
    if way is None:
        return await outgoing.send(resources, delivery)
    if turns.may_go(delivery.user_id):
        with turns.going(delivery.user_id):
            return await way(resources, delivery)
    wait_s = turns.later_s(delivery.user_id)
    async with resources.db.transaction() as tx:
        await outgoing.postpone(tx, delivery, wait_s)
        if wait_s >= MOST_POSTPONED_S:
            await webhooks.give_up(tx, delivery)
    return None


@handles(POST, lengthy=True, on_failure=_put_off)
async def post_webhook(resources: NotificationResources, job: Job) -> None:
    """The same for what is posted where a user has named: that may be slow, so nobody else stands in its queue."""
    await send_trade_notification(resources, job)


@handles(SEND_CODE, lengthy=True)
async def send_contact_code(resources: NotificationResources, job: Job) -> None:
    """Send the code that proves an address, unless another one was asked for since.

    Raises:
        NotSent: it is tried again, for as long as the code holds.
    """
    user_id, channel = UserId(_id(job, "userId")), Channel(job.data["channel"])
    async with resources.db.reading() as connection:
        contact = await contact_store.one(connection, user_id, channel)
    if contact is None or contact.verified_at or str(contact.challenge_id) != job.data["challengeId"]:
        return
    told = letters.code_told(
        contacts.code_of(contact, resources.message_policy.secret), contacts.CODE_MINUTES
    )
    post = outgoing.Post(channel, contact.address, told, contact.challenge_id, contact.challenged_at)
    outcome = await outgoing.carry(resources.messengers, resources.message_policy, post)
    await _tally(resources, Outgoing(channel.value), outcome)
    if outcome.arrival is Arrival.LATER:
        raise NotSent(outcome.told)


@every(10, SEND_AGAIN, lengthy=True)
async def send_notifications_again(resources: NotificationResources, job: Job) -> None:
    """Begin the next round of messages whose time has come."""
    for _ in range(ROUNDS):
        async with resources.db.transaction() as tx:
            if not await outgoing.send_again(tx):
                return


@every(3600, REMIND_OF_EXPIRING, lengthy=True)
async def remind_of_expiring_approvals(resources: NotificationResources, job: Job) -> None:
    """Tell those whose approval runs out within two weeks, once for each date."""
    await reminders.remind(resources.db)


@every(3600, REMOVE_OLD_NOTIFICATIONS, lengthy=True)
async def remove_old_notifications(resources: NotificationResources, job: Job) -> None:
    """Forget what was told and sent long ago, a little at a time."""
    for remove in (outgoing.remove_old, service.remove_old, contacts.remove_old):
        for _ in range(ROUNDS):
            async with resources.db.transaction() as tx:
                if not await remove(tx):
                    break


async def _tally(resources: NotificationResources, channel: Outgoing, outcome: Outcome) -> None:
    """Count it where every API process can read it for `/metrics`."""
    counted = resources.redis.hincrby(
        NOTIFICATION_OUTCOMES_KEY, f"{channel.value}|{outcome.arrival.value}", 1
    )
    try:
        await counted
    except (RedisError, OSError, TimeoutError):
        log.debug("outcome_not_counted")


def _id(job: Job, name: str) -> UUID:
    return UUID(str(job.data[name]))
