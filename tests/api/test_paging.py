"""Lists: walked to the end once each, whatever is inserted meanwhile; cursors that are not ours are refused."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbook.api.paging import decode_moment_and_id, decode_moment_and_ids, decode_position, encode_cursor
from deedbook.identity import Role
from deedbook.kernel.errors import Invalid
from tests.api.support import caller_of, refused
from tests.markets.support import registered
from tests.support.world import World


def cursor(*told: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(told)).encode()).decode().rstrip("=")


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1000, 1, 1)), st.uuids())  # noqa: DTZ001
def test_a_cursor_gives_its_place_again_when_it_is_read(moment: datetime, entry: UUID) -> None:
    assert decode_moment_and_id("markets", encode_cursor("markets", moment, entry)) == (moment, entry)


@given(st.integers(0, 2**62 - 1))
def test_a_position_comes_again_when_its_cursor_is_read(position: int) -> None:
    assert decode_position("audit", encode_cursor("audit", position)) == position


@given(
    st.text(max_size=310) | st.binary(max_size=220).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
)
def test_a_cursor_is_refused_when_it_is_anything_else(text: str) -> None:
    for decode in (decode_moment_and_id, decode_moment_and_ids, decode_position):
        with pytest.raises(Invalid):
            decode("markets", text)


NOW, ONE = "2026-01-02T03:04:05.000006Z", "0192f0a2-7c3e-7b1d-9a4e-3f2b1c0d9e8f"
FORGED = [
    cursor("market-events", 5),
    cursor("audit", NOW, ONE),
    cursor("markets", NOW),
    cursor("markets", NOW, ONE, 1),
    cursor("markets", NOW, "x"),
    cursor("markets", NOW, 7),
    cursor("markets", ONE, NOW),
    cursor("markets", "0001-01-01T00:00:00+14:00", ONE),
    cursor("markets", "9999-12-31T23:59:59.999999-14:00", ONE),
    cursor("markets", "2026-01-02T03:04:05", ONE),
    cursor("markets", "2026-W01-1", ONE),
    cursor("markets", None, None),
    cursor("markets", 1e400, ONE),
    cursor("markets", ["x"], {"y": 1}),
    cursor(["markets"], NOW, ONE),
    cursor(),
    base64.urlsafe_b64encode(b'{"0":"markets"}').decode().rstrip("="),
    base64.urlsafe_b64encode(b"[" * 200).decode().rstrip("="),
    base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("="),
]


@pytest.mark.parametrize("forged", FORGED, ids=lambda text: text[:30])
async def test_a_list_is_refused_when_the_cursor_is_forged(shared: World, forged: str) -> None:
    refused(
        await shared.http.get("/markets", params={"cursor": forged}), 422, "invalid_request", "/query/cursor"
    )


@pytest.mark.parametrize(
    "forged", [cursor("market-events", bad) for bad in (-1, 2**62, 1.0, True, None, "1", [1])]
)
async def test_a_history_is_refused_when_the_cursor_is_forged(world: World, forged: str) -> None:
    market = await world.register(await world.issuer())
    answer = await world.http.get(f"/markets/{market['id']}/events", params={"cursor": forged})
    refused(answer, 422, "invalid_request", "/query/cursor")


async def _walk(world: World, path: str, limit: int, **params: Any) -> list[dict[str, Any]]:
    """The whole list, page by page."""
    headers = params.pop("headers", {})
    entries: list[dict[str, Any]] = []
    following: str | None = None
    while True:
        asked = {**params, "limit": limit, **({"cursor": following} if following else {})}
        page = (await world.http.get(path, params=asked, headers=headers)).json()
        assert len(page["data"]) <= limit
        entries += page["data"]
        following = page["nextCursor"]
        if following is None:
            return entries
        assert len(page["data"]) == limit


@pytest.mark.parametrize("limit", [1, 3, 7, 10, 200])
async def test_a_walk_meets_each_market_once_when_more_are_registered_meanwhile(
    world: World, limit: int
) -> None:
    caller = caller_of(await world.issuer())
    present = {str((await registered(world.db, caller)).market_id) for _ in range(20)}
    walking = True

    async def insert() -> None:
        while walking:
            await registered(world.db, caller)
            await asyncio.sleep(0)

    inserting = asyncio.create_task(insert())
    entries = await _walk(world, "/markets", limit)
    walking = False
    await inserting

    met = [entry["id"] for entry in entries]
    assert len(met) == len(set(met))
    assert present <= set(met)
    assert [entry["createdAt"] for entry in entries] == sorted(
        (e["createdAt"] for e in entries), reverse=True
    )


async def test_a_walk_meets_each_market_once_when_all_were_registered_in_one_moment(world: World) -> None:
    caller = caller_of(await world.issuer())
    made = {str((await registered(world.db, caller)).market_id) for _ in range(9)}
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE markets SET created_at = now()")
    met = [entry["id"] for entry in await _walk(world, "/markets", 2)]
    assert sorted(met) == sorted(made)


async def test_a_list_holds_only_what_was_asked_for_when_it_is_filtered(world: World) -> None:
    one, two = await world.issuer(), await world.issuer()
    mine = await world.register(one, name="100% Harbour_1", assetType="commodity")
    await world.register(two, name="1000 Harbours")
    asked: list[tuple[dict[str, str], int]] = [
        ({"issuerId": str(one.entity_id)}, 1),
        ({"issuerId": str(uuid4())}, 0),
        ({"assetType": "commodity"}, 1),
        ({"status": "active"}, 0),
        ({"status": "pending_approval"}, 2),
        ({"text": "harbour"}, 2),
        ({"text": "100%"}, 1),
        ({"text": "r_1"}, 1),
        ({"text": "%"}, 1),
        ({"text": "\\"}, 0),
        ({"text": mine["tokenSymbol"].lower()}, 1),
        ({"text": "harbour", "status": "pending_approval", "assetType": "commodity"}, 1),
    ]
    for params, many in asked:
        assert len((await world.http.get("/markets", params=params)).json()["data"]) == many, params


async def test_a_history_and_the_audit_are_whole_when_walked_in_small_pages(world: World) -> None:
    issuer = await world.issuer()
    assert issuer.entity_id is not None
    market = await world.register(issuer)
    officer = await world.officer(issuer.entity_id)
    await world.post(f"/markets/{market['id']}/approve", officer, {"decision": "approve"})

    history = await _walk(world, f"/markets/{market['id']}/events", 1)
    audit = await _walk(world, "/admin/audit", 2, headers=officer.headers)

    told = [entry["eventType"].removeprefix("market.") for entry in history]
    assert told == ["registered", "approval_requested", "approved", "activation_started"]
    assert len({entry["eventId"] for entry in audit}) == len(audit) >= 6


async def test_jobs_are_walked_whole_when_an_operator_looks(world: World) -> None:
    async with world.db.transaction() as tx:
        for number in range(7):
            await tx.execute(
                "INSERT INTO jobs (job_id, queue, name, data) VALUES ($1, 'housekeeping', 'x', '{}')",
                f"job-{number}",
            )
    operator = await world.user(Role.OPERATOR)
    jobs = await _walk(world, "/admin/queues/housekeeping/jobs", 3, headers=operator.headers)
    assert [job["jobId"] for job in jobs] == [f"job-{number}" for number in range(6, -1, -1)]


async def test_the_etag_moves_on_when_the_market_does(world: World) -> None:
    issuer = await world.issuer()
    assert issuer.entity_id is not None
    market = await world.register(issuer)
    officer = await world.officer(issuer.entity_id)
    before = (await world.http.get(f"/markets/{market['id']}")).headers["ETag"]
    assert before == (await world.http.get(f"/markets/{market['id']}/details")).headers["ETag"]
    assert before == f'"{market["version"]}"'
    approve = f"/markets/{market['id']}/approve"
    for bad in ('"', "3", "abc", '"3', '"-1"', '"99999999999"', '"1", "2"', '"a"', "W/3", "\x00"):
        answer = await world.post(approve, officer, {"decision": "approve"}, **{"If-Match": bad})
        refused(answer, 400, "bad_if_match")
    refused(
        await world.post(approve, officer, {"decision": "approve"}, **{"If-Match": '"1"'}),
        412,
        "stale_version",
    )
    done = await world.post(approve, officer, {"decision": "approve"}, **{"If-Match": f"W/{before}"})
    assert done.status_code == 200
    assert (await world.http.get(f"/markets/{market['id']}")).headers["ETag"] == f'"{done.json()["version"]}"'
