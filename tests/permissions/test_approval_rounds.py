"""Approvals over time: closed by the platform, asked again, and messages that arrive in any order."""

from uuid import uuid4

import httpx2
import pytest

from .support import (
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


@pytest.fixture
async def officer(client: httpx2.AsyncClient) -> Officer:
    return await appoint(client, "market.approve", "market.reject")


@pytest.mark.parametrize(
    ("event_type", "status"),
    [
        ("market.approved", "approved"),
        ("market.activated", "approved"),
        ("market.rejected", "rejected"),
        ("market.archived", "withdrawn"),
        ("market.registered", "pending"),
    ],
)
async def test_platform_event_closes_the_approval_without_a_decision_of_ours(
    client: httpx2.AsyncClient, officer: Officer, event_type: str, status: str
) -> None:
    market_id = await ask_approval(client, officer.entity_id)
    said = {
        "event_type": event_type,
        "source": "deedbook",
        "payload": {"market_id": market_id.upper(), "reason": "decided there"},
        "context": {"actor_id": "chief"},
    }
    await posted(client, "/api/v1/events", said)
    approval = (await client.get(f"{APPROVALS}/{market_id}")).json()
    assert approval["status"] == status
    if status != "pending":
        assert approval["decision"]["source"] == "deedbook"
        assert approval["decision"]["actor_id"] == "chief"
        assert approval["decision"]["reason"] == "decided there"
        late = await decide(client, market_id, decision="approved", actor_id=officer.actor_id)
        assert late.status_code == 409
    assert await decisions(client) == []


async def test_outcome_that_arrives_before_its_request_closes_it(
    client: httpx2.AsyncClient, officer: Officer
) -> None:
    market_id = str(uuid4())
    outcome = {
        "event_type": "market.rejected",
        "source": "deedbook",
        "payload": {"market_id": market_id},
        "occurred_at": "2026-05-01T10:00:05Z",
    }
    await posted(client, "/api/v1/events", outcome)
    request = approval_request(market_id, officer.entity_id, occurred_at="2026-05-01T10:00:00Z")
    await posted(client, "/api/v1/events", request)
    assert await status_of(client, market_id) == "rejected"


async def test_later_request_replaces_a_pending_one_and_an_earlier_one_does_not(
    client: httpx2.AsyncClient, officer: Officer
) -> None:
    market_id = str(uuid4())
    ids = {}
    for hour in (11, 12, 10):
        request = approval_request(market_id, officer.entity_id, occurred_at=f"2026-05-01T{hour}:00:00Z")
        ids[hour] = (await posted(client, "/api/v1/events", request))["event_id"]
    approval = (await client.get(f"{APPROVALS}/{market_id}")).json()
    assert approval["request_event_id"] == ids[12]
    body = {"decision": "approved", "actor_id": officer.actor_id}
    unread = await decide(client, market_id, request_event_id=ids[11], **body)
    assert unread.status_code == 409
    assert (await decide(client, market_id, request_event_id=ids[12], **body)).status_code == 200


async def test_market_that_asks_again_after_its_decision_is_pending_again(
    client: httpx2.AsyncClient, officer: Officer, clock: TurnedClock
) -> None:
    market_id = await ask_approval(client, officer.entity_id)
    body = {"decision": "rejected", "reason": "no deed", "actor_id": officer.actor_id}
    await decide(client, market_id, **body)
    clock.turn(hours=1)
    await posted(client, "/api/v1/events", approval_request(market_id, officer.entity_id))
    assert await status_of(client, market_id) == "pending"
    await decide(client, market_id, decision="approved", actor_id=officer.actor_id)
    said = [event["event_type"] for event in await decisions(client)]
    assert said == ["market.approved", "market.rejected"]
    assert await status_of(client, market_id) == "approved"
