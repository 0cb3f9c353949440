"""Entities over the wire: creation, reading, changes, and what changes announce."""

from uuid import uuid4

import httpx2
import pytest

from .support import Json, TurnedClock, posted

ENTITIES = "/api/v1/entities"


async def announced(client: httpx2.AsyncClient, event_type: str) -> list[Json]:
    answer = await client.get("/api/v1/events", params={"event_type": event_type})
    found: list[Json] = answer.json()
    return found


async def test_entity_is_created_and_read_back(client: httpx2.AsyncClient) -> None:
    parent = await posted(client, ENTITIES, {"name": "Holding", "type": "issuer"})
    answer = await client.post(
        ENTITIES,
        json={
            "name": "Tower",
            "type": "offering",
            "parent_id": parent["id"],
            "attributes": {"valuation": "1.10"},
        },
    )
    assert answer.status_code == 201
    entity = answer.json()
    assert set(entity) == {
        "id",
        "name",
        "type",
        "status",
        "parent_id",
        "attributes",
        "created_at",
        "updated_at",
    }
    assert entity["status"] == "active"
    assert entity["attributes"] == {"valuation": "1.10"}
    assert (await client.get(f"{ENTITIES}/{entity['id']}")).json() == entity


async def test_entity_is_refused_when_name_and_type_are_taken(client: httpx2.AsyncClient) -> None:
    await posted(client, ENTITIES, {"name": "Twin", "type": "issuer"})
    again = await client.post(ENTITIES, json={"name": "Twin", "type": "issuer"})
    assert again.status_code == 409
    assert again.json() == {"detail": "Entity 'Twin' of type 'issuer' already exists"}
    await posted(client, ENTITIES, {"name": "Twin", "type": "spv"})


async def test_entity_is_refused_when_its_parent_is_unknown(client: httpx2.AsyncClient) -> None:
    parent_id = str(uuid4())
    answer = await client.post(ENTITIES, json={"name": "Orphan", "type": "spv", "parent_id": parent_id})
    assert answer.status_code == 404
    assert answer.json() == {"detail": f"Entity {parent_id} not found"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x", "type": "castle"},
        {"name": "x" * 256, "type": "issuer"},
        {"name": "x", "type": "issuer", "parent_id": "no uuid"},
        {"name": "x", "type": "issuer", "attributes": []},
    ],
)
async def test_entity_is_refused_with_400_when_malformed(client: httpx2.AsyncClient, body: Json) -> None:
    answer = await client.post(ENTITIES, json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"][0]["loc"][0] == "body"


async def test_unknown_entity_is_404_and_malformed_id_400(client: httpx2.AsyncClient) -> None:
    unknown = str(uuid4())
    for method, path in (("GET", unknown), ("PATCH", unknown), ("POST", f"{unknown}/archive")):
        answer = await client.request(method, f"{ENTITIES}/{path}", json={})
        assert answer.status_code == 404
        assert answer.json() == {"detail": f"Entity {unknown} not found"}
    assert (await client.get(f"{ENTITIES}/no-uuid")).status_code == 400


async def test_list_is_newest_first_filtered_and_without_archived(
    client: httpx2.AsyncClient, clock: TurnedClock
) -> None:
    made = []
    for name, kind in (("a", "issuer"), ("b", "spv"), ("c", "issuer"), ("d", "agent")):
        made.append(await posted(client, ENTITIES, {"name": name, "type": kind}))
        clock.turn(seconds=1)
    child = await posted(client, ENTITIES, {"name": "e", "type": "spv", "parent_id": made[0]["id"]})
    await client.post(f"{ENTITIES}/{made[2]['id']}/archive")

    async def names(**params: object) -> list[str]:
        answer = await client.get(ENTITIES, params=params)  # type: ignore[arg-type]
        return [entity["name"] for entity in answer.json()]

    assert await names() == ["e", "d", "b", "a"]
    assert await names(type=["issuer", "agent"]) == ["d", "a"]
    assert await names(parent_id=made[0]["id"]) == [child["name"]]
    assert await names(limit=1, offset=1) == ["d"]
    assert (await client.get(ENTITIES, params={"type": "castle"})).status_code == 400
    assert (await client.get(ENTITIES, params={"limit": 1001})).status_code == 400


async def test_patch_changes_only_what_was_sent(client: httpx2.AsyncClient) -> None:
    entity = await posted(client, ENTITIES, {"name": "Old", "type": "spv", "attributes": {"a": "1"}})
    answer = await client.patch(f"{ENTITIES}/{entity['id']}", json={"name": "New"})
    assert answer.status_code == 200
    assert answer.json()["name"] == "New"
    assert answer.json()["attributes"] == {"a": "1"}
    assert await announced(client, "entity.updated") == []


@pytest.mark.parametrize("body", [{"type": "spv"}, {"name": None}, {"status": None}, {"attributes": None}])
async def test_patch_is_refused_when_a_field_is_unknown_or_null(
    client: httpx2.AsyncClient, body: Json
) -> None:
    entity = await posted(client, ENTITIES, {"name": "Kept", "type": "issuer"})
    assert (await client.patch(f"{ENTITIES}/{entity['id']}", json=body)).status_code == 400


async def test_patch_is_refused_when_the_name_is_taken_or_parents_form_a_loop(
    client: httpx2.AsyncClient,
) -> None:
    top = await posted(client, ENTITIES, {"name": "Top", "type": "issuer"})
    below = await posted(client, ENTITIES, {"name": "Below", "type": "issuer", "parent_id": top["id"]})
    taken = await client.patch(f"{ENTITIES}/{below['id']}", json={"name": "Top"})
    assert taken.status_code == 409
    for parent in (below["id"], top["id"]):
        loop = await client.patch(f"{ENTITIES}/{top['id']}", json={"parent_id": parent})
        assert loop.status_code == 400


async def test_archiving_is_announced_once(client: httpx2.AsyncClient) -> None:
    entity = await posted(client, ENTITIES, {"name": "Ended", "type": "issuer"})
    for _ in range(2):
        answer = await client.post(f"{ENTITIES}/{entity['id']}/archive")
        assert answer.status_code == 200
        assert answer.json()["status"] == "archived"
    (event,) = await announced(client, "entity.archived")
    assert event["source"] == "entity_permissions_core"
    assert event["payload"]["entity_id"] == entity["id"]


async def test_new_parent_or_status_is_announced_with_the_actor(client: httpx2.AsyncClient) -> None:
    actor_id = str(uuid4())
    top = await posted(client, ENTITIES, {"name": "Top", "type": "issuer"})
    entity = await posted(client, ENTITIES, {"name": "Moved", "type": "spv"})
    moved = await client.patch(
        f"{ENTITIES}/{entity['id']}", json={"parent_id": top["id"]}, headers={"X-Actor-Id": actor_id}
    )
    assert moved.status_code == 200
    (event,) = await announced(client, "entity.updated")
    assert event["payload"] == {"entity_id": entity["id"], "entity_type": "spv", "principal_id": None}
    assert event["context"] == {"actor_id": actor_id}
    bad = await client.patch(f"{ENTITIES}/{entity['id']}", json={}, headers={"X-Actor-Id": "me"})
    assert bad.status_code == 400
