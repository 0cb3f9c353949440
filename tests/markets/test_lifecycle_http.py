"""The market lifecycle over HTTP, with the permission service played by a fake."""

import asyncio
import time
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest

from deedbook.identity import Role
from deedbook.kernel.ids import MarketId
from deedbook.markets import service
from tests.markets.support import deployment
from tests.support.world import User, World, registration

STEPS = ("approve", "activate", "pause", "resume", "archive")


async def _officer(world: World) -> tuple[User, User, dict[str, Any]]:
    """An issuer, an officer for them, and a market that waits."""
    issuer = await world.issuer()
    assert issuer.entity_id is not None
    return issuer, await world.officer(issuer.entity_id), await world.register(issuer)


async def _step(world: World, market: dict[str, Any], user: User, step: str, **headers: str) -> Any:
    body = {"decision": "approve"} if step == "approve" else {}
    return await world.post(f"/markets/{market['id']}/{step}", user, body, **headers)


async def _go_live(world: World, market: dict[str, Any]) -> None:
    async with world.db.transaction() as tx:
        await service.finish_activation(tx, MarketId(UUID(market["id"])), deployment(), 31337)


async def test_register_answers_with_a_market_that_waits_for_approval(world: World) -> None:
    issuer = await world.issuer()

    market = await world.register(issuer, totalSupply="1000000.5")

    assert market["status"] == "pending_approval"
    assert market["totalSupply"] == "1000000.5"
    history = (await world.http.get(f"/markets/{market['id']}/events")).json()["data"]
    assert [event["eventType"] for event in history] == ["market.registered", "market.approval_requested"]


async def test_approve_starts_the_activation_when_the_officer_may(world: World) -> None:
    _, officer, market = await _officer(world)

    response = await _step(world, market, officer, "approve")

    assert response.status_code == 200, response.text
    assert response.json()["status"] == "activating"
    async with world.db.reading() as connection:
        job = await connection.fetchrow("SELECT * FROM jobs WHERE queue = 'deploy-token'")
    assert job is not None
    assert set(job["data"]) == {"marketId", "tokenName", "tokenSymbol", "decimals", "totalSupply", "actorId"}


async def test_a_market_goes_through_its_whole_life_when_the_officer_takes_each_step(world: World) -> None:
    _, officer, market = await _officer(world)
    await _step(world, market, officer, "approve")
    await _go_live(world, market)
    told = [(await _step(world, market, officer, step)).json()["status"] for step in STEPS[2:]]
    assert told == ["paused", "active", "archived"]
    for step in STEPS:
        response = await _step(world, market, officer, step)
        assert (response.status_code, response.json()["code"]) == (409, "illegal_transition")
        assert response.json()["marketStatus"] == "archived"
    history = (await world.http.get(f"/markets/{market['id']}/events")).json()["data"]
    assert [event["actorId"] for event in history[-3:]] == [str(officer.user_id)] * 3


async def test_details_give_back_the_asset_when_attributes_have_fractions(world: World) -> None:
    issuer = await world.issuer()
    asset = {
        "valuation": "12.50",
        "currency": "USD",
        "attributes": {"yield": 5.25, "sqft": 50000},
        "location": "Kiel",
    }

    market = await world.register(issuer, assetDetails=asset)

    told = (await world.http.get(f"/markets/{market['id']}/details")).json()["asset"]
    assert (told["valuation"], told["attributes"], told["location"]) == ("12.5", asset["attributes"], "Kiel")


async def test_one_of_two_officers_wins_when_they_decide_at_once(world: World) -> None:
    issuer = await world.issuer()
    assert issuer.entity_id is not None
    one, two = await world.officer(issuer.entity_id), await world.officer(issuer.entity_id)
    for _ in range(5):
        market = await world.register(issuer)
        path = f"/markets/{market['id']}/approve"
        ended = await asyncio.gather(
            world.post(path, one, {"decision": "approve"}),
            world.post(path, two, {"decision": "reject", "reason": "no deed"}),
        )
        assert Counter(response.status_code for response in ended) == {200: 1, 409: 1}


async def test_a_decision_is_stale_when_the_officer_saw_an_older_version(world: World) -> None:
    _, officer, market = await _officer(world)
    stale = await _step(world, market, officer, "approve", **{"If-Match": f'"{market["version"] - 1}"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    etag = (await world.http.get(f"/markets/{market['id']}")).headers["ETag"]
    assert (await _step(world, market, officer, "approve", **{"If-Match": etag})).status_code == 200


async def test_a_decision_is_refused_when_the_issuer_makes_it_themselves(world: World) -> None:
    issuer, _, market = await _officer(world)
    assert issuer.entity_id is not None
    for action in ("approve", "reject"):
        world.permissions.allow(issuer.user_id, f"market.{action}", issuer.entity_id)
    response = await _step(world, market, issuer, "approve")
    assert (response.status_code, response.json()["code"]) == (403, "four_eyes")


async def test_register_is_refused_when_the_permission_service_says_no(world: World) -> None:
    user = await world.user(entity_id=uuid4())
    issuer = await world.user(Role.ISSUER, entity_id=uuid4())
    for caller, code in ((user, "issuer_entity_missing"), (issuer, "forbidden")):
        response = await world.post("/markets/register", caller, registration())
        assert (response.status_code, response.json()["code"]) == (403, code)
    assert (await world.http.get("/markets")).json()["data"] == []


@pytest.mark.parametrize("trouble", ["down", "slow", "broken", "failing"])
async def test_register_is_unavailable_in_bounded_time_when_the_permission_service_is_in_trouble(
    world: World, trouble: str
) -> None:
    issuer = await world.issuer()
    match trouble:
        case "down":
            world.permissions.down = True
        case "slow":
            world.permissions.slow_s = 30
        case "failing":
            world.permissions.fail_next = 1000
        case "broken":
            world.permissions.broken = ["<html>"]
    started = time.monotonic()

    response = await world.post("/markets/register", issuer, registration())

    assert time.monotonic() - started < 15
    assert (response.status_code, response.json()["code"]) == (503, "permissions_unavailable")
    assert int(response.headers["Retry-After"]) >= 1
    listed = await world.http.get("/markets")
    assert (listed.status_code, listed.json()["data"]) == (200, [])


async def test_register_is_served_from_memory_when_the_permission_service_went_down_after_a_yes(
    world: World,
) -> None:
    issuer = await world.issuer()
    await world.register(issuer)
    world.permissions.down = True
    await world.register(issuer)
