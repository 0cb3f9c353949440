"""What we rely on in the permission service: the same expectations of our fake, of the service that we bring,
and of the published one where `DEEDBOOK_TEST_ENTITY_PERMISSIONS_URL` says where it runs."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from deedbook.identity.terms import Action
from deedbook.infra.outbox import Cursor, StoredFact
from deedbook.integrations.entity_permissions.client import SOURCE, EntityPermissionsClient
from deedbook.kernel.ids import EntityId, EventId, UserId
from tests.permissions.support import config_in, served_in_thread
from tests.support.fake_permissions import FakePermissions
from tests.support.servers import free_port

PUBLISHED = os.environ.get("DEEDBOOK_TEST_ENTITY_PERMISSIONS_URL", "")
CORE = "entity_permissions_core"
MARKET_ACTIONS = tuple(action.value for action in Action)


@pytest.fixture(scope="module", params=["fake", "ours", "published"])
def far_side(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, httpx2.AsyncBaseTransport | None]]:
    match request.param:
        case "fake":
            yield "http://permissions.test", FakePermissions().transport
        case "ours":
            config = config_in(tmp_path_factory.mktemp("permissions"), port=free_port())
            with served_in_thread(config) as url:
                yield url, None
        case _:
            if not PUBLISHED:
                pytest.skip("DEEDBOOK_TEST_ENTITY_PERMISSIONS_URL is not set")
            yield PUBLISHED, None


@pytest.fixture
async def client(
    far_side: tuple[str, httpx2.AsyncBaseTransport | None],
) -> AsyncIterator[EntityPermissionsClient]:
    url, transport = far_side
    made = EntityPermissionsClient(url, None, timeout_s=5, transport=transport)
    yield made
    await made.close()


@pytest.fixture
async def raw(far_side: tuple[str, httpx2.AsyncBaseTransport | None]) -> AsyncIterator[httpx2.AsyncClient]:
    """The service's own words, for what people do to it by hand."""
    url, transport = far_side
    async with httpx2.AsyncClient(base_url=url, transport=transport, trust_env=False) as http:
        yield http


def somebody() -> UserId:
    return UserId(uuid4())


def a_fact(event_type: str = "market.registered", **payload: Any) -> StoredFact:
    told = {"marketId": str(uuid4()), "tokenSymbol": "LUXAPT", "totalSupply": "1" + "0" * 30, **payload}
    return StoredFact(
        event_id=EventId(uuid4()),
        event_type=event_type,
        version=1,
        stream_type="market",
        stream_id=uuid4(),
        seq=None,
        actor_id=uuid4(),
        actor_type="user",
        payload=told,
        correlation_id="request-1",
        occurred_at=datetime.now(UTC),
        cursor=Cursor(0, 0),
    )


async def an_issuer(client: EntityPermissionsClient) -> EntityId:
    return await client.ensure_entity(f"Issuer {uuid4()}", "issuer")


async def test_it_answers_that_it_is_well(client: EntityPermissionsClient) -> None:
    await client.ping()


async def test_an_entity_is_made_once(client: EntityPermissionsClient) -> None:
    name = f"Harbour Issuer {uuid4()}"
    first = await client.ensure_entity(name, "issuer")
    assert await client.ensure_entity(name, "issuer") == first
    assert await client.ensure_entity(name, "spv") != first


async def test_a_role_allows_what_it_says_where_it_says(client: EntityPermissionsClient) -> None:
    officer, entity, elsewhere = somebody(), await an_issuer(client), await an_issuer(client)
    await client.ensure_role(officer, f"officer {uuid4()}", (Action.APPROVE.value,), entity)
    assert await client.is_allowed(officer, Action.APPROVE, entity) is True
    assert await client.is_allowed(officer, Action.REJECT, entity) is False
    assert await client.is_allowed(officer, Action.APPROVE, elsewhere) is False
    assert await client.is_allowed(somebody(), Action.APPROVE, entity) is False


async def test_a_role_without_an_entity_allows_everywhere(client: EntityPermissionsClient) -> None:
    officer = somebody()
    await client.ensure_role(officer, f"officer {uuid4()}", MARKET_ACTIONS, None)
    for _ in range(2):
        assert await client.is_allowed(officer, Action.PAUSE, await an_issuer(client)) is True


async def test_an_entity_that_is_not_known_allows_nothing(client: EntityPermissionsClient) -> None:
    officer = somebody()
    await client.ensure_role(officer, f"officer {uuid4()}", MARKET_ACTIONS, await an_issuer(client))
    assert await client.is_allowed(officer, Action.APPROVE, EntityId(uuid4())) is False


async def test_roles_are_provisioned_as_often_as_one_likes(
    client: EntityPermissionsClient, raw: httpx2.AsyncClient
) -> None:
    officer, entity, role = somebody(), await an_issuer(client), f"officer {uuid4()}"
    for _ in range(3):
        await client.ensure_role(officer, role, (Action.APPROVE.value,), entity)
    await client.ensure_role(officer, role, (Action.REJECT.value,), entity)
    assert await client.is_allowed(officer, Action.APPROVE, entity) is True
    assert await client.is_allowed(officer, Action.REJECT, entity) is True
    held = (await raw.get("/api/v1/assignments", params={"principal_id": str(officer)})).json()
    assert len(held) == 1


async def test_another_kind_of_principal_is_another_principal(
    far_side: tuple[str, httpx2.AsyncBaseTransport | None], client: EntityPermissionsClient
) -> None:
    officer, entity, role = somebody(), await an_issuer(client), f"officer {uuid4()}"
    await client.ensure_role(officer, role, MARKET_ACTIONS, entity)
    url, transport = far_side
    admins = EntityPermissionsClient(url, None, principal_type="admin", timeout_s=5, transport=transport)
    assert await admins.is_allowed(officer, Action.APPROVE, entity) is False
    await admins.ensure_role(officer, role, MARKET_ACTIONS, entity)
    assert await admins.is_allowed(officer, Action.APPROVE, entity) is True
    await admins.close()


async def test_many_questions_at_once_are_all_answered(client: EntityPermissionsClient) -> None:
    entity, role = await an_issuer(client), f"officer {uuid4()}"
    officers = [somebody() for _ in range(5)]
    for officer in officers:
        await client.ensure_role(officer, role, MARKET_ACTIONS, entity)
    strangers = [somebody() for _ in range(20)]
    asked = [client.is_allowed(user, Action.APPROVE, entity) for user in (*officers, *strangers)]
    assert await asyncio.gather(*asked) == [True] * 5 + [False] * 20


async def test_a_fact_is_published_once_however_often_it_is_told(
    client: EntityPermissionsClient, raw: httpx2.AsyncClient
) -> None:
    event_type = f"market.tested.{uuid4().hex[:8]}"
    fact = a_fact(event_type)
    for _ in range(3):
        await client.publish(fact)
    [event] = (await raw.get("/api/v1/events", params={"event_type": event_type})).json()
    assert (event["source"], event["correlation_id"]) == (SOURCE, str(fact.event_id))
    assert event["payload"]["token_symbol"] == "LUXAPT"
    assert event["payload"]["total_supply"] == "1" + "0" * 30
    assert event["context"]["actor_id"] == str(fact.actor_id)
    [ours] = await client.recent(event_type, SOURCE)
    assert ours.source == SOURCE


async def test_a_decision_that_an_officer_posts_is_found_with_its_actor(
    client: EntityPermissionsClient, raw: httpx2.AsyncClient
) -> None:
    officer, market = uuid4(), uuid4()
    body = {
        "event_type": "market.approved",
        "source": CORE,
        "payload": {"market_id": str(market), "decision": "approved", "reason": "complete"},
        "context": {"actor_id": str(officer)},
        "correlation_id": f"decision-{uuid4()}",
    }
    posted = await raw.post("/api/v1/events", json=body)
    assert posted.status_code == 201
    found = [event for event in await client.recent("market.approved", CORE) if market_of(event) == market]
    assert [event.event_id for event in found] == [posted.json()["event_id"]]
    assert found[0].source == CORE
    assert found[0].context["actor_id"] == str(officer)
    assert found[0].received_via == "poller"
    assert [
        event for event in await client.recent("market.rejected", CORE) if market_of(event) == market
    ] == []


async def test_our_own_publications_do_not_push_others_events_out(
    client: EntityPermissionsClient, raw: httpx2.AsyncClient
) -> None:
    event_type = f"market.tested.{uuid4().hex[:8]}"
    await raw.post("/api/v1/events", json={"event_type": event_type, "source": CORE})
    for _ in range(3):
        await client.publish(a_fact(event_type))
    assert [event.source for event in await client.recent(event_type, CORE)] == [CORE]
    assert len(await client.recent(event_type, SOURCE)) == 3


async def test_the_newest_events_come_first(client: EntityPermissionsClient) -> None:
    event_type = f"market.tested.{uuid4().hex[:8]}"
    facts = [a_fact(event_type, number=number) for number in range(5)]
    for fact in facts:
        await client.publish(fact)
    numbers = [event.payload["number"] for event in await client.recent(event_type, SOURCE)]
    assert numbers == [4, 3, 2, 1, 0]


def market_of(event: Any) -> UUID:
    return UUID(event.payload["market_id"])
