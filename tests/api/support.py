"""What the tests of the API share: the shape of every refusal, the routes, signed webhooks."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
from fastapi import FastAPI
from redis.asyncio import Redis
from starlette.routing import BaseRoute

from deedbook.api.ratelimit import WINDOW_S
from deedbook.identity import Caller, Role
from deedbook.identity.terms import Address
from deedbook.integrations.entity_permissions.direct import sign
from deedbook.kernel.errors import Refusal
from deedbook.kernel.ids import EntityId, UserId, new_uuid
from tests.support.world import HMAC_SECRET, User, World

ROOT = "http://localhost:3000"
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_MEMBERS = {"type", "title", "status", "detail", "instance", "code", "requestId"}


async def every_refusal_is_a_problem(response: httpx2.Response) -> None:
    """For the client's hooks: whatever a test does, what is not 2xx has our one shape (INV-15)."""
    await response.aread()
    assert _ID.fullmatch(response.headers["X-Request-Id"]) and _ID.fullmatch(
        response.headers["X-Correlation-Id"]
    )
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    if response.status_code >= 400:
        assert_problem(response)


def assert_problem(response: httpx2.Response) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    told: dict[str, Any] = response.json()
    assert told.keys() >= _MEMBERS, told
    assert told["status"] == response.status_code
    assert told["type"] == f"{ROOT}/docs/errors#{told['code']}"
    assert told["code"] in Refusal.registry
    assert told["requestId"] == response.headers["X-Request-Id"]
    assert told["title"] == Refusal.registry[told["code"]].title
    for error in told.get("errors", []):
        assert error.keys() == {"pointer", "code", "detail"} and error["pointer"].startswith("/")
    if response.status_code in (429, 503):
        assert int(response.headers["Retry-After"]) >= 1 and told["retryAfterMs"] >= 1
    return told


def refused(response: httpx2.Response, status: int, code: str, *pointers: str) -> None:
    """The answer is this refusal; with pointers, these fields are named and no others."""
    told = assert_problem(response)
    assert (response.status_code, told["code"]) == (status, code), response.text
    if pointers:
        assert {error["pointer"] for error in told["errors"]} == set(pointers), told["errors"]


def routes(app: FastAPI) -> Iterator[BaseRoute]:
    """All routes, those of included routers too."""
    waiting = list(app.router.routes)
    while waiting:
        route = waiting.pop(0)
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            waiting[:0] = inner.routes


async def counted_anew(redis: Redis, *, for_s: float) -> None:
    """Nobody was counted yet, and the minute has so long to go: who counts exactly would see two windows otherwise."""
    if (left_s := WINDOW_S - time.time() % WINDOW_S) < for_s:
        await asyncio.sleep(left_s)
    if keys := [key async for key in redis.scan_iter("ratelimit:*")]:
        await redis.delete(*keys)


def caller_of(user: User) -> Caller:
    """The caller that a signed-in issuer is, for use cases called without HTTP."""
    account, entity_id = Address(user.wallet.address.lower()), user.entity_id
    roles = frozenset({Role.ISSUER})
    return Caller(
        UserId(user.user_id), account, EntityId(entity_id) if entity_id else None, roles, new_uuid()
    )


def decision(market: dict[str, Any], kind: str = "approved", **changes: Any) -> dict[str, Any]:
    """A decision as the permission service posts it."""
    return {
        "event_id": str(uuid4()),
        "event_type": f"market.{kind}",
        "source": "entity_permissions_core",
        "payload": {
            "market_id": market["id"],
            "entity_id": market["issuerId"],
            "decision": kind,
            "reason": "x",
        },
        "context": {"actor_id": str(uuid4())},
        **changes,
    }


async def post_event(
    world: World, event: Any, *, secret: str = HMAC_SECRET, at: int | None = None
) -> httpx2.Response:
    """POST an event as a direct webhook with our signature."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Deedbook-Signature": sign(secret, body, int(time.time()) if at is None else at),
    }
    return await world.http.post("/webhooks/entity-permissions", content=body, headers=headers)
