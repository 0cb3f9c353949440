"""Facts as the relay reads them, and what people were told of them."""

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from deedbook import notifications
from deedbook.custody.events import DepositCredited
from deedbook.custody.terms import DepositId
from deedbook.identity import Caller, Role
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.outbox import Cursor, StoredFact
from deedbook.kernel.events import Fact, payload, stream_id
from deedbook.kernel.ids import TokenId, UserId, new_uuid
from deedbook.kernel.jobs import Job
from deedbook.notifications import push, webhooks
from deedbook.notifications.model import Endpoint
from deedbook.notifications.ports import Mail, MessagePolicy, Messengers, Outcome
from deedbook.notifications.terms import Arrival
from tests.support.push_service import Browser

SECRET = "a-secret-of-the-installation-for-tests"
POLICY = MessagePolicy(SECRET, "https://deedbook.test", "deedbook.test")


@dataclass
class FakeMailer:
    """Keeps letters. `outcomes` come one after the other, the last of them for ever."""

    outcomes: list[Outcome] = field(default_factory=lambda: [Outcome(Arrival.DELIVERED, "kept")])
    letters: list[Mail] = field(default_factory=list)

    async def send(self, mail: Mail) -> Outcome:
        self.letters.append(mail)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


@dataclass(frozen=True)
class Resources:
    """What the jobs of this room receive."""

    db: Database
    messengers: Messengers = field(default_factory=Messengers)
    message_policy: MessagePolicy = POLICY
    redis: Redis = field(default_factory=lambda: Redis(host="127.0.0.1", port=1))


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
    for name in (entry.name for entry in dataclasses.fields(kind)):  # type: ignore[arg-type]
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


async def deliveries(db: Database) -> list[dict[str, Any]]:
    """Every message that leaves or has left."""
    async with db.reading() as connection:
        rows = await connection.fetch("SELECT * FROM message_deliveries ORDER BY delivery_id")
    return [dict(row) for row in rows]


async def jobs_named(db: Database, name: str) -> list[Job]:
    """The jobs of this name, as their worker receives them, in the order in which they were asked for."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT job_id, name, data FROM jobs WHERE name = $1 ORDER BY position", name
        )
    return [Job(row["job_id"], row["name"], row["data"]) for row in rows]


async def reachable(db: Database, user_id: UserId, address: str = "ada@example.com") -> None:
    """As if the user had proved this address."""
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO notification_contacts (user_id, channel, address, challenge_id, verified_at) "
            "VALUES ($1, 'EMAIL', $2, $3, now())",
            user_id,
            address,
            new_uuid(),
        )


def caller_of(user_id: UserId) -> Caller:
    """A caller for use cases called without HTTP."""
    return Caller(user_id, Address("0x" + "00" * 20), None, frozenset({Role.INVESTOR}), new_uuid())


async def a_webhook(db: Database, user_id: UserId, url: str, *kinds: str) -> Endpoint:
    """A webhook on our own network."""
    async with db.transaction() as tx:
        return await webhooks.add(tx, caller_of(user_id), url, "", frozenset(kinds), private_too=True)


async def prepared_webhook(db: Database, user_id: UserId, path: str) -> tuple[str, dict[str, Any]]:
    """The path with a webhook of this user, to which one message was posted; and a body that is valid."""
    if "{id}" not in path:
        return path, {"url": "https://example.com/hook"}
    endpoint = await a_webhook(db, user_id, "https://example.com/hook")
    async with db.transaction() as tx:
        message_id = await webhooks.test(tx, caller_of(user_id), endpoint.endpoint_id)
        await tx.execute(
            "UPDATE message_deliveries SET status = 'FAILED', finished_at = now() WHERE delivery_id = $1",
            message_id,
        )
        # Ten are as many as one may have.
        await tx.execute(
            "DELETE FROM webhook_endpoints WHERE user_id = $1 AND endpoint_id <> $2",
            user_id,
            endpoint.endpoint_id,
        )
    return path.replace("{id}", str(endpoint.endpoint_id)).replace("{messageId}", str(message_id)), {}


async def subscribed(db: Database, user_id: UserId, browser: Browser) -> UUID:
    """The id of this browser, which the user has subscribed."""
    offer = push.Offer(browser.endpoint, browser.point, browser.secret, "")
    async with db.transaction() as tx:
        stored = await push.subscribe(tx, caller_of(user_id), offer, private_too=True)
    return stored.subscription_id


async def prepared_push(db: Database, user_id: UserId, path: str) -> tuple[str, dict[str, Any]]:
    """The path with a browser of this user, and the body that subscribes another."""
    if "{id}" not in path:
        return path, Browser("https://push.example.com/push/another").subscription()
    made = await subscribed(db, user_id, Browser("https://push.example.com/push/one"))
    return path.replace("{id}", str(made)), {}
