"""Roles over the wire, and the announcement that lets others drop what they remember."""

from uuid import uuid4

import httpx2
import pytest

from .support import Json, posted

ROLES = "/api/v1/roles"


async def updates(client: httpx2.AsyncClient) -> list[Json]:
    answer = await client.get("/api/v1/events", params={"event_type": "role.updated"})
    found: list[Json] = answer.json()
    return found


async def test_role_is_created_and_listed(client: httpx2.AsyncClient) -> None:
    answer = await client.post(
        ROLES,
        json={"name": "officer", "permissions": ["market.reject", "market.approve", "market.approve"]},
    )
    assert answer.status_code == 201
    role = answer.json()
    assert set(role) == {
        "id",
        "name",
        "description",
        "scope_types",
        "is_system",
        "permissions",
        "created_at",
        "updated_at",
    }
    assert role["permissions"] == ["market.approve", "market.reject"]
    assert role["is_system"] is False
    assert (await client.get(ROLES)).json() == [role]


async def test_role_is_refused_when_its_name_is_taken(client: httpx2.AsyncClient) -> None:
    await posted(client, ROLES, {"name": "officer"})
    again = await client.post(ROLES, json={"name": "officer"})
    assert again.status_code == 409
    assert again.json() == {"detail": "Role 'officer' already exists"}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "no"},
        {"name": "x" * 121},
        {"name": "role", "description": "x" * 513},
        {"name": "role", "permissions": ["x" * 256]},
        {"name": "role", "permissions": ["x"] * 501},
        {"name": "role", "scope_types": ["x" * 65]},
    ],
)
async def test_role_is_refused_with_400_when_out_of_bounds(client: httpx2.AsyncClient, body: Json) -> None:
    assert (await client.post(ROLES, json=body)).status_code == 400


async def test_update_replaces_permissions_and_is_announced(client: httpx2.AsyncClient) -> None:
    role = await posted(client, ROLES, {"name": "officer", "scope_types": ["spv"], "permissions": ["a", "b"]})
    answer = await client.patch(f"{ROLES}/{role['id']}", json={"permissions": ["c"], "scope_types": None})
    assert answer.status_code == 200
    assert answer.json()["permissions"] == ["c"]
    assert answer.json()["scope_types"] == []
    (event,) = await updates(client)
    assert event["source"] == "entity_permissions_core"
    assert event["payload"]["role_id"] == role["id"]
    assert event["payload"]["principal_id"] is None
    assert event["payload"]["entity_id"] is None


async def test_update_that_changes_nothing_is_not_announced(client: httpx2.AsyncClient) -> None:
    role = await posted(client, ROLES, {"name": "officer", "permissions": ["a", "b"]})
    answer = await client.patch(f"{ROLES}/{role['id']}", json={"permissions": ["b", "a", "a"]})
    assert answer.json() == role
    untouched = await client.patch(f"{ROLES}/{role['id']}", json={"permissions": None})
    assert untouched.json()["permissions"] == ["a", "b"]
    assert await updates(client) == []


async def test_update_of_an_unknown_role_is_404(client: httpx2.AsyncClient) -> None:
    role_id = str(uuid4())
    answer = await client.patch(f"{ROLES}/{role_id}", json={})
    assert answer.status_code == 404
    assert answer.json() == {"detail": f"Role {role_id} not found"}
