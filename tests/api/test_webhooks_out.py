"""Webhooks over HTTP: a secret that is shown once, messages that can be looked at, tested and replayed."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.support import refused
from tests.support.world import User, World

URL = "https://example.com/hook"


async def add(world: World, user: User, url: str = URL, **more: Any) -> dict[str, Any]:
    answer = await world.post("/me/webhooks", user, {"url": url, **more})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def get(world: World, user: User, path: str) -> Any:
    return (await world.http.get(path, headers=user.headers)).json()


async def test_a_secret_is_shown_once_and_kept_nowhere(shared: World) -> None:
    me, key = await shared.user(), str(uuid4())
    body = {"url": URL, "kinds": ["order.filled"], "description": "the desk"}
    first = await shared.post("/me/webhooks", me, body, **{"Idempotency-Key": key})
    again = await shared.post("/me/webhooks", me, body, **{"Idempotency-Key": key})
    secret = first.json()["secret"]
    assert secret.startswith("whsec_")
    assert (again.json()["webhook"], again.json()["secret"]) == (first.json()["webhook"], None)
    told = await get(shared, me, "/me/webhooks")
    assert told["data"] == [first.json()["webhook"]]
    assert (told["data"][0]["kinds"], told["data"][0]["enabled"]) == (["order.filled"], True)
    async with shared.db.reading() as connection:
        kept = await connection.fetchval(
            "SELECT string_agg(t, '') FROM (SELECT convert_from(body, 'UTF8') AS t FROM idempotency_keys "
            "UNION ALL SELECT w::text FROM webhook_endpoints w UNION ALL SELECT e::text FROM events e) AS x"
        )
    assert secret.removeprefix("whsec_") not in kept


async def test_a_replaced_secret_is_another_one(shared: World) -> None:
    me = await shared.user()
    made = await add(shared, me)
    path = f"/me/webhooks/{made['webhook']['id']}"
    rotated = (await shared.post(f"{path}/rotate", me)).json()
    assert rotated["secret"] not in (None, made["secret"])
    assert rotated["webhook"]["formerSecretUntil"]
    assert (await get(shared, me, path))["id"] == made["webhook"]["id"]
    headers = {**me.headers, "Idempotency-Key": str(uuid4())}
    assert (await shared.http.delete(path, headers=headers)).json() == {"removed": True}
    refused(await shared.http.get(path, headers=me.headers), 404, "webhook_not_found")


async def test_messages_are_listed_and_replayed_once_they_are_over(shared: World) -> None:
    me = await shared.user()
    path = f"/me/webhooks/{(await add(shared, me))['webhook']['id']}"
    ids = [(await shared.post(f"{path}/test", me)).json()["id"] for _ in range(10)]
    refused(await shared.post(f"{path}/test", me), 429, "too_many_tests")
    first = await get(shared, me, f"{path}/messages?limit=6")
    rest = await get(shared, me, f"{path}/messages?limit=6&cursor={first['nextCursor']}")
    assert [entry["id"] for entry in first["data"] + rest["data"]] == ids[::-1]
    assert first["data"][0]["payload"]["type"] == first["data"][0]["kind"] == "webhook.test"
    assert first["data"][0]["webhookId"] == f"msg_{ids[-1]}"
    refused(await shared.post(f"{path}/messages/{ids[0]}/replay", me), 409, "delivery_under_way")
    refused(await shared.post(f"{path}/messages/{uuid4()}/replay", me), 404, "delivery_not_found")
    async with shared.db.transaction() as tx:
        await tx.execute(
            "UPDATE message_deliveries SET status = 'FAILED', finished_at = now() WHERE delivery_id = $1::text::uuid",
            ids[0],
        )
    assert (await shared.post(f"{path}/messages/{ids[0]}/replay", me)).json() == {"id": ids[0]}


async def test_one_that_was_switched_off_is_switched_on_by_its_owner(shared: World) -> None:
    me = await shared.user()
    webhook_id = (await add(shared, me))["webhook"]["id"]
    async with shared.db.transaction() as tx:
        await tx.execute(
            "UPDATE webhook_endpoints SET disabled_at = now(), failing_since = now() "
            "WHERE endpoint_id = $1::text::uuid",
            webhook_id,
        )
    refused(await shared.post(f"/me/webhooks/{webhook_id}/test", me), 409, "webhook_disabled")
    for _ in range(2):
        told = (await shared.post(f"/me/webhooks/{webhook_id}/enable", me)).json()
        assert (told["enabled"], told["failingSince"]) == (True, None)
    assert (await shared.post(f"/me/webhooks/{webhook_id}/test", me)).status_code == 202


async def test_ten_are_enough(shared: World) -> None:
    me = await shared.user()
    for _ in range(10):
        await add(shared, me)
    refused(await shared.post("/me/webhooks", me, {"url": URL}), 409, "too_many_webhooks")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "https://user:pass@example.com/",
        "https://example.com/#part",
        "https://exa mple.com/",
        "https://example.com:99999/",
        "https:///nowhere",
        "https://exämple.com/",
        "https://example.com\\@localhost/",
    ],
)
async def test_an_address_that_cannot_be_posted_to_is_refused(shared: World, url: str) -> None:
    refused(
        await shared.post("/me/webhooks", await shared.user(), {"url": url}), 422, "invalid_request", "/url"
    )
