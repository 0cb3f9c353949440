"""SQL of where people can be reached."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from deedbook.infra.database import Tx
from deedbook.kernel.ids import UserId
from deedbook.notifications.model import Contact
from deedbook.notifications.terms import Channel

_COLUMNS = "user_id, channel, address, challenge_id, challenged_at, tries, verified_at"


async def one(connection: Any, user_id: UserId, channel: Channel, *, lock: bool = False) -> Contact | None:
    """An address of somebody."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM notification_contacts WHERE (user_id, channel) = ($1, $2)"
        + (" FOR UPDATE" if lock else ""),
        user_id,
        channel.value,
    )
    return _contact(row) if row else None


async def all_of(connection: Any, user_id: UserId) -> list[Contact]:
    """Every address of somebody."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM notification_contacts WHERE user_id = $1 ORDER BY channel", user_id
    )
    return [_contact(row) for row in rows]


async def verified(tx: Tx, user_ids: Collection[UserId]) -> set[tuple[UserId, Channel]]:
    """Where these users have proved to be reached."""
    rows = await tx.fetch(
        "SELECT user_id, channel FROM notification_contacts "
        "WHERE user_id = ANY ($1::uuid[]) AND verified_at IS NOT NULL",
        list(user_ids),
    )
    return {(UserId(row["user_id"]), Channel(row["channel"])) for row in rows}


async def put(tx: Tx, user_id: UserId, channel: Channel, address: str, challenge_id: UUID) -> None:
    """Give an address, which is proved no longer or not yet."""
    await tx.execute(
        """
        INSERT INTO notification_contacts (user_id, channel, address, challenge_id)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, channel) DO UPDATE
        SET address = EXCLUDED.address, challenge_id = EXCLUDED.challenge_id, challenged_at = now(),
            tries = 0, verified_at = NULL
        """,
        user_id,
        channel.value,
        address,
        challenge_id,
    )


async def count_try(tx: Tx, user_id: UserId, channel: Channel, most: int, within_s: int) -> bool:
    """Use up one of the tries that a code has; `False` when there is none left, or no code that holds."""
    return (
        await tx.fetchval(
            """
            UPDATE notification_contacts SET tries = tries + 1
            WHERE (user_id, channel) = ($1, $2) AND tries < $3 AND verified_at IS NULL
              AND challenged_at > now() - make_interval(secs => $4) RETURNING tries
            """,
            user_id,
            channel.value,
            most,
            float(within_s),
        )
        is not None
    )


async def verify(tx: Tx, user_id: UserId, channel: Channel) -> None:
    """Note that an address is proved."""
    await tx.execute(
        "UPDATE notification_contacts SET verified_at = now() WHERE (user_id, channel) = ($1, $2)",
        user_id,
        channel.value,
    )


async def remove(tx: Tx, user_id: UserId, channel: Channel) -> bool:
    """Forget an address; `False` when there was none."""
    return (
        await tx.fetchval(
            "DELETE FROM notification_contacts WHERE (user_id, channel) = ($1, $2) RETURNING user_id",
            user_id,
            channel.value,
        )
        is not None
    )


def _contact(row: Any) -> Contact:
    return Contact(**{**dict(row), "channel": Channel(row["channel"])})
