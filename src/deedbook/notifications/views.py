"""Notifications as screens show them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from deedbook.infra.database import Database
from deedbook.kernel.ids import UserId
from deedbook.notifications import model, outgoing
from deedbook.notifications.model import Contact, Endpoint, Subscription
from deedbook.notifications.store import contacts as contact_store
from deedbook.notifications.store import deliveries, feed, preferences
from deedbook.notifications.store import push as push_store
from deedbook.notifications.store import webhooks as webhook_store
from deedbook.notifications.terms import Channel, Kind

MOST_COUNTED = 1000


async def listing(
    db: Database, user_id: UserId, *, unread: bool, before: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Somebody's notifications, newest first."""
    async with db.reading() as connection:
        return await feed.page(connection, user_id, unread=unread, before=before, limit=limit)


async def one(db: Database, user_id: UserId, notification_id: UUID) -> dict[str, Any] | None:
    """One of somebody's notifications."""
    async with db.reading() as connection:
        return await feed.one(connection, user_id, notification_id)


async def unread(db: Database, user_id: UserId) -> int:
    """How many somebody has not read, at most a thousand."""
    async with db.reading() as connection:
        return await feed.unread(connection, user_id, MOST_COUNTED)


async def signed(db: Database, row: dict[str, Any]) -> list[tuple[str, str]]:
    """What its user has signed for what a notification is about."""
    return await outgoing.signed_lines(db, row)


@dataclass(frozen=True)
class Preference:
    """Where somebody hears of a kind of thing."""

    kind: Kind
    wanted: dict[Channel, bool]


async def choices(db: Database, user_id: UserId) -> list[Preference]:
    """Where somebody hears of what, everything that there is."""
    async with db.reading() as connection:
        return await choices_within(connection, user_id)


async def choices_within(connection: Any, user_id: UserId) -> list[Preference]:
    """The same, as of a transaction that changes it."""
    chosen = await preferences.chosen(connection, [user_id])
    return [
        Preference(
            kind,
            {
                channel: model.wants(chosen.get((user_id, kind, channel)), kind, channel)
                for channel in Channel
            },
        )
        for kind in Kind
    ]


async def contacts(db: Database, user_id: UserId) -> list[Contact]:
    """Where somebody can be reached."""
    async with db.reading() as connection:
        return await contact_store.all_of(connection, user_id)


async def oldest_waiting_s(db: Database) -> dict[str, float]:
    """For how long the oldest message of each channel has waited."""
    async with db.reading() as connection:
        return await deliveries.oldest_waiting_s(connection)


async def webhooks(db: Database, user_id: UserId) -> list[Endpoint]:
    """Somebody's webhooks, newest first: few, for there may not be many."""
    async with db.reading() as connection:
        return await webhook_store.of_user(connection, user_id)


async def webhook(db: Database, user_id: UserId, endpoint_id: UUID) -> Endpoint | None:
    """One of somebody's webhooks."""
    async with db.reading() as connection:
        return await webhook_store.one(connection, endpoint_id, user_id)


async def subscriptions(db: Database, user_id: UserId) -> list[Subscription]:
    """The browsers that somebody has subscribed, newest first: few, for there may not be many."""
    async with db.reading() as connection:
        return await push_store.of_user(connection, user_id)


async def messages(db: Database, endpoint_id: UUID, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    """What was posted to a webhook, or shall be, newest first."""
    async with db.reading() as connection:
        return await webhook_store.deliveries(connection, endpoint_id, before, limit)
