"""SQL of the browsers and telephones that users have subscribed."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbook.infra.database import Tx
from deedbook.kernel.ids import UserId
from deedbook.notifications.model import Subscription
from deedbook.notifications.ports import PushTarget
from deedbook.notifications.terms import SubscriptionId

_COLUMNS = "subscription_id, user_id, endpoint, public_key, secret, description, created_at"


async def put(tx: Tx, entry: Subscription) -> tuple[Subscription, bool]:
    """Write one down, or what is new about one that is known; and whether it is new. Its keys may change."""
    row = await tx.fetchrow(
        f"""
        INSERT INTO push_subscriptions ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (user_id, endpoint) DO UPDATE
        SET public_key = EXCLUDED.public_key, secret = EXCLUDED.secret, description = EXCLUDED.description,
            refused_since = NULL
        RETURNING {_COLUMNS}
        """,
        entry.subscription_id,
        entry.user_id,
        entry.target.endpoint,
        entry.target.public_key,
        entry.target.secret,
        entry.description,
        entry.created_at,
    )
    stored = _subscription(row)
    return stored, stored.subscription_id == entry.subscription_id


async def count(tx: Tx, user_id: UserId, other_than: str) -> int:
    """How many a user has beside the one at this endpoint. They get no other until the commit."""
    await tx.execute("SELECT 1 FROM users WHERE user_id = $1 FOR NO KEY UPDATE", user_id)
    found = await tx.fetchval(
        "SELECT count(*) FROM push_subscriptions WHERE user_id = $1 AND endpoint <> $2", user_id, other_than
    )
    return int(found)


async def of_user(connection: Any, user_id: UserId) -> list[Subscription]:
    """All that a user has, newest first."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM push_subscriptions WHERE user_id = $1 "
        "ORDER BY created_at DESC, subscription_id DESC",
        user_id,
    )
    return [_subscription(row) for row in rows]


async def one(connection: Any, subscription_id: UUID) -> Subscription | None:
    """One of anybody's."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM push_subscriptions WHERE subscription_id = $1", subscription_id
    )
    return _subscription(row) if row else None


async def of_others(tx: Tx, user_id: UserId, target: PushTarget) -> list[Subscription]:
    """What others have subscribed of this very browser: only it knows all of that."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM push_subscriptions "
        "WHERE endpoint = $1 AND public_key = $2 AND secret = $3 AND user_id <> $4 ORDER BY subscription_id",
        target.endpoint,
        target.public_key,
        target.secret,
        user_id,
    )
    return [_subscription(row) for row in rows]


async def of_users(tx: Tx, user_ids: Collection[UserId]) -> dict[UserId, list[SubscriptionId]]:
    """Where each of these users is pushed to."""
    rows = await tx.fetch(
        "SELECT user_id, subscription_id FROM push_subscriptions WHERE user_id = ANY ($1::uuid[]) "
        "ORDER BY subscription_id",
        list(user_ids),
    )
    found: dict[UserId, list[SubscriptionId]] = defaultdict(list)
    for row in rows:
        found[UserId(row["user_id"])].append(SubscriptionId(row["subscription_id"]))
    return found


async def note(tx: Tx, subscription_id: UUID, *, works: bool) -> datetime | None:
    """Note whether its service took a message; since when it has refused all, and written only where that changes."""
    await tx.execute(
        "UPDATE push_subscriptions SET refused_since = CASE WHEN $2 THEN NULL ELSE now() END "
        "WHERE subscription_id = $1 AND (refused_since IS NULL) <> $2",
        subscription_id,
        works,
    )
    return await tx.fetchval(  # type: ignore[no-any-return]
        "SELECT refused_since FROM push_subscriptions WHERE subscription_id = $1", subscription_id
    )


async def remove(tx: Tx, subscription_id: UUID, user_id: UserId) -> bool:
    """Forget one with what waits for it; `False` when this user has no such one."""
    return (
        await tx.fetchval(
            "DELETE FROM push_subscriptions WHERE (subscription_id, user_id) = ($1, $2) RETURNING subscription_id",
            subscription_id,
            user_id,
        )
        is not None
    )


def _subscription(row: Any) -> Subscription:
    target = PushTarget(row["endpoint"], bytes(row["public_key"]), bytes(row["secret"]))
    return Subscription(
        SubscriptionId(row["subscription_id"]),
        UserId(row["user_id"]),
        target,
        row["description"],
        row["created_at"],
    )
