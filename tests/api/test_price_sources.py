"""Operators say where prices from outside are asked."""

from typing import Any
from uuid import uuid4

import pytest

from deedbook.identity import Role
from tests.api.support import refused
from tests.support.floor import Floor, a_price_source
from tests.support.world import User


@pytest.fixture
async def operator(floor: Floor) -> User:
    return await floor.world.user(Role.OPERATOR)


async def listed(floor: Floor, operator: User) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await floor.get("/admin/price-sources", operator))["data"]
    return [entry for entry in found if entry["pair"] == floor.spec.symbol]


async def test_a_source_is_added_shown_and_removed(floor: Floor, operator: User) -> None:
    body = a_price_source(
        floor.spec.symbol, kind="chainlink", locator="0x" + "Ab" * 20, least="0.5", most="2"
    )
    answer = await floor.world.post("/admin/price-sources", operator, body)
    assert answer.status_code == 201, answer.text
    (source,) = await listed(floor, operator)
    assert source | {"createdAt": 0} == {
        "id": answer.json()["id"], "tradingPairId": str(floor.spec.pair_id), "pair": floor.spec.symbol,
        "kind": "chainlink", "locator": "0x" + "ab" * 20, "maxAgeSeconds": 3600, "least": "0.5", "most": "2",
        "price": None, "observedAt": None, "askedAt": None, "problem": None, "createdAt": 0,
    }  # fmt: skip
    refused(await floor.world.post("/admin/price-sources", operator, body), 409, "price_source_exists")
    keyed = {**operator.headers, "Idempotency-Key": str(uuid4())}
    for _ in range(2):
        gone = await floor.world.http.delete(f"/admin/price-sources/{source['id']}", headers=keyed)
        assert (gone.status_code, gone.json()) == (200, {"removed": True})
    assert await listed(floor, operator) == []
    rows = await floor.rows(
        "SELECT event_type, actor_id, before, after FROM events WHERE event_type LIKE 'price.source%' ORDER BY position"
    )
    assert [row["event_type"] for row in rows[-2:]] == ["price.source_added", "price.source_removed"]
    assert {row["actor_id"] for row in rows[-2:]} == {operator.user_id}
    assert rows[-1]["before"]["sourceId"] == source["id"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "oracle"}, "invalid_request"),
        ({"locator": "no coin"}, "price_source_invalid"),
        ({"kind": "nav", "locator": "file:///etc/passwd"}, "price_source_invalid"),
        ({"kind": "chainlink", "locator": "bitcoin"}, "price_source_invalid"),
        ({"least": "3", "most": "2"}, "price_source_invalid"),
        ({"least": "0"}, "invalid_request"),
        ({"maxAgeSeconds": 5}, "invalid_request"),
        ({"extra": 1}, "invalid_request"),
    ],
)
async def test_a_source_is_refused_when_it_cannot_be_asked(
    floor: Floor, operator: User, fields: dict[str, Any], code: str
) -> None:
    body = a_price_source(floor.spec.symbol, **fields)
    refused(await floor.world.post("/admin/price-sources", operator, body), 422, code)
    assert await listed(floor, operator) == []


async def test_a_source_of_no_pair_or_an_unknown_source_is_absent(floor: Floor, operator: User) -> None:
    body = a_price_source("NOSUCH-USDC")
    refused(await floor.world.post("/admin/price-sources", operator, body), 404, "pair_not_found")
    keyed = {**operator.headers, "Idempotency-Key": str(uuid4())}
    absent = await floor.world.http.delete(f"/admin/price-sources/{uuid4()}", headers=keyed)
    refused(absent, 404, "price_source_not_found")
