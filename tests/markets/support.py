"""Issuers, officers and markets in every state, made through the use cases of this room."""

from typing import Any
from uuid import uuid4

from deedbook import identity, markets
from deedbook.identity import Caller, Role
from deedbook.identity.ports import Permissions
from deedbook.identity.terms import Action, Address
from deedbook.infra.database import Database
from deedbook.infra.inbox import IncomingEvent
from deedbook.kernel.events import Actor, ActorType
from deedbook.kernel.ids import EntityId, MarketId, UserId, new_uuid
from deedbook.markets import AssetType, Decision, Market, MarketStatus, RegisterMarket, service
from deedbook.stack.wallet import Wallet
from deedbook.tokens.terms import Deployment

SOURCES = ("entity_permissions_core",)
OFFICER = Actor(ActorType.COMPLIANCE, UserId(uuid4()))
THE_OPERATOR = Caller(
    UserId(uuid4()), Address("0x" + "00" * 20), None, frozenset({Role.OPERATOR}), new_uuid()
)
OPERATOR = Actor(ActorType.OPERATOR, UserId(uuid4()))


class Allowing(Permissions):
    """A permission service that allows everybody everything, or what it is told."""

    def __init__(self, answer: bool = True) -> None:
        self.answer = answer
        self.asked: list[tuple[UserId, Action, EntityId]] = []
        self.forgotten: list[UserId | None] = []

    async def is_allowed(self, user_id: UserId, action: Action, entity_id: EntityId) -> bool:
        self.asked.append((user_id, action, entity_id))
        return self.answer

    async def forget(self, user_id: UserId | None) -> None:
        self.forgotten.append(user_id)


async def issuer(db: Database) -> Caller:
    """An issuer with an entity of its own."""
    account, entity_id = Address(Wallet.new().address.lower()), EntityId(new_uuid())
    async with db.transaction() as tx:
        user_id = await identity.grant(tx, account, Role.ISSUER, "test", entity_id)
    return Caller(user_id, account, entity_id, frozenset({Role.ISSUER}), new_uuid())


def asset(**changes: Any) -> RegisterMarket:
    """What an issuer asks for, under a symbol of its own."""
    symbol = "T" + uuid4().hex[:8].upper()
    told = {
        "name": "Harbour",
        "asset_type": AssetType.REAL_ESTATE,
        "token_symbol": symbol,
        "total_supply": "1000",
    }
    return RegisterMarket(**{**told, **changes})


async def registered(db: Database, caller: Caller | None = None, **changes: Any) -> Market:
    caller = caller or await issuer(db)
    async with db.transaction() as tx:
        return await markets.register(tx, caller, asset(**changes))


async def decided(db: Database, market_id: MarketId, decision: Decision, actor: Actor = OFFICER) -> Market:
    async with db.transaction() as tx:
        return await markets.decide(tx, market_id, decision, "because", actor)


async def market_in(db: Database, status: MarketStatus, caller: Caller | None = None) -> Market:
    """A market that came to this status by its proper way."""
    market = await registered(db, caller)
    if status is MarketStatus.PENDING_APPROVAL:
        return market
    if status is MarketStatus.REJECTED:
        return await decided(db, market.market_id, Decision.REJECTED)
    await decided(db, market.market_id, Decision.APPROVED)
    async with db.transaction() as tx:
        if status is MarketStatus.APPROVED:
            await service.fail_activation(tx, market.market_id, 1, "no gas")
        elif status is not MarketStatus.ACTIVATING:
            await service.finish_activation(tx, market.market_id, deployment(), 31337)
    async with db.transaction() as tx:
        if status is MarketStatus.PAUSED:
            await markets.pause(tx, market.market_id, "", OFFICER)
        if status is MarketStatus.ARCHIVED:
            await markets.archive(tx, market.market_id, "", OFFICER)
    return await load(db, market.market_id)


def deployment() -> Deployment:
    return Deployment(Address("0x" + uuid4().hex + "00000000"), "0x" + uuid4().hex * 2)


async def load(db: Database, market_id: MarketId) -> Market:
    market = await markets.read(db, market_id)
    assert market is not None
    return market


async def history(db: Database, market_id: MarketId) -> list[str]:
    """The market's facts, oldest first, without the room's name."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT event_type FROM market_approval_events WHERE market_id = $1 ORDER BY position", market_id
        )
    return [row["event_type"].removeprefix("market.") for row in rows]


def event(market: Market | None, decision: str = "approved", **changes: Any) -> IncomingEvent:
    """An authentic decision as the permission service publishes it."""
    payload = {"decision": decision, "reason": "looked at it"}
    if market is not None:
        payload |= {"market_id": str(market.market_id), "entity_id": str(market.issuer_id)}
    told = {
        "event_id": str(uuid4()),
        "event_type": f"market.{decision}",
        "source": SOURCES[0],
        "payload": {**payload, **changes.pop("payload", {})},
        "context": {"actor_id": str(uuid4())},
        "received_via": "webhook",
    }
    return IncomingEvent(**{**told, **changes})


async def processed(db: Database, event_id: str) -> dict[str, Any] | None:
    async with db.reading() as connection:
        row = await connection.fetchrow("SELECT * FROM processed_events WHERE event_id = $1", event_id)
    return dict(row) if row else None
