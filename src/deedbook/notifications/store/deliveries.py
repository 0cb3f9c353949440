"""SQL of what leaves: one row for each message, tried until it has arrived or never will."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from deedbook.infra.database import Tx
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.notifications.ports import Outcome
from deedbook.notifications.terms import (
    Arrival,
    DeliveryId,
    EndpointId,
    NotificationId,
    Outgoing,
    SubscriptionId,
)


@dataclass(frozen=True)
class NewDelivery:
    """A message that shall leave: of a notification, perhaps to one browser, or to an endpoint with its payload."""

    user_id: UserId
    channel: Outgoing
    kind: str
    source: str
    notification_id: NotificationId | None = None
    endpoint_id: EndpointId | None = None
    payload: str | None = None
    subscription_id: SubscriptionId | None = None


@dataclass(frozen=True)
class Delivery:
    """A message as stored. `round` counts how often it was taken up, by the clock or by its owner."""

    delivery_id: DeliveryId
    user_id: UserId
    channel: Outgoing
    notification_id: NotificationId | None
    endpoint_id: EndpointId | None
    subscription_id: SubscriptionId | None
    kind: str
    payload: str | None
    attempts: int
    round: int
    created_at: datetime


_COLUMNS = (
    "delivery_id, user_id, channel, notification_id, endpoint_id, subscription_id, kind, payload, attempts, round, "
    "created_at"
)


async def add(tx: Tx, new: Sequence[NewDelivery]) -> list[tuple[DeliveryId, Outgoing]]:
    """Write messages down; those that are new, and how they leave."""
    rows = await tx.fetch(
        """
        INSERT INTO message_deliveries (delivery_id, user_id, channel, kind, source, notification_id, endpoint_id,
                                        payload, subscription_id)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[],
                             $8::text[], $9::uuid[])
        ON CONFLICT DO NOTHING RETURNING delivery_id, channel
        """,
        [new_uuid() for _ in new],
        [entry.user_id for entry in new],
        [entry.channel.value for entry in new],
        [entry.kind for entry in new],
        [entry.source for entry in new],
        [entry.notification_id for entry in new],
        [entry.endpoint_id for entry in new],
        [entry.payload for entry in new],
        [entry.subscription_id for entry in new],
    )
    return [(DeliveryId(row["delivery_id"]), Outgoing(row["channel"])) for row in rows]


async def waiting(connection: Any, delivery_id: UUID, round_: int) -> Delivery | None:
    """A message that is to be sent in this round; `None` where it was, or another round has begun."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM message_deliveries WHERE (delivery_id, round) = ($1, $2) AND status = 'WAITING'",
        delivery_id,
        round_,
    )
    return _delivery(row) if row else None


async def note(tx: Tx, delivery: Delivery, outcome: Outcome, again_in: timedelta | None) -> bool:
    """Write down what became of a round: it arrived, never will, or is tried again; `False` when that is known."""
    done = {Arrival.DELIVERED: "DELIVERED", Arrival.NEVER: "FAILED"}.get(outcome.arrival)
    status = done or ("FAILED" if again_in is None else "WAITING")
    return (
        await tx.fetchval(
            """
            UPDATE message_deliveries
            SET status = $3, attempts = attempts + 1, last_outcome = $4,
                next_attempt_at = CASE WHEN $3 = 'WAITING' THEN now() + $5::interval END,
                finished_at = CASE WHEN $3 <> 'WAITING' THEN now() END
            WHERE (delivery_id, round) = ($1, $2) AND status = 'WAITING' AND next_attempt_at IS NULL
            RETURNING delivery_id
            """,
            delivery.delivery_id,
            delivery.round,
            status,
            outcome.told,
            again_in or timedelta(0),
        )
        is not None
    )


async def postpone(tx: Tx, delivery: Delivery, wait: timedelta) -> None:
    """Have the next round of a message begin later than this one, in which nothing was tried."""
    await tx.execute(
        "UPDATE message_deliveries SET next_attempt_at = now() + $3::interval "
        "WHERE (delivery_id, round) = ($1, $2) AND status = 'WAITING' AND next_attempt_at IS NULL",
        delivery.delivery_id,
        delivery.round,
        wait,
    )


async def take_due(tx: Tx, limit: int) -> list[tuple[DeliveryId, Outgoing, int]]:
    """Begin the next round of those whose time has come; they, how they leave, and their rounds."""
    rows = await tx.fetch(
        """
        UPDATE message_deliveries SET round = round + 1, next_attempt_at = NULL WHERE delivery_id IN (
            SELECT delivery_id FROM message_deliveries WHERE status = 'WAITING' AND next_attempt_at <= now()
            ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING delivery_id, channel, round
        """,
        limit,
    )
    return [(DeliveryId(row["delivery_id"]), Outgoing(row["channel"]), row["round"]) for row in rows]


async def oldest_waiting_s(connection: Any) -> dict[str, float]:
    """Seconds since the oldest message of each channel that has not arrived was written down."""
    rows = await connection.fetch(
        """
        SELECT channel, EXTRACT(EPOCH FROM now() - min(created_at))::float8 AS age
        FROM message_deliveries WHERE status = 'WAITING' GROUP BY channel
        """
    )
    return {row["channel"]: max(row["age"], 0.0) for row in rows}


async def remove_old(tx: Tx, before: datetime, limit: int) -> int:
    """Forget messages from before a moment; how many, at most the limit."""
    told = await tx.execute(
        "DELETE FROM message_deliveries WHERE ctid IN "
        "(SELECT ctid FROM message_deliveries WHERE created_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(told.rsplit(" ", 1)[1])


def _delivery(row: Any) -> Delivery:
    return Delivery(**{**dict(row), "channel": Outgoing(row["channel"])})
