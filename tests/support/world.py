"""A small world around the API in one process: real PostgreSQL and Valkey, a fake permission service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx2
from fastapi import FastAPI

from deedbook import identity
from deedbook.api.app import create_app, join, part
from deedbook.identity import Role
from deedbook.infra.database import Database
from deedbook.infra.redis import connect_redis
from deedbook.infra.settings import Settings
from deedbook.integrations.entity_permissions.client import EntityPermissionsClient
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.kernel.ids import EntityId
from deedbook.stack.wallet import Wallet, sign_in
from deedbook.wiring import Resources, sign_in_policy
from tests.support.fake_permissions import FakePermissions
from tests.support.waiting import PATIENCE_S

ADMIN_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
HMAC_SECRET = "test-webhook-secret-test-webhook-secret"


def test_settings(dsn: str, redis_url: str, **more: Any) -> Settings:
    values = {
        "DATABASE_URL": dsn,
        "REDIS_URL": redis_url,
        "SAPPHIRE_RPC_URL": "http://127.0.0.1:1",
        "ENTITY_PERMISSIONS_BASE_URL": "http://permissions.test",
        "DEEDBOOK_SECRET": "test-secret-test-secret-test-secret",
        "SAPPHIRE_ADMIN_KEY": ADMIN_KEY,
        "WEBHOOK_HMAC_SECRET": HMAC_SECRET,
        "ACCESS_TOKEN_TTL_S": 3600,  # longer than the tests of any module take that share who is signed in
        "RATE_LIMIT_WRITES": 100_000,
        "RATE_LIMIT_READS": 100_000,
        "RATE_LIMIT_AUTH": 100_000,
        "RATE_LIMIT_ORDERS": 100_000,
        "LOG_LEVEL": "error",
        **more,
    }
    return Settings(**values)


test_settings.__test__ = False  # type: ignore[attr-defined]  # a builder, not a test


@dataclass
class User:
    """Somebody who is signed in."""

    user_id: UUID
    wallet: Wallet
    access_token: str
    refresh_token: str
    entity_id: UUID | None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


@dataclass
class World:
    """The API and what stands around it."""

    app: FastAPI
    http: httpx2.AsyncClient
    resources: Resources
    permissions: FakePermissions

    @property
    def db(self) -> Database:
        return self.resources.db

    async def user(self, *roles: Role, entity_id: UUID | None = None) -> User:
        """A signed-in user with these roles, acting for this entity."""
        wallet = Wallet.new()
        address = identity.parse_address(wallet.address)
        assert address is not None
        async with self.db.transaction() as tx:
            for role in roles:
                entity = EntityId(entity_id) if entity_id else None
                await identity.grant(tx, address, role, "test", entity)
        told = await sign_in(self.http, wallet)
        return User(UUID(told["userId"]), wallet, told["accessToken"], told["refreshToken"], entity_id)

    async def issuer(self) -> User:
        """An issuer who may register."""
        user = await self.user(Role.ISSUER, entity_id=uuid4())
        assert user.entity_id is not None
        self.permissions.allow(user.user_id, "market.register", user.entity_id)
        return user

    async def officer(self, entity_id: UUID) -> User:
        """A compliance officer who may do everything to this issuer's markets."""
        user = await self.user(Role.COMPLIANCE)
        for action in ("approve", "reject", "pause", "archive"):
            self.permissions.allow(user.user_id, f"market.{action}", entity_id)
        return user

    async def post(self, path: str, user: User, body: Any = None, **headers: str) -> httpx2.Response:
        """POST with a fresh Idempotency-Key, unless one is given."""
        told = {"Idempotency-Key": str(uuid4()), **user.headers, **headers}
        return await self.http.post(path, headers=told, json=body if body is not None else {})

    async def register(self, issuer: User, **changes: Any) -> dict[str, Any]:
        """A market that waits for approval."""
        response = await self.post("/markets/register", issuer, registration(**changes))
        assert response.status_code == 201, response.text
        market: dict[str, Any] = response.json()
        return market


def registration(**changes: Any) -> dict[str, Any]:
    """A valid registration body under a symbol of its own."""
    symbol = "T" + uuid4().hex[:8].upper()
    return {
        "name": "Harbour Warehouse",
        "assetType": "real_estate",
        "tokenSymbol": symbol,
        "totalSupply": "1000000",
        **changes,
    }


@asynccontextmanager
async def open_world(dsn: str, redis_url: str, **more: Any) -> AsyncIterator[World]:
    """A world over these servers."""
    settings = test_settings(dsn, redis_url, **more)
    fake = FakePermissions()
    db = await Database.connect(dsn, pool_size=settings.DATABASE_POOL_SIZE, acquire_timeout_s=PATIENCE_S)
    redis = connect_redis(settings)
    client = EntityPermissionsClient(
        "http://permissions.test",
        redis,
        timeout_s=settings.ENTITY_PERMISSIONS_TIMEOUT_S,
        transport=fake.transport,
    )
    assert settings.SAPPHIRE_RPC_URL is not None
    node = SapphireClient(settings.SAPPHIRE_RPC_URL)
    resources = Resources(settings, db, redis, client, node, sign_in_policy(settings))
    app = create_app(settings)
    join(app, resources)
    async with db.transaction() as tx:
        await identity.rotate_signing_key(tx, resources.sign_in_policy, older_than_s=3600)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:3000/api/v1") as http:
            yield World(app, http, resources, fake)
    finally:
        await part(app)
        await client.close()
        await node.close()
        await redis.aclose()
        await db.close()
