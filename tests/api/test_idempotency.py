"""Idempotency keys: at most one effect, the first answer again, and nothing kept of what was refused."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from deedbook.identity import Role
from tests.api.support import refused
from tests.support.world import User, World, registration


@pytest.fixture(scope="module")
async def issuer(shared: World) -> User:
    return await shared.issuer()


def _key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def _kept(world: World, user: User) -> int:
    async with world.db.reading() as connection:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM idempotency_keys WHERE principal = $1::text", str(user.user_id)
            )
        )


async def test_the_first_answer_comes_again_when_a_request_is_repeated(shared: World, issuer: User) -> None:
    body, key = registration(), _key()

    first, *again = [await shared.post("/markets/register", issuer, body, **key) for _ in range(3)]

    assert first.status_code == 201 and "Idempotent-Replayed" not in first.headers
    for repeated in again:
        assert (repeated.status_code, repeated.content) == (201, first.content)
        assert repeated.headers["Idempotent-Replayed"] == "true"
        assert repeated.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("change", ["body", "path", "if-match", "spacing"])
async def test_a_key_is_refused_when_it_is_used_for_another_request(
    shared: World, issuer: User, change: str
) -> None:
    body, key = registration(), _key()
    await shared.post("/markets/register", issuer, body, **key)
    match change:
        case "body":
            answer = await shared.post("/markets/register", issuer, {**body, "description": "more"}, **key)
        case "path":
            answer = await shared.post(
                "/documents", issuer, {"title": "t", "kind": "k", "sha256": "00" * 32}, **key
            )
        case "if-match":
            answer = await shared.post("/markets/register", issuer, body, **key, **{"If-Match": '"1"'})
        case _:
            text = str(body).replace("'", '"').encode()
            headers = {**issuer.headers, **key, "Content-Type": "application/json"}
            answer = await shared.http.post("/markets/register", content=text, headers=headers)
    refused(answer, 422, "idempotency_key_reused")


@pytest.mark.parametrize("step", ["approve", "activate", "pause", "resume", "archive"])
async def test_a_key_is_required_when_authority_moves(shared: World, issuer: User, step: str) -> None:
    assert issuer.entity_id is not None
    officer, market = await shared.officer(issuer.entity_id), await shared.register(issuer)
    body = {"decision": "approve"} if step == "approve" else {}
    answer = await shared.http.post(f"/markets/{market['id']}/{step}", headers=officer.headers, json=body)
    refused(answer, 400, "idempotency_key_required")


async def test_a_key_is_required_when_an_operator_repeats_a_job(shared: World) -> None:
    operator = await shared.user(Role.OPERATOR)
    answer = await shared.http.post("/admin/jobs/housekeeping/x/retry", headers=operator.headers)
    refused(answer, 400, "idempotency_key_required")


async def test_a_key_may_be_missing_when_nothing_moves_authority(shared: World, issuer: User) -> None:
    for path, body in (
        ("/markets/register", registration()),
        ("/documents", {"title": "t", "kind": "k", "sha256": "00" * 32}),
    ):
        answers = [await shared.http.post(path, headers=issuer.headers, json=body) for _ in range(2)]
        assert [answer.status_code for answer in answers] == (
            [201, 409] if "register" in path else [201, 201]
        )


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ключ", "a\tb", "x" * 10_000], ids=ascii)
async def test_a_key_is_refused_when_it_cannot_be_read(shared: World, issuer: User, key: str) -> None:
    headers: Any = {**issuer.headers, "Idempotency-Key": key.encode()}
    answer = await shared.http.post("/markets/register", headers=headers, json=registration())
    refused(answer, 400, "idempotency_key_malformed")


@pytest.mark.parametrize("key", ["x", "x" * 255, "';DROP/**/TABLE/**/markets;--", "../..", "~!@#"])
async def test_a_key_is_taken_when_it_is_visible_ascii(shared: World, issuer: User, key: str) -> None:
    body = registration()
    for _ in range(2):
        answer = await shared.post("/markets/register", issuer, body, **{"Idempotency-Key": key})
        assert answer.status_code == 201


async def test_one_market_is_made_when_the_same_request_comes_many_times_at_once(shared: World) -> None:
    issuer, body, key = await shared.issuer(), registration(), _key()

    answers = await asyncio.gather(
        *(shared.post("/markets/register", issuer, body, **key) for _ in range(20))
    )

    told = Counter((answer.status_code, answer.headers.get("Idempotent-Replayed")) for answer in answers)
    assert told[201, None] == 1
    assert set(told) <= {(201, None), (201, "true"), (409, None)}
    for answer in answers:
        if answer.status_code == 409:
            refused(answer, 409, "idempotency_key_in_flight")
            assert int(answer.headers["Retry-After"]) >= 1
    async with shared.db.reading() as connection:
        made = await connection.fetchval(
            "SELECT count(*) FROM markets WHERE issuer_user_id = $1", issuer.user_id
        )
        facts = await connection.fetchval("SELECT count(*) FROM events WHERE actor_id = $1", issuer.user_id)
    assert (made, facts) == (1, 3)  # the user, the registration, the request for approval
    assert (await shared.post("/markets/register", issuer, body, **key)).headers[
        "Idempotent-Replayed"
    ] == "true"


async def test_one_decision_is_made_when_the_same_click_comes_many_times_at_once(
    shared: World, issuer: User
) -> None:
    assert issuer.entity_id is not None
    officer, market, key = await shared.officer(issuer.entity_id), await shared.register(issuer), _key()
    path = f"/markets/{market['id']}/approve"
    answers = await asyncio.gather(
        *(shared.post(path, officer, {"decision": "approve"}, **key) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert Counter(answer.status_code for answer in answers)[200] >= 1
    again = await shared.post(path, officer, {"decision": "approve"}, **key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")


async def test_a_key_belongs_to_its_user_when_two_use_the_same(shared: World) -> None:
    one, two, key = await shared.issuer(), await shared.issuer(), _key()
    first = await shared.post("/markets/register", one, registration(), **key)
    second = await shared.post("/markets/register", two, registration(), **key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"] and "Idempotent-Replayed" not in second.headers


async def test_nothing_is_kept_when_the_request_was_refused(shared: World) -> None:
    issuer, key = await shared.issuer(), _key()
    taken = await shared.register(issuer)
    before = await _kept(shared, issuer)
    body = registration()
    refused(
        await shared.post("/markets/register", issuer, {**body, "totalSupply": "0"}, **key),
        422,
        "invalid_request",
    )
    clash = {**body, "tokenSymbol": taken["tokenSymbol"]}
    refused(await shared.post("/markets/register", issuer, clash, **key), 409, "symbol_taken")
    missing = {**body, "assetDetails": {"complianceDocuments": [str(uuid4())]}}
    refused(await shared.post("/markets/register", issuer, missing, **key), 422, "invalid_request")
    assert await _kept(shared, issuer) == before

    assert (await shared.post("/markets/register", issuer, body, **key)).status_code == 201


async def test_nothing_is_kept_when_the_permission_service_is_down(world: World) -> None:
    issuer, key, body = await world.issuer(), _key(), registration()
    world.permissions.down = True
    refused(await world.post("/markets/register", issuer, body, **key), 503, "permissions_unavailable")
    world.permissions.down = False
    first = await world.post("/markets/register", issuer, body, **key)
    assert (first.status_code, "Idempotent-Replayed" in first.headers) == (201, False)


async def test_the_first_answer_comes_again_when_the_market_has_moved_on(shared: World, issuer: User) -> None:
    assert issuer.entity_id is not None
    body, key = registration(), _key()
    first = (await shared.post("/markets/register", issuer, body, **key)).json()
    officer = await shared.officer(issuer.entity_id)
    await shared.post(f"/markets/{first['id']}/approve", officer, {"decision": "approve"})
    again = await shared.post("/markets/register", issuer, body, **key)
    assert again.json() == first and again.json()["status"] == "pending_approval"
