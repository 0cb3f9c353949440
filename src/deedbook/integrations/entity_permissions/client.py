"""The Entity Permissions Core over HTTP, in its own words.

What the real service does to its callers, and what we do about it: uncached calls fail under concurrency
(one in flight, single-flight per question, bounded retry with jitter); it answers 400 for what it cannot
read and 404 for entities it does not know (not allowed); it goes away (nobody is allowed meanwhile, and
callers hear 503 in bounded time). It has no authentication of its own: its network must be private.
"""

import asyncio
import hashlib
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import httpx2
import redis.asyncio
import structlog
from redis.exceptions import RedisError

from deedbook.identity.errors import PermissionsUnavailable
from deedbook.identity.terms import Action
from deedbook.infra.inbox import IncomingEvent
from deedbook.infra.outbox import StoredFact
from deedbook.infra.telemetry import PERMISSION_CHECKS
from deedbook.integrations.answers import Answer, NoAnswer, ask
from deedbook.kernel.clock import to_wire
from deedbook.kernel.ids import EntityId, UserId, parse_uuid

log = structlog.get_logger(__name__)
_Found = TypeVar("_Found")

SOURCE = "deedbook"
ALLOW_TTL_S = 300
DENY_TTL_S = 30
CACHE_TIMEOUT_S = 0.25
CACHE_AWAY_S = 2.0
"""How long a cache that did not answer is left alone: each question would pay for asking it again."""
ATTEMPTS = 4
POLL_LIMIT = 200
MAX_ANSWER_BYTES = 8 * 1024 * 1024
MAX_VERDICT_BYTES = 64 * 1024
MAX_WAITING = 500
"""Questions that may wait for their turn. More could not be answered in time, one after the other."""
_NOT_ALLOWED = frozenset({400, 401, 403, 404, 422})


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
        self._url = base_url.rstrip("/")
        self._http = httpx2.AsyncClient(
            timeout=timeout_s, trust_env=False, transport=transport, follow_redirects=False
        )
        self._cache = cache
        self._cache_away_until = 0.0
        self._principal_type = principal_type
        self._timeout_s = timeout_s
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
            if len(self._flights) >= MAX_WAITING:
                PERMISSION_CHECKS.labels("unavailable").inc()
                raise PermissionsUnavailable(
                    "too many questions wait for the permission service", retry_after_s=2
                )
            flight = asyncio.create_task(self._ask(key, user_id, action, entity_id))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        # A caller that goes away must not take the others' answer with it.
        return await asyncio.shield(flight)

    def _landed(self, key: str, flight: asyncio.Task[bool]) -> None:
        self._flights.pop(key, None)
        if not flight.cancelled():
            flight.exception()  # looked at here in case all who asked have gone

    async def forget(self, user_id: UserId | None) -> None:
        """Drop what is remembered of a user, or of everybody."""
        if self._cache is None:
            return
        try:
            # The mark outlives every question under way: what was asked before it is not remembered after it.
            await self._cache.set(_forgotten(user_id), "1", ex=math.ceil(self._deadline_s) + 1)
            pattern = f"auth:{user_id}:*" if user_id is not None else "auth:*"
            async for key in self._cache.scan_iter(match=pattern, count=500):
                await self._cache.delete(key)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("permission_cache_not_dropped", error=str(error), kept_at_most_s=ALLOW_TTL_S)

    async def recent(self, event_type: str, source: str) -> list[IncomingEvent]:
        # By source, or our own publications would push others' decisions out of the window.
        query = {"event_type": event_type, "source": source, "limit": str(POLL_LIMIT)}
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
        answer = await self._send("POST", "/api/v1/events", json=body)
        if answer.status in (400, 413, 422):
            raise PublicationRefused(f"{answer.status}: {answer.body[:500].decode(errors='replace')}")
        if answer.status not in (200, 201):
            raise PermissionsUnavailable(f"the permission service answered {answer.status}")

    async def ensure_entity(self, name: str, entity_type: str) -> EntityId:
        async def work() -> EntityId:
            body = {"name": name, "type": entity_type}
            made = await self._send("POST", "/api/v1/entities", json=body)
            if made.status == 201:
                return EntityId(_id_of(_read(made)))
            query = {"type": entity_type}
            for entry in _entries(await self._json("GET", "/api/v1/entities", params=query, accept=(200,))):
                if entry.get("name") == name:
                    return EntityId(_id_of(entry))
            raise PermissionsUnavailable(f"the permission service did not make the entity ({made.status})")

        return await _patiently(work)

    async def ensure_role(
        self, user_id: UserId, role: str, permissions: tuple[str, ...], entity_id: EntityId | None
    ) -> None:
        role_id = await _patiently(lambda: self._ensure_role_exists(role, permissions))
        await _patiently(lambda: self._ensure_assigned(user_id, role_id, entity_id))
        await self.forget(user_id)

    async def _ensure_role_exists(self, role: str, permissions: tuple[str, ...]) -> UUID:
        for entry in _entries(await self._json("GET", "/api/v1/roles", accept=(200,))):
            if entry.get("name") != role:
                continue
            role_id, held = _id_of(entry), set(entry.get("permissions", []))
            if not held.issuperset(permissions):
                body: dict[str, Any] = {"permissions": sorted(held | set(permissions))}
                await self._json("PATCH", f"/api/v1/roles/{role_id}", json=body, accept=(200,))
            return role_id
        body = {"name": role, "permissions": sorted(permissions), "scope_types": []}
        return _id_of(await self._json("POST", "/api/v1/roles", json=body, accept=(201,)))

    async def _ensure_assigned(self, user_id: UserId, role_id: UUID, entity_id: EntityId | None) -> None:
        wanted = {
            "principal_id": str(user_id),
            "principal_type": self._principal_type,
            "role_id": str(role_id),
            "entity_id": str(entity_id) if entity_id else None,
        }
        query = {"principal_id": str(user_id)}
        for entry in _entries(await self._json("GET", "/api/v1/assignments", params=query, accept=(200,))):
            if all(entry.get(name) == value for name, value in wanted.items()):
                return
        await self._json("POST", "/api/v1/assignments", json=wanted, accept=(201,))

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
        await self._remember(key, user_id, allowed)
        return allowed

    async def _authorize(self, body: dict[str, Any]) -> bool:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await ask(
                    self._http,
                    "POST",
                    f"{self._url}/api/v1/authorize",
                    within_s=self._timeout_s,
                    at_most=MAX_VERDICT_BYTES,
                    json=body,
                )
                if answer.status in _NOT_ALLOWED:
                    return False
                if answer.status == 200:
                    return _verdict(_read(answer))
            except NoAnswer:
                log.debug("permission_question_unanswered", attempt=attempt)
            if attempt < ATTEMPTS:
                await asyncio.sleep(_pause_s(attempt))
        raise PermissionsUnavailable("the permission service does not answer", retry_after_s=2)

    async def _remembered(self, key: str) -> bool | None:
        if self._cache is None or time.monotonic() < self._cache_away_until:
            return None
        try:
            async with asyncio.timeout(CACHE_TIMEOUT_S):
                value = await self._cache.get(key)
        except (RedisError, OSError, TimeoutError):
            self._cache_away_until = time.monotonic() + CACHE_AWAY_S
            return None
        return {"true": True, "false": False}.get(value.decode() if isinstance(value, bytes) else value or "")

    async def _remember(self, key: str, user_id: UserId, allowed: bool) -> None:
        if self._cache is None or time.monotonic() < self._cache_away_until:
            return
        ttl = ALLOW_TTL_S if allowed else DENY_TTL_S
        try:
            async with asyncio.timeout(CACHE_TIMEOUT_S):
                await self._cache.set(key, "true" if allowed else "false", ex=ttl)
                # Written first, then looked: whoever forgets marks first, then drops. One of us sees the other.
                if await self._cache.exists(_forgotten(user_id), _forgotten(None)):
                    await self._cache.delete(key)
        except (RedisError, OSError, TimeoutError):
            self._cache_away_until = time.monotonic() + CACHE_AWAY_S

    async def _json(self, method: str, path: str, *, accept: tuple[int, ...], **request: Any) -> Any:
        answer = await self._send(method, path, **request)
        if answer.status not in accept:
            raise PermissionsUnavailable(f"{method} {path}: the permission service answered {answer.status}")
        return _read(answer)

    async def _send(self, method: str, path: str, **request: Any) -> Answer:
        try:
            return await ask(
                self._http,
                method,
                f"{self._url}{path}",
                within_s=self._timeout_s * 2,
                at_most=MAX_ANSWER_BYTES,
                **request,
            )
        except NoAnswer as nothing:
            raise PermissionsUnavailable(f"the permission service: {nothing}", retry_after_s=2) from None


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


def _verdict(answer: Any) -> bool:
    """Only the JSON values `true` and `false` are answers; "true", 1 and anything else are none."""
    said = answer.get("authorized") if isinstance(answer, dict) else None
    if not isinstance(said, bool):
        raise PermissionsUnavailable("the permission service answered neither yes nor no")
    return said


def _forgotten(user_id: UserId | None) -> str:
    return f"auth-forgotten:{user_id or 'all'}"


def _read(answer: Answer) -> Any:
    try:
        return answer.json()
    except NoAnswer:
        raise PermissionsUnavailable("the permission service answered no JSON") from None


def _entries(answer: Any) -> list[dict[str, Any]]:
    return [entry for entry in answer if isinstance(entry, dict)] if isinstance(answer, list) else []


def _id_of(entry: Any) -> UUID:
    found = parse_uuid(str(entry.get("id", ""))) if isinstance(entry, dict) else None
    if found is None:
        raise PermissionsUnavailable("the permission service answered without an id")
    return found


async def _patiently(work: Callable[[], Awaitable[_Found]]) -> _Found:
    """Do it again after a failure: all of it looks first, and the service fails whoever comes second."""
    for attempt in range(1, ATTEMPTS):
        try:
            return await work()
        except PermissionsUnavailable:
            await asyncio.sleep(_pause_s(attempt))
    return await work()


def _pause_s(attempt: int) -> float:
    return float(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311 - jitter


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
