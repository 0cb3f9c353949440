"""Reading the queue: pages in order, and a request laid out with nothing hidden."""

import httpx2
import pytest

from deedbook.permissions.approval_views import sort_request

from .support import Json, Officer, appoint, ask_approval, decide

APPROVALS = "/api/v1/approvals"


@pytest.fixture
async def officer(client: httpx2.AsyncClient) -> Officer:
    return await appoint(client, "market.approve", "market.reject")


async def test_list_pages_oldest_first_by_status(client: httpx2.AsyncClient, officer: Officer) -> None:
    markets = [await ask_approval(client, officer.entity_id) for _ in range(5)]
    await decide(client, markets[1], decision="approved", actor_id=officer.actor_id)

    async def page(**params: str | int) -> tuple[list[str], str | None]:
        body = (await client.get(APPROVALS, params=params)).json()
        assert all("facts" not in item for item in body["items"])
        return [item["market_id"] for item in body["items"]], body["next_cursor"]

    assert await page(status="approved") == ([markets[1]], None)
    first, cursor = await page(status="pending", limit=2)
    assert cursor is not None
    assert await page(status="pending", limit=2, cursor=cursor) == ([markets[3], markets[4]], None)
    assert first == [markets[0], markets[2]]
    assert (await page())[0] == markets
    for bad in ({"status": "lost"}, {"limit": 201}, {"limit": 0}, {"cursor": "x"}):
        assert (await client.get(APPROVALS, params=bad)).status_code == 400


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            {"market_id": "m", "valuation": "1", "compliance_documents": ["d"], "issuer_credentials": "i"},
            {"facts": {"valuation": "1"}, "documents": ["d"], "issuer": "i", "other": {}},
        ),
        (
            {"entity_id": "e", "facts": {"a": 1}, "note": "seen"},
            {"facts": {"a": 1}, "documents": [], "issuer": {}, "other": {"note": "seen"}},
        ),
        (
            {"documents": [1], "compliance_documents": [2]},
            {"facts": {"compliance_documents": [2]}, "documents": [1], "issuer": {}, "other": {}},
        ),
    ],
)
def test_no_part_of_a_request_is_hidden(payload: Json, expected: Json) -> None:
    assert sort_request(payload) == expected
