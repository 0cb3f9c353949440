"""SQL of the addresses to which users have posted what happens to them."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from deedbook.infra.database import Tx
from deedbook.kernel.ids import UserId
from deedbook.notifications.model import Endpoint
from deedbook.notifications.terms import DeliveryId, EndpointId

_COLUMNS = (
    "endpoint_id, user_id, url, description, kinds, secret_version, former_until, failing_since, disabled_at, "
    "created_at"
)


async def add(tx: Tx, endpoint: Endpoint) -> None:
    await tx.execute(
        "INSERT INTO webhook_endpoints (endpoint_id, user_id, url, description, kinds) VALUES ($1, $2, $3, $4, $5)",
        endpoint.endpoint_id,
        endpoint.user_id,
        endpoint.url,
        endpoint.description,
        sorted(endpoint.kinds),
    )


async def count(tx: Tx, user_id: UserId) -> int:
    """How many a user has, who gets no other until the commit."""
    await tx.execute("SELECT 1 FROM users WHERE user_id = $1 FOR NO KEY UPDATE", user_id)
    found = await tx.fetchval("SELECT count(*) FROM webhook_endpoints WHERE user_id = $1", user_id)
    return int(found)


async def of_user(connection: Any, user_id: UserId) -> list[Endpoint]:
    """All that a user has, newest first."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM webhook_endpoints WHERE user_id = $1 ORDER BY created_at DESC, endpoint_id DESC",
        user_id,
    )
    return [_endpoint(row) for row in rows]


async def one(
    connection: Any, endpoint_id: UUID, user_id: UserId | None, *, lock: bool = False
) -> Endpoint | None:
    """One of a user's, or of anybody's."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM webhook_endpoints WHERE endpoint_id = $1 AND ($2::uuid IS NULL OR user_id = $2)"
        + (" FOR UPDATE" if lock else ""),
        endpoint_id,
        user_id,
    )
    return _endpoint(row) if row else None


async def working(tx: Tx, user_ids: Collection[UserId]) -> list[Endpoint]:
    """Those of these users that are not switched off."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM webhook_endpoints WHERE user_id = ANY ($1::uuid[]) AND disabled_at IS NULL "
        "ORDER BY endpoint_id",
        list(user_ids),
    )
    return [_endpoint(row) for row in rows]


async def overrun(tx: Tx, endpoint_ids: Sequence[EndpointId], most: int) -> list[EndpointId]:
    """Those of these for which more messages wait than that."""
    rows = await tx.fetch(
        """
        SELECT e.id FROM unnest($1::uuid[]) AS e (id)
        WHERE (SELECT count(*) FROM (SELECT 1 FROM message_deliveries d
                                     WHERE d.endpoint_id = e.id AND d.status = 'WAITING' LIMIT $2 + 1) AS w) > $2
        """,
        endpoint_ids,
        most,
    )
    return [EndpointId(row["id"]) for row in rows]


async def remove(tx: Tx, endpoint_id: EndpointId) -> None:
    """Forget an endpoint with everything that was posted there."""
    await tx.execute("DELETE FROM webhook_endpoints WHERE endpoint_id = $1", endpoint_id)


async def rotate(tx: Tx, endpoint_id: EndpointId, former_for: timedelta) -> None:
    """Begin to sign with another secret, beside the former one for a while."""
    await tx.execute(
        "UPDATE webhook_endpoints SET secret_version = secret_version + 1, former_until = now() + $2::interval "
        "WHERE endpoint_id = $1",
        endpoint_id,
        former_for,
    )


async def set_disabled(tx: Tx, endpoint_id: EndpointId, disabled: bool) -> bool:
    """Switch it off, or on again; `False` when it is so already."""
    return (
        await tx.fetchval(
            """
            UPDATE webhook_endpoints
            SET disabled_at = CASE WHEN $2 THEN now() END, failing_since = CASE WHEN $2 THEN failing_since END
            WHERE endpoint_id = $1 AND (disabled_at IS NOT NULL) <> $2 RETURNING endpoint_id
            """,
            endpoint_id,
            disabled,
        )
        is not None
    )


async def note(tx: Tx, endpoint_id: EndpointId, *, works: bool) -> datetime | None:
    """Note whether it took a message; since when it has taken none, and written only where that changes."""
    since = await tx.fetchval(
        """
        UPDATE webhook_endpoints SET failing_since = CASE WHEN $2 THEN NULL ELSE now() END
        WHERE endpoint_id = $1 AND (failing_since IS NULL) <> $2 RETURNING failing_since
        """,
        endpoint_id,
        works,
    )
    if works or since is not None:
        return since  # type: ignore[no-any-return]
    return await tx.fetchval(  # type: ignore[no-any-return]
        "SELECT failing_since FROM webhook_endpoints WHERE endpoint_id = $1", endpoint_id
    )


_DELIVERY = (
    "delivery_id, kind, status, attempts, last_outcome, next_attempt_at, created_at, finished_at, payload"
)


async def deliveries(
    connection: Any, endpoint_id: UUID, before: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """What was posted, or shall be, newest first."""
    rows = await connection.fetch(
        f"SELECT {_DELIVERY} FROM message_deliveries WHERE endpoint_id = $1 "
        "AND ($2::uuid IS NULL OR delivery_id < $2) ORDER BY delivery_id DESC LIMIT $3",
        endpoint_id,
        before,
        limit,
    )
    return [dict(row) for row in rows]


async def delivery(connection: Any, endpoint_id: UUID, delivery_id: UUID) -> dict[str, Any] | None:
    """One of them."""
    row = await connection.fetchrow(
        f"SELECT {_DELIVERY} FROM message_deliveries WHERE (endpoint_id, delivery_id) = ($1, $2)",
        endpoint_id,
        delivery_id,
    )
    return dict(row) if row else None


async def replay(tx: Tx, endpoint_id: UUID, delivery_id: UUID) -> tuple[DeliveryId, int] | None:
    """Begin another round of a message that is over, with all its attempts; `None` when it is not."""
    row = await tx.fetchrow(
        """
        UPDATE message_deliveries
        SET status = 'WAITING', round = round + 1, attempts = 0, finished_at = NULL, next_attempt_at = NULL
        WHERE (endpoint_id, delivery_id) = ($1, $2) AND status <> 'WAITING' RETURNING delivery_id, round
        """,
        endpoint_id,
        delivery_id,
    )
    return (DeliveryId(row["delivery_id"]), row["round"]) if row else None


async def tests_since(tx: Tx, endpoint_id: UUID, kind: str, since: datetime) -> int:
    """How many test messages were asked for since."""
    found = await tx.fetchval(
        "SELECT count(*) FROM message_deliveries WHERE endpoint_id = $1 AND kind = $2 AND delivery_id >= $3",
        endpoint_id,
        kind,
        UUID(int=int(since.timestamp() * 1000) << 80),
    )
    return int(found)


def _endpoint(row: Any) -> Endpoint:
    return Endpoint(**{**dict(row), "kinds": frozenset(row["kinds"])})
