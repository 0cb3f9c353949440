"""Facts as the relay reads them, and what people were told of them."""

import dataclasses
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from deedbook import notifications
from deedbook.custody.events import DepositCredited
from deedbook.custody.terms import DepositId
from deedbook.infra.database import Database
from deedbook.infra.outbox import Cursor, StoredFact
from deedbook.kernel.events import Fact, payload, stream_id
from deedbook.kernel.ids import TokenId, UserId, new_uuid


@dataclasses.dataclass(frozen=True)
class Resources:
    """What the jobs of this room receive."""

    db: Database


def stored(told: Fact) -> StoredFact:
    """A fact as it stands in the `events` table."""
    return StoredFact(
        event_id=new_uuid(),
        event_type=told.spec.event_type,
        version=told.spec.version,
        stream_type=told.spec.event_type.split(".", 1)[0],
        stream_id=stream_id(told),
        seq=None,
        actor_id=None,
        actor_type="system",
        payload=payload(told),
        correlation_id="",
        occurred_at=datetime.now(UTC),
        cursor=Cursor(1, 1),
    )


def sample(kind: type[Fact], **values: Any) -> Fact:
    """A fact of this kind with some value in every field."""
    filled: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        name = field.name
        filled[name] = values.get(name, new_uuid() if name.endswith("_id") else name.upper())
    return kind(**filled)


def a_deposit(user_id: UserId, amount: str = "12.5") -> DepositCredited:
    return DepositCredited(
        deposit_id=DepositId(new_uuid()),
        user_id=user_id,
        token_id=TokenId(new_uuid()),
        amount=amount,
        tx_hash="0x" + "ab" * 32,
    )


async def told_of_a_deposit(db: Database, user_id: UserId) -> UUID:
    """The id of a notification that this user has not read."""
    fact = stored(a_deposit(user_id))
    notices = await notifications.notices_of(db, [fact])
    async with db.transaction() as tx:
        await notifications.tell(tx, notices)
    (row,) = [row for row in await feed(db) if str(fact.event_id) in row["source"]]
    found: UUID = row["notification_id"]
    return found


async def feed(db: Database, user_id: UUID | None = None) -> list[dict[str, Any]]:
    """Everything that was told, to one or to all, in the order in which it was written."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT * FROM notifications WHERE $1::uuid IS NULL OR user_id = $1 ORDER BY notification_id",
            user_id,
        )
    return [dict(row) for row in rows]
