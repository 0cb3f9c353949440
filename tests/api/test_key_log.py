"""What was asked under an API key, as its owner finds it."""

from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from deedbook.api import key_log
from deedbook.api.key_log import KeyLog, RequestLogUnavailable
from tests.api.support import refused
from tests.api.test_api_keys import make, send, showing
from tests.support.floor import Floor
from tests.support.waiting import eventually
from tests.support.world import User, World


async def log_of(world: World, user: User, key_id: str) -> list[dict[str, Any]]:
    answer = await world.http.get(f"/me/api-keys/{key_id}/requests", headers=user.headers)
    assert answer.status_code == 200, answer.text
    requests: list[dict[str, Any]] = answer.json()["requests"]
    return requests


async def test_an_owner_sees_what_was_asked_under_a_key_and_what_came_of_it(floor: Floor) -> None:
    world, owner = floor.world, await floor.investor("200")
    made, other = await make(world, owner), await make(world, owner, "read")
    orders = f"/trading/users/{owner.user_id}/orders"
    answers = [
        await send(floor, owner, made),
        await world.http.get(orders, headers=showing(made), params={"limit": "3"}),
        await world.http.get("/me/api-keys", headers=showing(made)),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 403]

    async def all_told() -> list[dict[str, Any]] | None:
        found = await log_of(world, owner, made["key"]["id"])
        return found if len(found) == len(answers) else None

    told = await eventually(all_told, "the requests are told")
    assert told is not None
    assert [(one["method"], one["path"], one["status"], one["requestId"]) for one in reversed(told)] == [
        ("POST", "/api/v1/trading/orders", 201, answers[0].headers["X-Request-Id"]),
        ("GET", f"/api/v1{orders}", 200, answers[1].headers["X-Request-Id"]),
        ("GET", "/api/v1/me/api-keys", 403, answers[2].headers["X-Request-Id"]),
    ]
    assert all(one["at"].endswith("Z") and one["tookMs"] >= 0 for one in told)
    assert await log_of(world, owner, other["key"]["id"]) == []


async def test_a_log_of_somebody_elses_key_is_not_there(shared: World) -> None:
    owner, stranger = await shared.user(), await shared.user()
    made = await make(shared, owner)
    path = f"/me/api-keys/{made['key']['id']}/requests"
    refused(await shared.http.get(path, headers=stranger.headers), 404, "api_key_not_found")
    refused(await shared.http.get(path, headers=showing(made)), 403, "forbidden")


async def test_the_latest_requests_are_kept_and_no_more(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_log, "KEPT", 3)
    kept, key_id = KeyLog(redis), uuid4()
    for number in range(5):
        kept.note(str(key_id), {"number": number})
    await kept.close()
    assert await kept.latest(key_id) == [{"number": 4}, {"number": 3}, {"number": 2}]
    kept.note(str(key_id), {"number": 5})
    await kept.close()
    assert await kept.latest(key_id) == [{"number": 5}, {"number": 4}, {"number": 3}]


async def test_a_log_that_cannot_be_reached_is_said_to_be_so_and_holds_up_nobody() -> None:
    async with Redis(host="127.0.0.1", port=1) as nowhere:
        lost = KeyLog(nowhere)
        lost.note("key", {"number": 1})
        await lost.close()
        with pytest.raises(RequestLogUnavailable):
            await lost.latest(uuid4())
