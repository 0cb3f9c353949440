"""Who may do what: the rules as a table, and the answers over the wire."""

from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest

from deedbook.permissions.authorize import covers

from .support import Json, TurnedClock, posted

ACTION = "market.register"


class World:
    """A tree of three entities (issuer, spv, offering), one apart, and one principal."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self.principal_id = str(uuid4())
        self.ids: dict[str, str | None] = {"everywhere": None}

    async def build(self) -> "World":
        for name, kind, parent in (
            ("issuer", "issuer", None),
            ("spv", "spv", "issuer"),
            ("offering", "offering", "spv"),
            ("apart", "issuer", None),
        ):
            body = {"name": name, "type": kind, "parent_id": self.ids[parent] if parent else None}
            self.ids[name] = (await posted(self._client, "/api/v1/entities", body))["id"]
        return self

    async def grant(self, on: str, **changes: object) -> str:
        role = {"name": f"role {uuid4()}", "permissions": [ACTION], "scope_types": changes.pop("scope", [])}
        role_id = (await posted(self._client, "/api/v1/roles", role))["id"]
        body = {"principal_id": self.principal_id, "role_id": role_id, "entity_id": self.ids[on], **changes}
        assignment_id: str = (await posted(self._client, "/api/v1/assignments", body))["id"]
        return assignment_id

    async def archive(self, name: str) -> None:
        await posted(self._client, f"/api/v1/entities/{self.ids[name]}/archive", {})

    async def may(self, on: str, **changes: object) -> bool:
        body: Json = {"user_id": self.principal_id, "action": ACTION, "resource_id": self.ids[on], **changes}
        answer = await self._client.post("/api/v1/authorize", json=body)
        assert answer.status_code == 200
        assert set(answer.json()) == {"authorized"}
        authorized: bool = answer.json()["authorized"]
        return authorized


@pytest.fixture
async def world(client: httpx2.AsyncClient) -> World:
    return await World(client).build()


@pytest.mark.parametrize(
    ("granted_on", "scope", "asked_on", "expected"),
    [
        ("issuer", [], "issuer", True),
        ("issuer", [], "spv", True),
        ("issuer", [], "offering", True),
        ("issuer", [], "apart", False),
        ("offering", [], "spv", False),
        ("offering", [], "issuer", False),
        ("everywhere", [], "offering", True),
        ("everywhere", [], "apart", True),
        ("everywhere", ["spv"], "spv", True),
        ("everywhere", ["spv"], "offering", False),
        ("issuer", ["issuer", "offering"], "offering", True),
        ("issuer", ["issuer"], "offering", False),
    ],
)
async def test_rules(world: World, granted_on: str, scope: list[str], asked_on: str, expected: bool) -> None:
    assert await world.may(asked_on) is False
    await world.grant(granted_on, scope=scope)
    assert await world.may(asked_on) is expected


async def test_another_action_principal_or_type_is_not_authorized(world: World) -> None:
    await world.grant("issuer")
    assert await world.may("issuer", action="market.approve") is False
    assert await world.may("issuer", user_id=str(uuid4())) is False
    assert await world.may("issuer", principal_type="admin") is False
    assert await world.may("issuer", context={"roles": ["admin"]}) is True


async def test_assignment_counts_from_its_start_until_its_end(world: World, clock: TurnedClock) -> None:
    start, end = clock.now + timedelta(seconds=10), clock.now + timedelta(seconds=20)
    await world.grant("issuer", effective_at=start.isoformat(), expires_at=end.isoformat())
    seen = []
    for _ in range(4):
        seen.append(await world.may("issuer"))
        clock.turn(seconds=9.999999)
        seen.append(await world.may("issuer"))
        clock.turn(seconds=0.000001)
    assert seen == [False, False, True, True, False, False, False, False]


async def test_archived_entity_authorizes_nobody(world: World) -> None:
    await world.grant("everywhere")
    await world.grant("spv")
    await world.archive("spv")
    assert await world.may("spv") is False
    assert await world.may("offering") is True  # by the assignment that holds everywhere


async def test_grants_do_not_reach_through_an_archived_entity(world: World) -> None:
    await world.grant("issuer")
    await world.grant("spv")
    assert await world.may("offering") is True
    await world.archive("spv")
    assert await world.may("offering") is False


async def test_revoking_takes_effect_at_once(world: World, client: httpx2.AsyncClient) -> None:
    assignment_id = await world.grant("issuer")
    assert await world.may("offering") is True
    await client.delete(f"/api/v1/assignments/{assignment_id}")
    assert await world.may("offering") is False


async def test_unknown_entity_is_404(client: httpx2.AsyncClient) -> None:
    entity_id = str(uuid4())
    body = {"user_id": str(uuid4()), "action": ACTION, "resource_id": entity_id}
    answer = await client.post("/api/v1/authorize", json=body)
    assert answer.status_code == 404
    assert answer.json() == {"detail": f"Entity {entity_id} not found"}


async def test_other_field_names_are_refused_with_400(client: httpx2.AsyncClient) -> None:
    body = {"principalId": str(uuid4()), "entityId": str(uuid4()), "action": ACTION}
    answer = await client.post("/api/v1/authorize", json=body)
    assert answer.status_code == 400
    missing = {tuple(problem["loc"]) for problem in answer.json()["detail"]}
    assert missing == {("body", "user_id"), ("body", "resource_id")}


@pytest.mark.parametrize("change", [{"user_id": "api-key-admin"}, {"principal_type": "x" * 65}])
async def test_malformed_question_is_refused_with_400(client: httpx2.AsyncClient, change: Json) -> None:
    body = {"user_id": str(uuid4()), "action": ACTION, "resource_id": str(uuid4()), **change}
    assert (await client.post("/api/v1/authorize", json=body)).status_code == 400


@pytest.mark.parametrize(
    ("scope_types", "expected"), [([], True), (["spv"], True), (["issuer"], False), (["issuer", "spv"], True)]
)
def test_role_covers_its_scope_types(scope_types: list[str], expected: bool) -> None:
    assert covers(scope_types, "spv") is expected
