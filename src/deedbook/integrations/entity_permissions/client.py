"""The Entity Permissions Core over HTTP, in its own words.

What the real service does to its callers, and what we do about it: uncached calls fail under concurrency
(one in flight, single-flight per question, bounded retry with jitter); it answers 400 for what it cannot
read and 404 for entities it does not know (not allowed); it goes away (nobody is allowed meanwhile, and
callers hear 503 in bounded time). It has no authentication of its own: its network must be private.
"""

import asyncio
import hashlib
import random
import time
from typing import Any

import httpx2
import redis.asyncio
import structlog
from redis.exceptions import RedisError

from deedbook.identity.errors import PermissionsUnavailable
from deedbook.identity.terms import Action
from deedbook.infra.inbox import IncomingEvent
from deedbook.infra.outbox import StoredFact
from deedbook.infra.telemetry import PERMISSION_CHECKS
from deedbook.kernel.clock import to_wire
from deedbook.kernel.ids import EntityId, UserId, parse_uuid

log = structlog.get_logger(__name__)

SOURCE = "deedbook"
ALLOW_TTL_S = 300
DENY_TTL_S = 30
ATTEMPTS = 4
POLL_LIMIT = 200
MAX_ANSWER_BYTES = 8 * 1024 * 1024


class PublicationRefused(Exception):
    """The service says that it will never take this event."""


class EntityPermissionsClient:
    """Implements the ports `Permissions`, `Provisioning` and `DecisionFeed`, and publishes our facts."""

    def __init__(
        self,
        base_url: str,
        cache: "redis.asyncio.Redis | None",
        *,
        principal_type: str = "user",
        timeout_s: float = 2.0,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx2.AsyncClient(
            base_url=base_url, timeout=timeout_s, trust_env=False, transport=transport, follow_redirects=False
        )
        self._cache = cache
        self._principal_type = principal_type
        self._deadline_s = timeout_s * 1.5
        self._one_uncached = asyncio.Semaphore(1)
        self._flights: dict[str, asyncio.Task[bool]] = {}
        self._context_hash = hashlib.sha256(principal_type.encode()).hexdigest()[:16]

    async def close(self) -> None:
        await self._http.aclose()

    async def ping(self) -> None:
        """Raises `PermissionsUnavailable` when the service does not answer."""
        await self._json("GET", "/healthz", accept=(200,))

    async def is_allowed(self, user_id: UserId, action: Action, entity_id: EntityId) -> bool:
        key = f"auth:{user_id}:{entity_id}:{action.value}:{self._context_hash}"
        remembered = await self._remembered(key)
        if remembered is not None:
            PERMISSION_CHECKS.labels("cached").inc()
            return remembered
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._ask(key, user_id, action, entity_id))
            self._flights[key] = flight
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        # A caller that goes away must not take the others' answer with it.
        return await asyncio.shield(flight)

    async def forget(self, user_id: UserId | None) -> None:
        if self._cache is None:
            return
        pattern = f"auth:{user_id}:*" if user_id is not None else "auth:*"
        try:
            async for key in self._cache.scan_iter(match=pattern, count=500):
                await self._cache.delete(key)
        except RedisError as error:
            log.warning("permission_cache_not_dropped", error=str(error))

    async def recent(self, event_type: str) -> list[IncomingEvent]:
        query = {"event_type": event_type, "limit": str(POLL_LIMIT)}
        answer = await self._json("GET", "/api/v1/events", params=query, accept=(200,))
        if not isinstance(answer, list):
            raise PermissionsUnavailable("the permission service answered no list of events")
        return [event for entry in answer if (event := read_event(entry, "poller")) is not None]

    async def publish(self, fact: StoredFact) -> None:
        """Tell it a fact of ours. The service drops a repeated (source, correlation_id), so this may repeat.

        Raises:
            PublicationRefused: it will never take it.
            PermissionsUnavailable: try again later.
        """
        body = {
            "event_type": fact.event_type,
            "source": SOURCE,
            "payload": {_snake(key): value for key, value in fact.payload.items()},
            "context": {
                "actor_id": str(fact.actor_id) if fact.actor_id else None,
                "actor_type": fact.actor_type,
                "correlation_id": fact.correlation_id,
            },
            "correlation_id": str(fact.event_id),
            "occurred_at": to_wire(fact.occurred_at),
        }
        response = await self._send("POST", "/api/v1/events", json=body)
        if response.status_code in (400, 413, 422):
            raise PublicationRefused(f"{response.status_code}: {response.text[:500]}")
        if response.status_code not in (200, 201):
            raise PermissionsUnavailable(f"the permission service answered {response.status_code}")

    async def ensure_entity(self, name: str, entity_type: str) -> EntityId:
        made = await self._send("POST", "/api/v1/entities", json={"name": name, "type": entity_type})
        if made.status_code == 201:
            return _entity_id(made.json())
        listed = await self._json("GET", "/api/v1/entities", params={"type": entity_type}, accept=(200,))
        for entry in listed if isinstance(listed, list) else []:
            if entry.get("name") == name:
                return _entity_id(entry)
        raise PermissionsUnavailable(f"the permission service did not make the entity ({made.status_code})")

    async def ensure_role(
        self, user_id: UserId, role: str, permissions: tuple[str, ...], entity_id: EntityId | None
    ) -> None:
        role_id = await self._ensure_role_exists(role, permissions)
        query = {"principal_id": str(user_id)}
        held = await self._json("GET", "/api/v1/assignments", params=query, accept=(200,))
        wanted = str(entity_id) if entity_id else None
        for entry in held if isinstance(held, list) else []:
            if (entry.get("role_id"), entry.get("entity_id"), entry.get("principal_type")) == (
                role_id,
                wanted,
                self._principal_type,
            ):
                return
        body = {"principal_id": str(user_id), "principal_type": self._principal_type, "role_id": role_id}
        if wanted:
            body["entity_id"] = wanted
        await self._json("POST", "/api/v1/assignments", json=body, accept=(201,))
        await self.forget(user_id)

    async def _ensure_role_exists(self, role: str, permissions: tuple[str, ...]) -> str:
        roles = await self._json("GET", "/api/v1/roles", accept=(200,))
        for entry in roles if isinstance(roles, list) else []:
            if entry.get("name") == role:
                missing = set(permissions) - set(entry.get("permissions", []))
                if missing:
                    every = sorted({*permissions, *entry.get("permissions", [])})
                    await self._json(
                        "PATCH", f"/api/v1/roles/{entry['id']}", json={"permissions": every}, accept=(200,)
                    )
                return str(entry["id"])
        body = {"name": role, "permissions": sorted(permissions), "scope_types": []}
        made = await self._json("POST", "/api/v1/roles", json=body, accept=(201,))
        return str(made["id"])

    async def _ask(self, key: str, user_id: UserId, action: Action, entity_id: EntityId) -> bool:
        body = {
            "user_id": str(user_id),
            "action": action.value,
            "resource_id": str(entity_id),
            "principal_type": self._principal_type,
        }
        try:
            async with asyncio.timeout(self._deadline_s), self._one_uncached:
                allowed = await self._authorize(body)
        except TimeoutError:
            PERMISSION_CHECKS.labels("unavailable").inc()
            raise PermissionsUnavailable(
                "the permission service does not answer in time", retry_after_s=2
            ) from None
        except PermissionsUnavailable:
            PERMISSION_CHECKS.labels("unavailable").inc()
            raise
        PERMISSION_CHECKS.labels("allowed" if allowed else "denied").inc()
        await self._remember(key, allowed)
        return allowed

    async def _authorize(self, body: dict[str, Any]) -> bool:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = await self._http.post("/api/v1/authorize", json=body)
            except httpx2.HTTPError:
                response = None
            if response is not None and response.status_code == 200:
                return _authorized(response)
            if response is not None and response.status_code in (400, 401, 403, 404, 422):
                return False
            if attempt < ATTEMPTS:
                await asyncio.sleep(random.uniform(0.02, 0.1) * 2**attempt)  # noqa: S311 - jitter
        raise PermissionsUnavailable("the permission service does not answer", retry_after_s=2)

    async def _remembered(self, key: str) -> bool | None:
        if self._cache is None:
            return None
        try:
            value = await self._cache.get(key)
        except (RedisError, OSError, TimeoutError):
            return None
        return {"true": True, "false": False}.get(value.decode() if isinstance(value, bytes) else value or "")

    async def _remember(self, key: str, allowed: bool) -> None:
        if self._cache is None:
            return
        try:
            ttl = ALLOW_TTL_S if allowed else DENY_TTL_S
            await self._cache.set(key, "true" if allowed else "false", ex=ttl)
        except (RedisError, OSError, TimeoutError):
            log.debug("permission_answer_not_cached")

    async def _json(self, method: str, path: str, *, accept: tuple[int, ...], **request: Any) -> Any:
        response = await self._send(method, path, **request)
        if response.status_code not in accept:
            raise PermissionsUnavailable(
                f"{method} {path}: the permission service answered {response.status_code}"
            )
        try:
            return response.json()
        except ValueError:
            raise PermissionsUnavailable("the permission service answered no JSON") from None

    async def _send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        started = time.monotonic()
        try:
            response = await self._http.request(method, path, **request)
        except httpx2.HTTPError as error:
            waited = round(time.monotonic() - started, 3)
            raise PermissionsUnavailable(
                f"the permission service does not answer ({type(error).__name__} after {waited} s)",
                retry_after_s=2,
            ) from None
        if len(response.content) > MAX_ANSWER_BYTES:
            raise PermissionsUnavailable("the permission service answered far too much")
        return response


def read_event(entry: Any, received_via: str) -> IncomingEvent | None:
    """Read an event in the service's shape; the actor stands in `context` or, on SNS, in `metadata`."""
    if not isinstance(entry, dict):
        return None
    event_id, event_type, source = entry.get("event_id"), entry.get("event_type"), entry.get("source")
    payload = entry.get("payload")
    context = {**_dict(entry.get("metadata")), **_dict(entry.get("context"))}
    if not (isinstance(event_id, str) and isinstance(event_type, str) and isinstance(source, str)):
        return None
    if not (1 <= len(event_id) <= 200 and 3 <= len(event_type) <= 128 and 1 <= len(source) <= 128):
        return None
    if not isinstance(payload, dict) or "\x00" in event_id + event_type + source:
        return None
    return IncomingEvent(event_id, event_type, source, payload, context, received_via)


def _authorized(response: httpx2.Response) -> bool:
    try:
        answer = response.json()
    except ValueError:
        return False
    # Only the JSON value `true` allows; "true", 1 and anything else do not.
    return isinstance(answer, dict) and answer.get("authorized") is True


def _entity_id(entry: Any) -> EntityId:
    found = parse_uuid(str(entry.get("id", ""))) if isinstance(entry, dict) else None
    if found is None:
        raise PermissionsUnavailable("the permission service answered no entity")
    return EntityId(found)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
