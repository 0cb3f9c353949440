"""The first half of the demo: an asset becomes a live market."""

import httpx2

from deedbook.integrations.entity_permissions.client import POLL_LIMIT, SOURCE
from deedbook.stack.demo.story import DemoFailed, Story, Together, until
from deedbook.stack.demo_keys import ENTITY
from deedbook.stack.grant import grant

SYMBOL = "LUXAPT"
LIVE_TIMEOUT_S = 120.0


async def _grant_roles(story: Story) -> None:
    issuer, officer = story.wallets["issuer"].address, story.wallets["officer"].address
    # People who are made anew each time found an issuer of their own.
    entity = ENTITY if story.settings.demo_wallets else f"{ENTITY} {issuer[2:8]}"
    await grant(story.settings, issuer, "issuer", entity, "")
    await grant(story.settings, officer, "compliance", "", "")
    await grant(story.settings, story.wallets["operator"].address, "operator", "", "")


async def _sign_in(story: Story) -> None:
    for who in story.wallets:
        await story.enter(who)


async def _add_document(story: Story) -> None:
    body = {
        "title": "Deed of title",
        "kind": "title_deed",
        "mediaType": "application/pdf",
        "contentBase64": "JVBERi0xLjcK",
    }
    story.document_id = (await story.call("POST", "/documents", who="issuer", status=201, json=body))["id"]


async def _register(story: Story) -> None:
    listed = await story.call("GET", "/markets", params={"text": SYMBOL, "limit": 200})
    taken = {market["tokenSymbol"] for market in listed["data"]}
    symbol = next(s for n in range(1, 10_000) if (s := SYMBOL if n == 1 else f"{SYMBOL}-{n}") not in taken)
    body = {
        "name": "Luxury Apartment Building",
        "assetType": "real_estate",
        "tokenSymbol": symbol,
        "totalSupply": "1000000",
        "supplyCap": "1500000",
        "assetDetails": {
            "valuation": "25000000",
            "currency": "USD",
            "location": "1 Harbour Street, Lisbon",
            "complianceDocuments": [story.document_id],
            "regulatoryInfo": {"jurisdiction": "PT", "regulator": "CMVM"},
            "attributes": {"sqft": 48000, "units": 24, "yield": "5.2"},
        },
    }
    story.market = await story.call("POST", "/markets/register", who="issuer", status=201, json=body)


async def _await_desk(story: Story) -> None:
    async with _desk(story) as desk:
        # The stock permission service has none: it keeps the event, and the officer decides at our own API.
        story.has_desk = (await desk.get("/api/v1/approvals", params={"limit": 1})).status_code != 404
        has = _desk_has if story.has_desk else _service_has
        await until(lambda: has(story, desk), "the permission service to receive the request", 30)


async def _desk_has(story: Story, desk: httpx2.AsyncClient) -> bool:
    return (await desk.get(f"/api/v1/approvals/{story.market['id']}")).status_code == 200


async def _service_has(story: Story, service: httpx2.AsyncClient) -> bool:
    query = {"event_type": "market.approval_requested", "source": SOURCE, "limit": str(POLL_LIMIT)}
    events = (await service.get("/api/v1/events", params=query)).raise_for_status().json()
    return any(event["payload"].get("market_id") == story.market["id"] for event in events)


async def _approve(story: Story) -> None:
    market_id, reason = story.market["id"], "documents verified, valuation plausible"
    if not story.has_desk:
        body = {"decision": "approve", "reason": reason}
        await story.call("POST", f"/markets/{market_id}/approve", who="officer", json=body)
        return
    async with _desk(story) as desk:
        officer = (await story.call("GET", "/me", who="officer"))["userId"]
        decision = {"decision": "approved", "reason": reason, "actor_id": officer}
        response = await desk.post(f"/api/v1/approvals/{market_id}/decision", json=decision)
        if response.status_code != 200:
            raise DemoFailed(f"the desk answered {response.status_code}: {response.text[:300]}")
    await until(lambda: _has_left(story, "pending_approval"), "the decision to arrive", 30)


async def _await_live(story: Story) -> None:
    await until(lambda: _has_left(story, "activating"), "the contract to stand", LIVE_TIMEOUT_S)
    if story.market["status"] != "active":
        raise DemoFailed(f"the market is {story.market['status']}: {story.market['metadata']}")


async def _await_pair(story: Story) -> None:
    symbol = f"{story.market['tokenSymbol']}-USDC"

    async def opened() -> bool:
        response = await story.http.get(f"/trading/pairs/{symbol}")
        if response.status_code == 200:
            story.pair = response.json()
        return response.status_code == 200

    await until(opened, "the pair to open", 10)


async def _has_left(story: Story, status: str) -> bool:
    story.market = await story.call("GET", f"/markets/{story.market['id']}")
    return bool(story.market["status"] != status)


def _desk(story: Story) -> httpx2.AsyncClient:
    assert story.settings.ENTITY_PERMISSIONS_BASE_URL is not None
    return httpx2.AsyncClient(
        base_url=story.settings.ENTITY_PERMISSIONS_BASE_URL, timeout=10, trust_env=False
    )


CHAPTERS: list[Together] = [
    (("Grant the issuer and the compliance officer their roles", _grant_roles),),
    (("Everybody signs in with Ethereum", _sign_in),),
    (("Put the deed of title on record", _add_document),),
    (("Register the asset as a market", _register),),
    (("The approval desk receives it", _await_desk),),
    (("The officer approves; the signed decision comes back", _approve),),
    (("The token contract is deployed, the market goes live", _await_live),),
    (("The trading pair opens", _await_pair),),
]
