"""The approval queue: opened by a request, read in full, decided once, or closed by the platform."""

import asyncio
from uuid import uuid4

import httpx2
import pytest

from .support import (
    Json,
    Officer,
    TurnedClock,
    appoint,
    approval_request,
    ask_approval,
    decide,
    decisions,
    posted,
    status_of,
)

APPROVALS = "/api/v1/approvals"
BOTH = ("market.approve", "market.reject")


@pytest.fixture
async def officer(client: httpx2.AsyncClient) -> Officer:
    return await appoint(client, *BOTH)


async def test_request_opens_an_approval_with_all_its_facts(
    client: httpx2.AsyncClient, officer: Officer
) -> None:
    market_id = str(uuid4())
    request = approval_request(market_id, officer.entity_id)
    event = await posted(client, "/api/v1/events", request)
    answer = await client.get(f"{APPROVALS}/{market_id}")
    assert answer.status_code == 200
    approval = answer.json()
    assert approval["status"] == "pending"
    assert approval["name"] == "Harbour Lofts"
    assert approval["facts"] == request["payload"]["facts"]
    assert approval["documents"] == request["payload"]["documents"]
    assert approval["issuer"] == request["payload"]["issuer"]
    assert approval["other"] == {}
    assert approval["request_event_id"] == event["event_id"]
    assert approval["requested_by"] == request["context"]["actor_id"]
    assert approval["decision"] is None


async def test_repeated_request_opens_nothing_new(client: httpx2.AsyncClient, officer: Officer) -> None:
    request = approval_request(str(uuid4()), officer.entity_id)
    first = await posted(client, "/api/v1/events", request)
    assert await posted(client, "/api/v1/events", request) == first
    assert len((await client.get(APPROVALS)).json()["items"]) == 1


@pytest.mark.parametrize("change", [{"market_id": None}, {"market_id": "harbour"}, {"entity_id": 7}])
async def test_request_nobody_could_decide_is_refused(client: httpx2.AsyncClient, change: Json) -> None:
    request = approval_request(str(uuid4()), str(uuid4()))
    request["payload"].update(change)
    assert (await client.post("/api/v1/events", json=request)).status_code == 400
    assert (await client.get("/api/v1/events")).json() == []


@pytest.mark.parametrize(
    ("word", "decision", "reason"),
    [
        ("approved", "approved", "ok"),
        ("approve", "approved", None),
        ("rejected", "rejected", "no title deed"),
        ("reject", "rejected", "no title deed"),
    ],
)
async def test_decision_is_stored_and_announced(
    client: httpx2.AsyncClient, officer: Officer, word: str, decision: str, reason: str | None
) -> None:
    market_id = await ask_approval(client, officer.entity_id)
    answer = await decide(client, market_id, decision=word, reason=reason, actor_id=officer.actor_id)
    assert answer.status_code == 200
    (event,) = await decisions(client)
    assert event["event_type"] == f"market.{decision}"
    assert event["payload"] == {
        "market_id": market_id,
        "entity_id": officer.entity_id,
        "decision": decision,
        "reason": reason,
    }
    assert event["context"] == {"actor_id": officer.actor_id}
    assert answer.json() == {
        **event["payload"],
        "actor_id": officer.actor_id,
        "decided_at": event["occurred_at"],
        "event_id": event["event_id"],
        "source": "entity_permissions_core",
    }
    assert (await client.get(f"{APPROVALS}/{market_id}")).json()["decision"] == answer.json()


async def test_same_decision_by_the_same_actor_gives_the_first_result(
    client: httpx2.AsyncClient, officer: Officer, clock: TurnedClock
) -> None:
    market_id = await ask_approval(client, officer.entity_id)
    body = {"decision": "approved", "reason": "complete", "actor_id": officer.actor_id}
    first = await decide(client, market_id, **body)
    clock.turn(hours=1)
    again = await decide(client, market_id, **{**body, "reason": "other words"})
    assert again.status_code == 200
    assert again.json() == first.json()
    assert len(await decisions(client)) == 1


async def test_different_second_decision_is_a_conflict(client: httpx2.AsyncClient, officer: Officer) -> None:
    market_id = await ask_approval(client, officer.entity_id)
    await decide(client, market_id, decision="approved", actor_id=officer.actor_id)
    other = await decide(client, market_id, decision="rejected", reason="late", actor_id=officer.actor_id)
    assert other.status_code == 409
    assert await status_of(client, market_id) == "approved"
    assert len(await decisions(client)) == 1


async def test_same_decision_by_another_officer_is_a_conflict(client: httpx2.AsyncClient) -> None:
    first = await appoint(client, *BOTH)
    role_id = (await posted(client, "/api/v1/roles", {"name": "second", "permissions": list(BOTH)}))["id"]
    second_id = str(uuid4())
    await posted(client, "/api/v1/assignments", {"principal_id": second_id, "role_id": role_id})
    market_id = await ask_approval(client, first.entity_id)
    await decide(client, market_id, decision="approved", actor_id=first.actor_id)
    assert (await decide(client, market_id, decision="approved", actor_id=second_id)).status_code == 409


async def test_actor_without_the_very_permission_is_refused(client: httpx2.AsyncClient) -> None:
    rejecter = await appoint(client, "market.reject")
    elsewhere = await appoint(client, *BOTH)
    market_id = await ask_approval(client, rejecter.entity_id)
    for actor_id in (rejecter.actor_id, elsewhere.actor_id, str(uuid4())):
        answer = await decide(client, market_id, decision="approved", actor_id=actor_id)
        assert answer.status_code == 403
        assert isinstance(answer.json()["detail"], str)
    assert await status_of(client, market_id) == "pending"
    allowed = await decide(client, market_id, decision="reject", reason="no", actor_id=rejecter.actor_id)
    assert allowed.status_code == 200


async def test_nobody_may_decide_on_an_unknown_or_archived_entity(
    client: httpx2.AsyncClient, officer: Officer
) -> None:
    unknown = await ask_approval(client, str(uuid4()))
    archived = await ask_approval(client, officer.entity_id)
    await posted(client, f"/api/v1/entities/{officer.entity_id}/archive", {})
    for market_id in (unknown, archived):
        answer = await decide(client, market_id, decision="approved", actor_id=officer.actor_id)
        assert answer.status_code == 403


async def test_unknown_market_is_404_and_malformed_id_400(
    client: httpx2.AsyncClient, officer: Officer
) -> None:
    unknown = str(uuid4())
    assert (await client.get(f"{APPROVALS}/{unknown}")).status_code == 404
    body = {"decision": "approved", "actor_id": officer.actor_id}
    assert (await decide(client, unknown, **body)).status_code == 404
    assert (await client.get(f"{APPROVALS}/harbour")).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "maybe"},
        {"decision": "rejected"},
        {"decision": "rejected", "reason": " \n"},
        {"reason": "x" * 2001},
        {"actor_id": "me"},
        {"actor_id": None},
    ],
)
async def test_malformed_decision_is_refused_with_400(
    client: httpx2.AsyncClient, officer: Officer, change: Json
) -> None:
    market_id = await ask_approval(client, officer.entity_id)
    body = {"decision": "approved", "actor_id": officer.actor_id, **change}
    assert (await decide(client, market_id, **body)).status_code == 400
    assert await decisions(client) == []


async def test_parallel_decisions_of_one_officer_make_one_event(
    client: httpx2.AsyncClient, officer: Officer
) -> None:
    market_id = await ask_approval(client, officer.entity_id)
    body = {"decision": "approved", "actor_id": officer.actor_id}
    answers = await asyncio.gather(*(decide(client, market_id, **body) for _ in range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert len({answer.text for answer in answers}) == 1
    assert len(await decisions(client)) == 1
