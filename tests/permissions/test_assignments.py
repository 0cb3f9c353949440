"""Assignments over the wire: granted once, renewed after their end, revoked, and announced each time."""

from uuid import uuid4

import httpx2
import pytest

from .support import Json, TurnedClock, posted

ASSIGNMENTS = "/api/v1/assignments"


async def changes(client: httpx2.AsyncClient) -> list[Json]:
    answer = await client.get("/api/v1/events", params={"event_type": "role.assignment.changed"})
    found: list[Json] = answer.json()
    return found


@pytest.fixture
async def role_id(client: httpx2.AsyncClient) -> str:
    body = {"name": "issuer role", "scope_types": ["issuer"], "permissions": ["market.register"]}
    role_id: str = (await posted(client, "/api/v1/roles", body))["id"]
    return role_id


@pytest.fixture
async def issuer_id(client: httpx2.AsyncClient) -> str:
    issuer_id: str = (await posted(client, "/api/v1/entities", {"name": "I", "type": "issuer"}))["id"]
    return issuer_id


async def test_assignment_is_created_listed_and_announced(
    client: httpx2.AsyncClient, role_id: str, issuer_id: str
) -> None:
    grant = {"principal_id": str(uuid4()), "role_id": role_id, "entity_id": issuer_id}
    answer = await client.post(ASSIGNMENTS, json=grant)
    assert answer.status_code == 201
    assignment = answer.json()
    assert {name: assignment[name] for name in grant} == grant
    assert assignment["principal_type"] == "user"
    assert assignment["expires_at"] is None
    for params in ({}, {"principal_id": grant["principal_id"]}, {"entity_id": issuer_id}):
        assert (await client.get(ASSIGNMENTS, params=params)).json() == [assignment]
    for params in ({"principal_id": str(uuid4())}, {"entity_id": str(uuid4())}):
        assert (await client.get(ASSIGNMENTS, params=params)).json() == []
    (event,) = await changes(client)
    assert event["payload"] == {
        "assignment_id": assignment["id"],
        "role_id": role_id,
        "principal_id": grant["principal_id"],
        "principal_type": "user",
        "entity_id": issuer_id,
        "change": "assigned",
    }


@pytest.mark.parametrize("everywhere", [True, False])
async def test_second_assignment_gives_the_first(
    client: httpx2.AsyncClient, role_id: str, issuer_id: str, everywhere: bool
) -> None:
    entity_id = None if everywhere else issuer_id
    grant = {"principal_id": str(uuid4()), "role_id": role_id, "entity_id": entity_id}
    first = await posted(client, ASSIGNMENTS, grant)
    again = await client.post(ASSIGNMENTS, json=grant)
    assert again.status_code == 201
    assert again.json() == first
    assert len(await changes(client)) == 1


async def test_expired_assignment_is_renewed_in_place(
    client: httpx2.AsyncClient, role_id: str, clock: TurnedClock
) -> None:
    end = (clock.now.replace(tzinfo=None)).isoformat()
    grant = {"principal_id": str(uuid4()), "role_id": role_id}
    first = await posted(client, ASSIGNMENTS, {**grant, "expires_at": end})
    clock.turn(seconds=1)
    renewed = await posted(client, ASSIGNMENTS, grant)
    assert renewed["id"] == first["id"]
    assert renewed["expires_at"] is None
    assert [event["payload"]["change"] for event in await changes(client)] == ["renewed", "assigned"]


async def test_assignment_is_refused_when_role_entity_or_scope_does_not_fit(
    client: httpx2.AsyncClient, role_id: str
) -> None:
    principal_id, unknown = str(uuid4()), str(uuid4())
    no_role = await client.post(ASSIGNMENTS, json={"principal_id": principal_id, "role_id": unknown})
    assert no_role.status_code == 404
    assert no_role.json() == {"detail": f"Role {unknown} not found"}
    grant = {"principal_id": principal_id, "role_id": role_id}
    no_entity = await client.post(ASSIGNMENTS, json={**grant, "entity_id": unknown})
    assert no_entity.status_code == 400
    assert no_entity.json() == {"detail": f"Entity {unknown} not found for assignment"}
    spv = await posted(client, "/api/v1/entities", {"name": "S", "type": "spv"})
    out_of_scope = await client.post(ASSIGNMENTS, json={**grant, "entity_id": spv["id"]})
    assert out_of_scope.status_code == 400
    assert out_of_scope.json() == {"detail": "Role issuer role cannot be assigned to entity type spv"}


@pytest.mark.parametrize(
    "change",
    [
        {"principal_id": "me"},
        {"principal_type": "x" * 65},
        {"expires_at": "soon"},
        {"expires_at": "0001-01-01T00:00:00+14:00"},
    ],
)
async def test_assignment_is_refused_with_400_when_malformed(
    client: httpx2.AsyncClient, role_id: str, change: Json
) -> None:
    grant = {"principal_id": str(uuid4()), "role_id": role_id, **change}
    assert (await client.post(ASSIGNMENTS, json=grant)).status_code == 400


async def test_revoking_is_announced_and_cannot_be_repeated(client: httpx2.AsyncClient, role_id: str) -> None:
    grant = {"principal_id": str(uuid4()), "role_id": role_id}
    assignment_id = (await posted(client, ASSIGNMENTS, grant))["id"]
    answer = await client.delete(f"{ASSIGNMENTS}/{assignment_id}")
    assert answer.status_code == 200
    assert answer.json() == {"status": "revoked", "assignment_id": assignment_id}
    again = await client.delete(f"{ASSIGNMENTS}/{assignment_id}")
    assert again.status_code == 400
    assert again.json() == {"detail": f"Assignment {assignment_id} not found"}
    assert [event["payload"]["change"] for event in await changes(client)] == ["revoked", "assigned"]
