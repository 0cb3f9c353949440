"""Webhooks over HTTP: believed only when signed, carried out once, refused or repeated by the right status."""

import asyncio
import json
import time
from collections import Counter
from typing import Any
from uuid import UUID

import pytest

from deedbook.identity import Role
from deedbook.integrations.entity_permissions.direct import sign
from tests.api.support import decision, post_event, refused
from tests.support.workers import UNKNOWN_ID
from tests.support.world import HMAC_SECRET, World

PATH = "/webhooks/entity-permissions"
ACTOR = "0192f0a2-7c3e-7b1d-9a4e-3f2b1c0d9e8f"


async def _status(world: World, market: dict[str, Any]) -> str:
    return str((await world.http.get(f"/markets/{market['id']}")).json()["status"])


async def test_a_decision_is_carried_out_once_when_it_comes_fifty_times_at_once(world: World) -> None:
    world.permissions.allow_all = True
    market = await world.register(await world.issuer())
    event = decision(market)

    answers = await asyncio.gather(*(post_event(world, event) for _ in range(50)))

    assert {answer.status_code for answer in answers} == {200}
    assert Counter(answer.json()["status"] for answer in answers) == {"success": 1, "duplicate": 49}
    assert await _status(world, market) == "activating"
    assert world.permissions.most_in_flight == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "success"),
        ({"source": "deedbook"}, "skipped"),
        ({"event_type": "market.listed"}, "skipped"),
        ({"context": {}}, "failed"),
        ({"payload": {"market_id": UNKNOWN_ID}}, "failed"),
        (
            {"payload": {"market_id": UNKNOWN_ID, "reason": "a\x00b", "deep": [[[[]]]], "n": 10**30}},
            "failed",
        ),
        ({"schema_version": "v0", "unknown": {"more": 1}}, "success"),
        ({"context": {}, "metadata": {"actor_id": ACTOR}}, "success"),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_an_event_is_answered_200_when_it_is_recorded_whatever_became_of_it(
    shared: World, changes: dict[str, Any], status: str
) -> None:
    issuer = await shared.issuer()
    assert issuer.entity_id is not None
    market = await shared.register(issuer)
    event = decision(market, **{"context": {"actor_id": ACTOR}, **changes})
    shared.permissions.allow(UUID(ACTOR), "market.approve", issuer.entity_id)
    for told in (status, "duplicate"):
        answer = await post_event(shared, event)
        expected = {"received": True, "eventId": event["event_id"], "status": told}
        assert (answer.status_code, answer.json()) == (200, expected)


async def test_an_event_is_not_believed_when_its_signature_does_not_hold(shared: World) -> None:
    market = await shared.register(await shared.issuer())
    body, now = json.dumps(decision(market)).encode(), int(time.time())
    good = sign(HMAC_SECRET, body, now)
    headers = ["", "t=1", good.replace("v1", "v0"), good[:-1], good + "0", good.upper(), good.replace("t=", "t=0"),
               sign("another-secret", body, now), sign(HMAC_SECRET, body + b" ", now), f"{good},{good}", "t=,v1=",
               f"t={now},v1={'0' * 64}", f"t=١,v1={'0' * 64}"]  # fmt: skip
    for header in headers:
        told = {"X-Deedbook-Signature": header.encode(), "Content-Type": b"application/json"}
        raw = {name.encode(): value for name, value in told.items()}
        refused(await shared.http.post(PATH, content=body, headers=raw), 401, "webhook_unsigned")
    refused(await shared.http.post(PATH, content=body), 401, "webhook_unsigned")
    for age_s in (400, -400):
        refused(await post_event(shared, body, at=now - age_s), 403, "webhook_stale")
    assert await _status(shared, market) == "pending_approval"


async def test_an_event_is_to_be_sent_again_when_the_permission_service_is_silent(world: World) -> None:
    market = await world.register(await world.issuer())
    event = decision(market)
    world.permissions.down = True
    refused(await post_event(world, event), 503, "permissions_unavailable")
    world.permissions.down, world.permissions.allow_all = False, True
    assert (await post_event(world, event)).json()["status"] == "success"


async def test_an_event_is_to_be_sent_again_when_the_database_is_away(world: World) -> None:
    market = await world.register(await world.issuer())
    await world.db.close()
    refused(await post_event(world, decision(market)), 503, "database_unavailable")


async def test_an_operator_carries_a_failed_event_out_when_permission_came_late(world: World) -> None:
    market = await world.register(await world.issuer())
    event, operator = decision(market), await world.user(Role.OPERATOR)
    assert (await post_event(world, event)).json()["status"] == "failed"
    failed = await world.http.get(
        "/admin/processed-events", params={"status": "failed"}, headers=operator.headers
    )
    assert [entry["eventId"] for entry in failed.json()["data"]] == [event["event_id"]]

    world.permissions.allow_all = True
    await world.resources.permissions.forget(None)
    retry = f"/admin/processed-events/{event['event_id']}/retry"
    assert (await world.post(retry, operator)).json()["status"] == "success"
    refused(await world.post(retry, operator), 409, "event_not_failed")

    assert await _status(world, market) == "activating"
    audit = (await world.http.get("/admin/audit", headers=operator.headers)).json()["data"]
    assert {"operations.event_retried", "market.approved"} <= {entry["action"] for entry in audit}
    approved = next(entry for entry in audit if entry["action"] == "market.approved")
    assert approved["actorId"] == event["context"]["actor_id"]


NO_YES: list[Any] = [
    {"authorized": "true"}, {"authorized": 1}, {"authorized": None}, {}, [], "yes", {"allowed": True},
]  # fmt: skip


async def test_an_answer_of_the_service_in_other_words_is_no_yes(world: World) -> None:
    """It is no answer at all: the event is to be sent again, and is carried out when the service is well."""
    for broken in NO_YES:
        market = await world.register(await world.issuer())
        event = decision(market)
        world.permissions.broken = broken
        refused(await post_event(world, event), 503, "permissions_unavailable")
        assert await _status(world, market) == "pending_approval"
        world.permissions.broken = None
        assert (await post_event(world, event)).json()["status"] == "failed"
