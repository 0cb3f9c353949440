"""The far side of the permission adapter: the Entity Permissions Core's wire, in memory, with its faults on demand."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2


@dataclass
class FakePermissions:
    """Answers what it was told to allow. `down`, `slow_s` and `broken` make it misbehave."""

    allowed: set[tuple[str, str, str]] = field(default_factory=set)
    allow_all: bool = False
    down: bool = False
    slow_s: float = 0.0
    fail_next: int = 0
    broken: Any = None
    events: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    entities: list[dict[str, Any]] = field(default_factory=list)
    roles: list[dict[str, Any]] = field(default_factory=list)
    assignments: list[dict[str, Any]] = field(default_factory=list)

    def allow(self, user_id: UUID, action: str, entity_id: UUID) -> None:
        self.allowed.add((str(user_id), action, str(entity_id)))

    def publish(
        self, event_type: str, payload: dict[str, Any], actor_id: UUID, **more: Any
    ) -> dict[str, Any]:
        """Put an event where the poller finds it; the event."""
        event = {
            "event_id": str(uuid4()),
            "event_type": event_type,
            "source": "entity_permissions_core",
            "occurred_at": datetime.now(UTC).isoformat(),
            "schema_version": "v1",
            "payload": payload,
            "context": {"actor_id": str(actor_id)},
            **more,
        }
        self.events.append(event)
        return event

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self._handle)

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        if self.down:
            raise httpx2.ConnectError("refused")
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.slow_s:
                await asyncio.sleep(self.slow_s)
            if self.fail_next > 0:
                self.fail_next -= 1
                return httpx2.Response(500, text="Internal Server Error")
            return self._answer(request)
        finally:
            self.in_flight -= 1

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if self.broken is not None:
            return httpx2.Response(200, json=self.broken)
        path, body = request.url.path, json.loads(request.content or b"{}")
        if path == "/api/v1/authorize":
            self.asked.append(body)
            return httpx2.Response(200, json={"authorized": self._authorized(body)})
        if path == "/api/v1/events" and request.method == "POST":
            return httpx2.Response(201, json=self._take(body))
        if path == "/api/v1/events":
            wanted = request.url.params.get("event_type")
            source = request.url.params.get("source")
            found = [
                event
                for event in reversed(self.events)
                if event["event_type"] == wanted and source in (None, event["source"])
            ]
            return httpx2.Response(200, json=found[:200])
        if path == "/healthz":
            return httpx2.Response(200, json={"status": "ok"})
        return self._provision(request.method, path, request.url.params, body)

    def _authorized(self, body: dict[str, Any]) -> bool:
        if self.allow_all or (body["user_id"], body["action"], body["resource_id"]) in self.allowed:
            return True
        permissions = {role["id"]: role["permissions"] for role in self.roles}
        known = any(entity["id"] == body["resource_id"] for entity in self.entities)
        return known and any(
            held["principal_id"] == body["user_id"]
            and held["principal_type"] == body["principal_type"]
            and held["entity_id"] in (None, body["resource_id"])
            and body["action"] in permissions[held["role_id"]]
            for held in self.assignments
        )

    def _take(self, body: dict[str, Any]) -> dict[str, Any]:
        """A repeated (source, correlation_id) answers with the first event."""
        sender = (body["source"], body.get("correlation_id"))
        for event in self.events:
            if sender[1] is not None and (event["source"], event.get("correlation_id")) == sender:
                return event
        self.events.append({"payload": {}, "context": {}, **body, "event_id": str(uuid4())})
        return self.events[-1]

    def _provision(
        self, method: str, path: str, query: httpx2.QueryParams, body: dict[str, Any]
    ) -> httpx2.Response:
        kind, _, named = path.removeprefix("/api/v1/").partition("/")
        rows = {"entities": self.entities, "roles": self.roles, "assignments": self.assignments}.get(kind)
        if rows is None:
            return httpx2.Response(404, json={"detail": "Not Found"})
        if method == "GET":
            found = [row for row in rows if all(row.get(name) == value for name, value in query.items())]
            return httpx2.Response(200, json=found)
        if method == "PATCH":
            row = next(row for row in rows if row["id"] == named)
            row.update(body)
            return httpx2.Response(200, json=row)
        unique = {
            "entities": ("name", "type"),
            "roles": ("name",),
            "assignments": ("principal_id", "principal_type", "role_id", "entity_id"),
        }[kind]
        if any(all(row.get(name) == body.get(name) for name in unique) for row in rows):
            return httpx2.Response(409, json={"detail": "already exists"})
        rows.append({"id": str(uuid4()), **body})
        return httpx2.Response(201, json=rows[-1])
