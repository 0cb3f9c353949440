"""SQL of what each wants to hear and where, as far as it is not what everybody hears by default."""

from collections.abc import Collection, Mapping
from typing import Any

from deedbook.infra.database import Tx
from deedbook.kernel.ids import UserId
from deedbook.notifications.terms import Channel, Kind


async def chosen(connection: Any, user_ids: Collection[UserId]) -> dict[tuple[UserId, Kind, Channel], bool]:
    """What these users have chosen themselves."""
    rows = await connection.fetch(
        "SELECT user_id, kind, channel, wanted FROM notification_preferences WHERE user_id = ANY ($1::uuid[])",
        list(user_ids),
    )
    return {
        (UserId(row["user_id"]), Kind(row["kind"]), Channel(row["channel"])): row["wanted"] for row in rows
    }


async def choose(tx: Tx, user_id: UserId, choices: Mapping[tuple[Kind, Channel], bool]) -> None:
    """Keep what a user has chosen."""
    await tx.executemany(
        "INSERT INTO notification_preferences (user_id, kind, channel, wanted) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (user_id, kind, channel) DO UPDATE SET wanted = EXCLUDED.wanted",
        [(user_id, kind.value, channel.value, wanted) for (kind, channel), wanted in choices.items()],
    )
