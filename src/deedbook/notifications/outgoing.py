"""Messages that leave: one job each, and rounds by the clock where the other side does not take them. At least once:
who gets one twice can tell by its id, which never changes."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from deedbook.custody import views as custody
from deedbook.identity import signed_text
from deedbook.infra.database import Database, Tx
from deedbook.notifications import letters, model
from deedbook.notifications.letters import Told
from deedbook.notifications.ports import (
    NOT_SET_UP,
    Mail,
    MessagePolicy,
    Messengers,
    NotificationResources,
    Outcome,
)
from deedbook.notifications.store import contacts as contact_store
from deedbook.notifications.store import deliveries as store
from deedbook.notifications.store import feed
from deedbook.notifications.store.deliveries import Delivery, NewDelivery
from deedbook.notifications.terms import POST, SEND, Arrival, Channel, DeliveryId, Outgoing
from deedbook.trading import order_views

KEPT = timedelta(days=30)
TAKEN_AT_ONCE = 1000
REMOVED_AT_ONCE = 5000
TO_ANYWHERE = (Outgoing.WEBHOOK, Outgoing.PUSH)
"""What goes to addresses that users have named: they may be slow."""


@dataclass(frozen=True)
class Post:
    """A message that is ready: the same `message_id` again is the same message."""

    channel: Channel
    to: str
    told: Told
    message_id: UUID
    at: datetime


_GONE = Outcome(Arrival.NEVER, "no address any more")


async def add(tx: Tx, new: Sequence[NewDelivery]) -> list[DeliveryId]:
    """Have messages sent, each once however often this is asked; those that are new."""
    fresh = await store.add(tx, new)
    for delivery_id, channel in fresh:
        ask(tx, delivery_id, channel, 1)
    return [delivery_id for delivery_id, _ in fresh]


def ask(tx: Tx, delivery_id: DeliveryId, channel: Outgoing, round_: int) -> None:
    """Ask for the job of one round."""
    data = {"deliveryId": str(delivery_id), "round": round_}
    tx.enqueue(POST if channel in TO_ANYWHERE else SEND, f"send-{delivery_id}-{round_}", data)


async def send_again(tx: Tx) -> bool:
    """Begin the next round of those whose time has come; whether there may be more."""
    due = await store.take_due(tx, TAKEN_AT_ONCE)
    for delivery_id, channel, round_ in due:
        ask(tx, delivery_id, channel, round_)
    return len(due) == TAKEN_AT_ONCE


async def waiting(db: Database, delivery_id: UUID, round_: int) -> Delivery | None:
    """A message that is to be sent in this round."""
    async with db.reading() as connection:
        return await store.waiting(connection, delivery_id, round_)


async def waiting_within(tx: Tx, delivery_id: UUID, round_: int) -> Delivery | None:
    """The same, in a transaction that will decide about it."""
    return await store.waiting(tx, delivery_id, round_)


async def send(resources: NotificationResources, delivery: Delivery) -> Outcome:
    """Try once."""
    channel = Channel(delivery.channel.value)
    async with resources.db.reading() as connection:
        contact = await contact_store.one(connection, delivery.user_id, channel)
    if contact is None or contact.verified_at is None:
        return _GONE
    told = await _told(resources.db, delivery)
    post = Post(channel, contact.address, told, delivery.delivery_id, delivery.created_at)
    return await carry(resources.messengers, resources.message_policy, post)


async def _told(db: Database, delivery: Delivery) -> Told:
    assert delivery.notification_id is not None, "letters are of notifications"
    async with db.reading() as connection:
        row = await feed.stored(connection, delivery.notification_id)
    details = [(str(label), str(value)) for label, value in row["details"]]
    signed = await signed_lines(db, row)
    return Told(row["title"], row["body"], details, signed)


async def signed_lines(db: Database, row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the user has signed for what a notification is about, field by field, with its hash."""
    subject_type, subject_id = row["subject_type"], row["subject_id"]
    if subject_type == "order":
        found = (await order_views.signed_of(db, [subject_id])).get(subject_id)
    else:
        found = await custody.signed_of(db, subject_type, subject_id, row["user_id"])
    if found is None:
        return []
    action, text, digest = found
    return [*signed_text.lines(action, text), ("hash", digest)]


async def carry(messengers: Messengers, policy: MessagePolicy, post: Post) -> Outcome:
    """Give a message to whoever carries it."""
    if post.channel is Channel.SMS:
        texter = messengers.texter
        return await texter.send(post.to, letters.short(post.told)) if texter else NOT_SET_UP
    if messengers.mailer is None:
        return NOT_SET_UP
    letter = letters.letter(post.told, policy.site)
    message_id = f"<{post.message_id}@{policy.domain}>"
    return await messengers.mailer.send(
        Mail(message_id, post.to, letter.subject, letter.text, letter.html, post.at)
    )


async def note(tx: Tx, delivery: Delivery, outcome: Outcome) -> bool:
    """Write down what became of it, and when it is tried again; `False` when that is known."""
    draw = random.random()  # noqa: S311 - it spreads what comes back, and keeps nothing secret
    return await store.note(
        tx, delivery, outcome, model.again_in(delivery.channel, delivery.attempts + 1, draw)
    )


async def postpone(tx: Tx, delivery: Delivery, seconds: float) -> None:
    """Have its next round begin so much later: nothing was tried, so that it is no attempt."""
    await store.postpone(tx, delivery, timedelta(seconds=seconds))


async def remove_old(tx: Tx) -> bool:
    """Forget messages of long ago; whether there may be more."""
    return await store.remove_old(tx, await tx.now() - KEPT, REMOVED_AT_ONCE) == REMOVED_AT_ONCE
