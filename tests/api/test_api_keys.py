"""API keys over HTTP: made by people, used by programs, within what they were made for (A-15, A-16)."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deedbook.api.callers import KNOWN_S
from deedbook.identity import Role
from deedbook.identity.keys import MAX_LIVING
from tests.api.support import refused
from tests.support.floor import Floor
from tests.support.waiting import eventually
from tests.support.world import User, World

EVERY_SCOPE = ["account", "read", "trade"]


async def make(world: World, user: User, *scopes: str, **more: Any) -> dict[str, Any]:
    """A key of this user, with its text."""
    body = {"name": "bot", "scopes": list(scopes or EVERY_SCOPE), **more}
    answer = await world.post("/me/api-keys", user, body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def showing(made: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {made['apiKey']}"}


async def listed(world: World, user: User) -> list[dict[str, Any]]:
    answer = await world.http.get("/me/api-keys", headers=user.headers)
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


async def send(
    floor: Floor, user: User, made: dict[str, Any], path: str = "", **fields: Any
) -> httpx2.Response:
    """An order that the user has signed, sent in by the key."""
    body = floor.order(user, **fields)
    return await floor.world.http.post("/trading/orders" + path, headers=showing(made), json=body)


async def test_a_key_is_shown_once_and_its_secret_is_kept_nowhere(shared: World) -> None:
    user, body = await shared.user(), {"name": "bot", "scopes": ["read"]}
    key = str(uuid4())
    first = await shared.post("/me/api-keys", user, body, **{"Idempotency-Key": key})
    again = await shared.post("/me/api-keys", user, body, **{"Idempotency-Key": key})
    assert (first.status_code, again.status_code) == (201, 201)
    text = first.json()["apiKey"]
    assert text.startswith("dbk_") and again.json() == {**first.json(), "apiKey": None}
    assert again.headers["Idempotent-Replayed"] == "true"
    (shown,) = await listed(shared, user)
    assert shown == first.json()["key"]
    secret = text.rpartition("_")[2]
    async with shared.db.reading() as connection:
        for table in ("api_keys", "idempotency_keys", "events"):
            rows = await connection.fetch(f"SELECT t::text AS row FROM {table} t")
            assert rows and not [row for row in rows if secret in row["row"]]
            assert not [row for row in rows if secret.encode().hex() in row["row"]]


async def test_a_key_of_staff_looks_at_nothing_of_others(floor: Floor) -> None:
    operator, other = await floor.investor("0", "0", Role.OPERATOR), await floor.investor("200")
    made = await make(floor.world, operator)
    for path in (f"/trading/users/{other.user_id}/orders", f"/trading/users/{other.user_id}/settlements"):
        assert (await floor.world.http.get(path, headers=operator.headers)).status_code == 200
        assert (await floor.world.http.get(path, headers=showing(made))).status_code == 404
    mine = f"/trading/users/{operator.user_id}/orders"
    assert (await floor.world.http.get(mine, headers=showing(made))).status_code == 200


async def test_making_and_ending_a_key_is_told_to_auditors(shared: World) -> None:
    user = await shared.user()
    made = await make(shared, user, "read", dailyNotional="10.5")
    for _ in range(2):
        ended = await shared.http.delete(
            f"/me/api-keys/{made['key']['id']}", headers={**user.headers, "Idempotency-Key": str(uuid4())}
        )
        assert ended.status_code == 200 and ended.json()["revokedAt"] is not None
    async with shared.db.reading() as connection:
        told = await connection.fetch(
            "SELECT event_type, actor_id, before, after FROM events WHERE stream_id = $1 ORDER BY position",
            made["key"]["id"],
        )
    assert [(row["event_type"], row["actor_id"]) for row in told] == [
        ("api_key.created", user.user_id),
        ("api_key.revoked", user.user_id),
    ]
    assert told[0]["after"]["dailyNotional"] == "10500000000000000000"
    assert (told[1]["before"]["revokedAt"], told[1]["after"]["revokedAt"]) == (
        None,
        ended.json()["revokedAt"],
    )


@pytest.mark.parametrize("header", ["bearer", "own"])
async def test_a_key_speaks_for_its_user_when_it_is_shown_in_either_way(shared: World, header: str) -> None:
    user = await shared.user()
    made = await make(shared, user)
    shown = showing(made) if header == "bearer" else {"X-API-Key": made["apiKey"]}
    told = await shared.http.get("/me", headers=shown)
    assert (told.status_code, told.json()["userId"]) == (200, str(user.user_id))
    both = {**user.headers, "X-API-Key": made["apiKey"]}
    refused(await shared.http.get("/me", headers=both), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/me", "read"),
        ("/trading/users/{user}/orders", "read"),
        ("/ledger", "account"),
        ("/tokens/balances/{user}", "account"),
        ("/withdrawals", "account"),
    ],
)
async def test_a_key_reads_only_what_it_was_made_for(shared: World, path: str, scope: str) -> None:
    user = await shared.user()
    address = path.replace("{user}", str(user.user_id))
    right = await make(shared, user, scope)
    assert (await shared.http.get(address, headers=showing(right))).status_code == 200
    wrong = await make(shared, user, *(other for other in EVERY_SCOPE if other != scope))
    refused(await shared.http.get(address, headers=showing(wrong)), 403, "key_scope_missing")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/me/api-keys"),
        ("GET", "/me/api-keys"),
        ("DELETE", "/me/api-keys/0192f0a2-7c3e-7b1d-9a4e-3f2b1c0d9e8f"),
        ("POST", "/withdrawals"),
        ("POST", "/withdrawals/addresses"),
        ("PUT", "/withdrawals/allow-list"),
        ("POST", "/deposits"),
        ("POST", "/ws/ticket"),
        ("POST", "/auth/logout"),
        ("POST", "/markets/register"),
        ("GET", "/admin/queues"),
        ("PUT", "/me/leaderboard"),
    ],
)
async def test_no_key_moves_money_or_authority_or_makes_keys(shared: World, method: str, path: str) -> None:
    """Whatever scopes it has, and whatever its user is."""
    user = await shared.issuer()
    made = await make(shared, user)
    headers = {**showing(made), "Idempotency-Key": str(uuid4())}
    answer = await shared.http.request(method, path, headers=headers, json={} if method != "GET" else None)
    refused(answer, 403, "forbidden")


async def test_another_user_never_sees_or_ends_a_key(shared: World) -> None:
    user, other = await shared.user(), await shared.user()
    made = await make(shared, user)
    headers = {**other.headers, "Idempotency-Key": str(uuid4())}
    address = f"/me/api-keys/{made['key']['id']}"
    refused(await shared.http.delete(address, headers=headers), 404, "api_key_not_found")
    assert await listed(shared, other) == []
    assert (await shared.http.get("/me", headers=showing(made))).status_code == 200


@pytest.mark.parametrize("change", ["secret", "id", "shape", "longer"])
async def test_a_key_that_was_altered_is_nobodys(shared: World, change: str) -> None:
    made = await make(shared, await shared.user())
    head, key_id, secret = made["apiKey"].split("_")
    flipped = "0" if secret[-1] != "0" else "1"
    altered = {
        "secret": f"{head}_{key_id}_{secret[:-1]}{flipped}",
        "id": f"{head}_{uuid4().hex}_{secret}",
        "shape": f"{head}_{key_id.upper()}_{secret}" if key_id.upper() != key_id else f"{head}_{secret}",
        "longer": made["apiKey"] + "0",
    }[change]
    answer = await shared.http.get("/me", headers={"Authorization": f"Bearer {altered}"})
    refused(answer, 401, "unauthenticated")


async def test_a_key_is_worth_nothing_when_its_time_is_over(shared: World) -> None:
    made = await make(shared, await shared.user())
    async with shared.db.transaction() as tx:
        await tx.execute("UPDATE api_keys SET expires_at = now() WHERE key_id = $1", made["key"]["id"])
    refused(await shared.http.get("/me", headers=showing(made)), 401, "unauthenticated")


async def test_a_key_ends_with_its_users_account(shared: World) -> None:
    user = await shared.user()
    made = await make(shared, user)
    async with shared.db.transaction() as tx:
        await tx.execute("UPDATE users SET disabled_at = now() WHERE user_id = $1", user.user_id)
    refused(await shared.http.get("/me", headers=showing(made)), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("allowed", "peer", "status"),
    [
        (["127.0.0.1"], "127.0.0.1", 200),
        (["10.0.0.0/8", "127.0.0.0/24"], "127.0.0.1", 200),
        (["203.0.113.7"], "127.0.0.1", 403),
        (["2001:db8::1"], "127.0.0.1", 403),
    ],
)
async def test_a_key_is_used_only_from_where_its_owner_said(
    shared: World, allowed: list[str], peer: str, status: int
) -> None:
    user = await shared.user()
    made = await make(shared, user, allowedAddresses=allowed)
    headers = {**showing(made), "X-Forwarded-For": "203.0.113.7"}
    answer = await shared.http.get("/me", headers=headers)
    assert answer.status_code == status
    if status == 403:
        refused(answer, 403, "key_address_refused")


async def test_nobody_has_more_keys_than_one_can_look_after(shared: World) -> None:
    user = await shared.user()
    made = [await make(shared, user, "read") for _ in range(MAX_LIVING - 1)]
    body = {"name": "bot", "scopes": ["read"]}
    answers = await asyncio.gather(*(shared.post("/me/api-keys", user, body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    refused(await shared.post("/me/api-keys", user, body), 409, "too_many_api_keys")
    headers = {**user.headers, "Idempotency-Key": str(uuid4())}
    await shared.http.delete(f"/me/api-keys/{made[0]['key']['id']}", headers=headers)
    assert (await shared.post("/me/api-keys", user, body)).status_code == 201
    page = (await shared.http.get("/me/api-keys?limit=15", headers=user.headers)).json()
    rest = (
        await shared.http.get(f"/me/api-keys?limit=15&cursor={page['nextCursor']}", headers=user.headers)
    ).json()
    assert len({key["id"] for key in page["data"] + rest["data"]}) == MAX_LIVING + 1
    assert rest["nextCursor"] is None


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["withdraw"]}, "/scopes/0"),
        ({"name": ""}, "/name"),
        ({"expiresInDays": 0}, "/expiresInDays"),
        ({"expiresInDays": 366}, "/expiresInDays"),
        ({"allowedAddresses": ["example.com"]}, "/allowedAddresses/0"),
        ({"ordersPerMinute": 0}, "/ordersPerMinute"),
        ({"dailyNotional": "0"}, "/dailyNotional"),
        ({"userId": str(uuid4())}, "/userId"),
    ],
)
async def test_a_key_is_refused_when_what_it_should_do_cannot_be_meant(
    shared: World, fields: dict[str, Any], pointer: str
) -> None:
    body = {"name": "bot", "scopes": ["read"], **fields}
    refused(await shared.post("/me/api-keys", await shared.user(), body), 422, "invalid_request", pointer)


async def test_when_and_from_where_a_key_was_used_is_noted_behind_its_back(shared: World) -> None:
    user = await shared.user()
    made = await make(shared, user)
    await shared.http.get("/me", headers=showing(made))
    await shared.app.state.key_uses.tell()
    (shown,) = await listed(shared, user)
    assert shown["lastUsedFrom"] == "127.0.0.1" and shown["lastUsedAt"] is not None


async def test_a_key_sends_in_and_cancels_what_its_user_signed(floor: Floor) -> None:
    user = await floor.investor("500")
    made = await make(floor.world, user, "trade")
    placed = await send(floor, user, made)
    assert placed.status_code == 201, placed.text
    cancelled = await floor.world.http.delete(f"/trading/orders/{placed.json()['id']}", headers=showing(made))
    assert cancelled.status_code == 202
    refused(await floor.world.http.get("/me", headers=showing(made)), 403, "key_scope_missing")


async def test_a_key_places_nothing_for_another_or_without_a_signature(floor: Floor) -> None:
    user, other = await floor.investor("500"), await floor.investor("500")
    made = await make(floor.world, user)
    headers = showing(made)
    refused(
        await floor.world.http.post("/trading/orders", headers=headers, json=floor.order(other)),
        404,
        "wallet_not_yours",
    )
    forged = floor.order(user, signer=other)
    refused(
        await floor.world.http.post("/trading/orders", headers=headers, json=forged), 401, "signature_refused"
    )


async def test_a_key_that_only_reads_sends_nothing_in(floor: Floor) -> None:
    user = await floor.investor("500")
    made = await make(floor.world, user, "read", "account")
    refused(await send(floor, user, made), 403, "key_scope_missing")
    theirs = await floor.place(user)
    refused(
        await floor.world.http.delete(f"/trading/orders/{theirs['id']}", headers=showing(made)),
        403,
        "key_scope_missing",
    )


async def test_a_key_that_was_ended_sends_no_order_soon_after(floor: Floor) -> None:
    """At once where it is asked for; for orders, within the time for which callers are remembered."""
    user = await floor.investor("500")
    made = await make(floor.world, user)
    assert (await send(floor, user, made)).status_code == 201
    headers = {**user.headers, "Idempotency-Key": str(uuid4())}
    await floor.world.http.delete(f"/me/api-keys/{made['key']['id']}", headers=headers)
    refused(await floor.world.http.get("/me", headers=showing(made)), 401, "unauthenticated")

    async def is_refused() -> bool:
        return (await send(floor, user, made, price="1")).status_code == 401

    await eventually(is_refused, "the key is refused", within_s=KNOWN_S + 5)


async def test_a_keys_own_limit_holds_for_orders_in_batches_too_and_in_parallel(floor: Floor) -> None:
    user = await floor.investor("5000")
    made = await make(floor.world, user, ordersPerMinute=3)
    one = [send(floor, user, made, price="1") for _ in range(3)]
    batch = {"orders": [floor.order(user, price="1") for _ in range(3)]}
    many = floor.world.http.post("/trading/orders/batch", headers=showing(made), json=batch)
    *single, together = await asyncio.gather(*one, many)
    outcomes = [answer.status_code for answer in single] + [
        item["status"] for item in together.json()["data"]
    ]
    assert sorted(outcomes) == [201, 201, 201, 429, 429, 429]
    assert (await floor.send(user, floor.order(user, price="1"))).status_code == 201


async def test_many_keys_never_send_more_than_their_user_may(floor: Floor) -> None:
    """A-16: the user's own limit is counted before all of their keys."""
    user = await floor.investor("5000")
    made = [await make(floor.world, user) for _ in range(3)]
    limiter = floor.world.app.state.limiter
    allowed = limiter.limits["orders"]
    limiter.limits["orders"] = 4
    try:
        answers = await asyncio.gather(*(send(floor, user, made[turn % 3], price="1") for turn in range(9)))
    finally:
        limiter.limits["orders"] = allowed
    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [429] * 5


async def test_a_keys_daily_cap_is_never_exceeded_when_many_orders_come_at_once(floor: Floor) -> None:
    """A-15: ten orders of 100 dollars each, of which three fit into 350."""
    user = await floor.investor("5000")
    made = await make(floor.world, user, dailyNotional="350")
    answers = await asyncio.gather(*(send(floor, user, made) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [403] * 7
    refused(await send(floor, user, made), 403, "key_cap_reached")
    assert (await send(floor, user, made, price="50")).status_code == 201
    assert (await floor.send(user, floor.order(user))).status_code == 201


async def test_what_was_refused_does_not_count_against_a_keys_cap(floor: Floor) -> None:
    user = await floor.investor("150")
    made = await make(floor.world, user, dailyNotional="350")
    placed = [(await send(floor, user, made)).status_code for _ in range(5)]
    assert placed == [201, 422, 422, 422, 422]
    assert (await send(floor, user, made, price="50")).status_code == 201


async def test_the_first_answer_comes_again_when_a_keys_cap_is_used_up(floor: Floor) -> None:
    user = await floor.investor("500")
    made = await make(floor.world, user, dailyNotional="100")
    body, headers = floor.order(user), {**showing(made), "Idempotency-Key": str(uuid4())}
    answers = [await floor.world.http.post("/trading/orders", headers=headers, json=body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.json()["id"] for answer in answers}) == 1
    refused(await send(floor, user, made, price="0.01"), 403, "key_cap_reached")


async def test_a_seller_counts_at_the_best_bid_when_the_limit_lies_under_it(floor: Floor) -> None:
    """Else a key with a small cap would sell everything by asking for a cent."""
    buyer, seller = await floor.investor("5000"), await floor.investor("0", "10")
    made = await make(floor.world, seller, dailyNotional="150")
    await floor.place(buyer, quantity="20", price="100")
    await floor.match()
    answers = [await send(floor, seller, made, side="SELL", price="0.01") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 403]
