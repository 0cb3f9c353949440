"""Browsers that I subscribe over HTTP: by the installation's key, known by their service alone."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from deedbook.infra.embedded import EmbeddedValkey
from tests.api.support import every_refusal_is_a_problem, refused
from tests.support.push_service import Browser, from_base64url
from tests.support.servers import PostgresServer
from tests.support.world import User, World, open_world

ENDPOINT = "https://push.example.com/push/the-secret-name"


@pytest.fixture(scope="module")
async def pushing(postgres: PostgresServer, valkey: EmbeddedValkey) -> AsyncIterator[World]:
    """A world that pushes."""
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), PUSH_CONTACT="mailto:ops@deedbook.test") as opened:
        opened.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield opened
    await postgres.drop(dsn)


async def mine(world: World, user: User) -> dict[str, Any]:
    told: dict[str, Any] = (await world.http.get("/me/push-subscriptions", headers=user.headers)).json()
    return told


async def test_a_browser_is_subscribed_listed_and_taken_away(pushing: World) -> None:
    user = await pushing.user()
    offered = await mine(pushing, user)
    assert len(from_base64url(offered["applicationServerKey"])) == 65 and offered["subscriptions"] == []
    body = {**Browser(ENDPOINT).subscription(), "description": "the telephone"}
    made = await pushing.post("/me/push-subscriptions", user, body)
    assert made.status_code == 201, made.text
    assert (made.json()["service"], made.json()["description"]) == ("push.example.com", "the telephone")
    listed = await pushing.http.get("/me/push-subscriptions", headers=user.headers)
    assert listed.json()["subscriptions"] == [made.json()]
    assert "the-secret-name" not in made.text + listed.text
    headers = {**user.headers, "Idempotency-Key": str(uuid4())}
    gone = await pushing.http.delete(f"/me/push-subscriptions/{made.json()['id']}", headers=headers)
    assert gone.json() == {"id": made.json()["id"], "removed": True}
    assert (await mine(pushing, user))["subscriptions"] == []


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("endpoint", "ftp://push.example.com/", "/endpoint"),
        ("p256dh", "A" * 87, "/keys/p256dh"),
        ("auth", "A" * 21, "/keys/auth"),
        ("auth", "A" * 21 + "=", "/keys/auth"),
        ("auth", "A" * 24, "/keys/auth"),
        ("p256dh", "A" * 85 + "==", "/keys/p256dh"),
        ("p256dh", "!" * 87, "/keys/p256dh"),
    ],
)
async def test_what_no_browser_gives_is_refused_with_its_place(
    pushing: World, field: str, value: str, pointer: str
) -> None:
    body = Browser(ENDPOINT).subscription()
    (body if field in body else body["keys"])[field] = value
    answer = await pushing.post("/me/push-subscriptions", await pushing.user(), body)
    refused(answer, 422, "invalid_request", pointer)


async def test_nothing_is_subscribed_where_nothing_is_pushed(shared: World) -> None:
    user = await shared.user()
    assert (await mine(shared, user))["applicationServerKey"] is None
    answer = await shared.post("/me/push-subscriptions", user, Browser(ENDPOINT).subscription())
    refused(answer, 409, "channel_not_set_up")
