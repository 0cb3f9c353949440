"""The market lifecycle over HTTP, with the permission service played by a fake."""

from uuid import uuid4

from tests.support.world import World


async def test_register_answers_with_a_market_that_waits_for_approval(world: World) -> None:
    issuer = await world.issuer()

    market = await world.register(issuer, totalSupply="1000000.5")

    assert market["status"] == "pending_approval"
    assert market["totalSupply"] == "1000000.5"
    history = (await world.http.get(f"/markets/{market['id']}/events")).json()["data"]
    assert [event["eventType"] for event in history] == ["market.registered", "market.approval_requested"]


async def test_approve_starts_the_activation_when_the_officer_may(world: World) -> None:
    issuer = await world.issuer()
    market = await world.register(issuer)
    assert issuer.entity_id is not None
    officer = await world.officer(issuer.entity_id)

    response = await world.post(f"/markets/{market['id']}/approve", officer, {"decision": "approve"})

    assert response.status_code == 200, response.text
    assert response.json()["status"] == "activating"
    async with world.db.reading() as connection:
        job = await connection.fetchrow("SELECT * FROM jobs WHERE queue = 'deploy-token'")
    assert job is not None
    assert set(job["data"]) == {"marketId", "tokenName", "tokenSymbol", "decimals", "totalSupply", "actorId"}


async def test_register_is_refused_when_the_permission_service_says_no(world: World) -> None:
    user = await world.user(entity_id=uuid4())
    response = await world.post("/markets/register", user, {})
    assert response.status_code == 422
