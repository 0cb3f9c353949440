"""Compliance over HTTP: who decides, who sees what, what is refused, and that the reason has its number."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from deedbook.identity import Role
from tests.api.office import APPROVED, BECAUSE, Office
from tests.api.support import refused
from tests.support.facts import count
from tests.support.workers import UNKNOWN_ID
from tests.support.world import User, World


async def test_a_record_is_written_read_and_changed_field_by_field(office: Office, shared: World) -> None:
    user = await shared.user()
    made = await office.decide(user, **APPROVED, expiresAt="2099-01-31T12:00:00+02:00")
    assert made.status_code == 200
    assert (made.json()["kycStatus"], made.json()["version"]) == ("APPROVED", 1)
    assert made.json()["expiresAt"] == "2099-01-31T10:00:00.000000Z"
    changed = (await office.decide(user, expiresAt=None, seen=1)).json()
    assert (changed["expiresAt"], changed["whitelisted"], changed["version"]) == (None, True, 2)
    told = (await office.standing(user, user)).json()
    assert told["records"] == [changed]
    assert (told["userId"], told["frozen"], told["onChain"]) == (str(user.user_id), False, False)


async def test_a_change_is_refused_when_another_officer_was_faster(office: Office, shared: World) -> None:
    user = await shared.user()
    await office.decide(user, **APPROVED)
    refused(await office.decide(user, kycLevel=2, seen=7), 412, "compliance_changed")
    refused(await office.decide(user, kycLevel=2, seen=0), 412, "compliance_changed")


async def test_a_repeated_request_changes_nothing_twice(office: Office, shared: World) -> None:
    user, key = await shared.user(), str(uuid4())
    body = {"tokenId": str(office.desk.token), **APPROVED}
    path = f"/tokens/compliance/{user.user_id}"
    first, again = [
        await shared.post(path, office.officer, body, **{"Idempotency-Key": key}) for _ in range(2)
    ]
    assert first.json() == again.json() and again.headers["Idempotent-Replayed"] == "true"
    assert len(await office.desk.facts(user.user_id)) == 1


async def test_nobody_decides_about_themselves_even_with_every_role(office: Office, shared: World) -> None:
    judge = await shared.user(*Role)
    refused(await office.decide(judge, judge, **APPROVED), 403, "four_eyes")
    for what, body in (
        ("freeze", BECAUSE),
        ("unfreeze", BECAUSE),
        ("sanctions", {**BECAUSE, "sanctioned": False}),
    ):
        refused(await office.act(judge, what, body, by=judge), 403, "four_eyes")
    assert await count(shared.db, "compliance_records", "user_id = $1", judge.user_id) == 0


NEVER_TAKEN = (
    "status", "userId", "version", "provider", "providerReference", "updatedBy", "createdAt", "frozen", "sanctioned",
    "approvedBy", "balance", "id",
)  # fmt: skip


@pytest.mark.parametrize("name", NEVER_TAKEN)
async def test_a_field_that_is_not_the_callers_is_refused(office: Office, shared: World, name: str) -> None:
    user = await shared.user()
    refused(await office.decide(user, **{**APPROVED, name: "x"}), 422, "invalid_request", f"/{name}")
    refused(await office.act(user, "freeze", {**BECAUSE, name: "x"}), 422, "invalid_request", f"/{name}")
    refused(
        await office.rules({name: "x"}),
        422,
        "invalid_request",
    )
    assert await office.desk.facts(user.user_id, office.desk.token) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kycStatus", "approved"),
        ("kycStatus", None),
        ("kycLevel", 10),
        ("kycLevel", -1),
        ("kycLevel", "1"),
        ("kycLevel", 1.0),
        ("kycLevel", True),
        ("kycLevel", None),
        ("whitelisted", "true"),
        ("whitelisted", 1),
        ("whitelisted", None),
        ("accreditation", "vip"),
        ("accreditation", None),
        ("jurisdiction", "lu"),
        ("jurisdiction", "LUX"),
        ("jurisdiction", "L\n"),
        ("jurisdiction", "ＬＵ"),
        ("expiresAt", "2099-01-31"),
        ("expiresAt", "2099-01-31T12:00:00"),
        ("expiresAt", "2099-13-31T12:00:00Z"),
        ("expiresAt", "0001-01-01T00:00:00+14:00"),
        ("expiresAt", "9999-12-31T23:59:59-14:00"),
        ("expiresAt", "2001-01-01T00:00:00Z"),
        ("expiresAt", 4102444800),
        ("expiresAt", ["2099-01-31T12:00:00Z"]),
        ("accreditationExpiresAt", "soon"),
        ("tokenId", "x"),
        ("tokenId", None),
        ("tokenId", "{" + str(UUID(int=7)) + "}"),
    ],
)
async def test_a_value_that_says_nothing_is_refused_and_named(
    office: Office, shared: World, name: str, value: Any
) -> None:
    user = await shared.user()
    answer = await office.decide(user, **{**APPROVED, name: value})
    refused(answer, 422, "invalid_request", f"/{name}")
    assert await office.desk.facts(user.user_id) == []


@pytest.mark.parametrize("user_id", ["x", "%00", "..%2F..", "🏠", "a" * 10_000, "{" + UNKNOWN_ID + "}"])
async def test_an_id_that_is_none_is_refused(office: Office, shared: World, user_id: str) -> None:
    for path in (f"/tokens/compliance/{user_id}", f"/compliance/{user_id}/freeze"):
        answer = await shared.post(path, office.officer, BECAUSE)
        assert answer.status_code in (404, 422)


async def test_what_is_absent_reads_as_absent(office: Office, shared: World) -> None:
    nobody = User(uuid4(), office.officer.wallet, "", "", None)
    user = await shared.user()
    refused(await office.standing(nobody, office.officer), 404, "compliance_record_not_found")
    refused(await office.act(nobody, "freeze"), 404, "user_not_found")
    refused(await office.decide(nobody, **APPROVED), 404, "user_not_found")
    unknown = {"tokenId": str(uuid4()), **APPROVED}
    answer = await shared.post(f"/tokens/compliance/{user.user_id}", office.officer, unknown)
    refused(answer, 404, "token_not_found")
    refused(await shared.http.get(f"/tokens/{uuid4()}/rules"), 404, "token_not_found")


async def test_anothers_standing_reads_as_nobodys(office: Office, shared: World) -> None:
    user, other = await shared.user(), await shared.user(Role.ISSUER, Role.OPERATOR)
    nobody = User(uuid4(), office.officer.wallet, "", "", None)
    theirs, absent = await office.standing(user, other), await office.standing(nobody, other)
    same = ("code", "title", "detail", "status")
    assert [theirs.json()[name] for name in same] == [absent.json()[name] for name in same]
    assert (await office.standing(user, await shared.user(Role.ADMIN))).status_code == 200


async def test_a_frozen_account_is_told_why_and_its_operations_the_number(
    office: Office, shared: World
) -> None:
    user = await shared.user()
    await office.decide(user, **APPROVED)
    frozen = (await office.act(user, "freeze")).json()
    assert (frozen["frozen"], frozen["frozenReason"]) == (True, "looked at it")
    told = (await office.preview(user, operation="DEPOSIT", toUserId=str(user.user_id))).json()
    assert (told["allowed"], told["reason"], told["name"]) == (False, 3, "RECEIVER_FROZEN")
    thawed = (await office.act(user, "unfreeze")).json()
    assert (thawed["frozen"], thawed["frozenReason"]) == (False, None)
    told = (await office.preview(user, operation="DEPOSIT", toUserId=str(user.user_id))).json()
    assert (told["allowed"], told["reason"]) == (True, 0)


@pytest.mark.parametrize("reason", [None, "", " ", "x" * 1001, "\u202ereversed", "\x00", 7, ["x"]])
async def test_a_freeze_without_a_reason_is_refused(office: Office, shared: World, reason: Any) -> None:
    user = await shared.user()
    body = {} if reason is None else {"reason": reason}
    refused(await office.act(user, "freeze", body), 422, "invalid_request", "/reason")


async def test_a_sanctioned_account_is_not_served_until_people_say_so(office: Office, shared: World) -> None:
    user = await shared.user()
    await office.decide(user, **APPROVED)
    told = (await office.act(user, "sanctions", {**BECAUSE, "sanctioned": True})).json()
    assert told["sanctioned"] is True and told["screenedAt"]
    asked = {"operation": "DEPOSIT", "toUserId": str(user.user_id)}
    assert (await office.preview(user, **asked)).json()["reason"] == 30
    await office.act(user, "sanctions", {**BECAUSE, "sanctioned": False})
    assert (await office.preview(user, **asked)).json()["allowed"] is True


# Checks


async def test_a_user_has_themselves_checked_once_at_a_time(office: Office, shared: World) -> None:
    user = await shared.user()
    body = {
        "tokenId": str(office.desk.token),
        "legalName": "Ada of Hidden Lane",
        "country": "LU",
        "documentIds": ["passport-0815"],
    }
    path = f"/tokens/compliance/{user.user_id}/verify"
    asked = await shared.post(path, user, body)
    assert (asked.status_code, asked.json()["kycStatus"]) == (202, "PENDING")
    refused(await shared.post(path, user, body), 409, "check_under_way")
    assert await count(shared.db, "jobs", "name = 'verify-compliance' AND data::text LIKE '%Hidden%'") == 0
    assert await count(shared.db, "events", "payload::text LIKE '%Hidden%'") == 0
    assert await count(shared.db, "idempotency_keys", "body::text LIKE '%Hidden%'") == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("legalName", ""),
        ("legalName", "x" * 201),
        ("legalName", "two\nlines"),
        ("legalName", None),
        ("country", "Luxembourg"),
        ("country", None),
        ("documentIds", "passport"),
        ("documentIds", ["x"] * 21),
        ("kycStatus", "APPROVED"),
        ("whitelisted", True),
    ],
)
async def test_papers_that_say_nothing_are_refused(
    office: Office, shared: World, name: str, value: Any
) -> None:
    user = await shared.user()
    body = {"tokenId": str(office.desk.token), "legalName": "Ada", "country": "LU", name: value}
    answer = await shared.post(f"/tokens/compliance/{user.user_id}/verify", user, body)
    refused(answer, 422, "invalid_request", f"/{name}")
    assert await count(shared.db, "kyc_applications", "user_id = $1", user.user_id) == 0


# Lists


async def test_records_are_listed_in_pages_by_status_and_expiry(office: Office, shared: World) -> None:
    """The earliest first, whatever their ids are; those of one moment each once."""
    soon = datetime.now(UTC) + timedelta(days=3)
    users = [await shared.user() for _ in range(7)]
    for place, user in enumerate(users):
        ends = soon - timedelta(hours=place // 2)
        await office.decide(user, **APPROVED, expiresAt=ends.isoformat())
    for user in users[:2]:
        await office.decide(user, kycStatus="REJECTED")
    before = (soon + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    found: list[str] = []
    cursor: str | None = None
    for _ in range(20):
        asked = {"status": "APPROVED", "expiringBefore": before, "limit": "2"}
        asked |= {"cursor": cursor} if cursor else {}
        page = await shared.http.get("/compliance/records", params=asked, headers=office.officer.headers)
        assert page.status_code == 200, page.text
        found += [entry["userId"] for entry in page.json()["data"]]
        cursor = page.json()["nextCursor"]
        if cursor is None:
            break
    pairs = (users[6:7], users[4:6], users[2:4])
    assert found == [user_id for pair in pairs for user_id in sorted(str(user.user_id) for user in pair)]


@pytest.mark.parametrize(
    "query",
    [
        "status=approved",
        "expiringBefore=tomorrow",
        "expiringBefore=2099-01-01",
        "cursor=x",
        "cursor=WyJtYXJrZXRzIiwxXQ",
        "limit=0",
        "limit=201",
        "userId=1",
        "status=APPROVED&status=PENDING",
    ],
)
async def test_a_list_is_refused_when_its_question_makes_no_sense(
    office: Office, shared: World, query: str
) -> None:
    answer = await shared.http.get(f"/compliance/records?{query}", headers=office.officer.headers)
    refused(answer, 422, "invalid_request")


async def test_who_is_stopped_stands_on_the_restricted_list(office: Office, shared: World) -> None:
    users = sorted([await shared.user() for _ in range(3)], key=lambda user: str(user.user_id))
    for user in users[:2]:
        await office.act(user, "freeze")
    await office.act(users[2], "sanctions", {"sanctioned": True, "reason": "listed"})
    ours = {str(user.user_id) for user in users}
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        asked = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await shared.http.get("/compliance/restricted", params=asked, headers=office.officer.headers)
        found += [entry for entry in page.json()["data"] if entry["userId"] in ours]
        cursor = page.json()["nextCursor"]
        if cursor is None:
            break
    assert [entry["userId"] for entry in found] == [str(user.user_id) for user in users]
    assert [(entry["frozen"], entry["sanctioned"]) for entry in found] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    assert found[0]["frozenReason"] == BECAUSE["reason"]
    await office.act(users[0], "unfreeze")
    rest = await shared.http.get("/compliance/restricted?limit=200", headers=office.officer.headers)
    assert str(users[0].user_id) not in {entry["userId"] for entry in rest.json()["data"]}


async def test_a_note_stands_in_the_sealed_record_and_is_told_to_nobody_else(
    office: Office, shared: World
) -> None:
    user = await shared.user()
    written = await office.act(user, "notes", {"text": "called the bank"})
    assert (written.status_code, written.json()["userId"]) == (201, str(user.user_id))
    asked = {"entityId": str(user.user_id), "action": "compliance.note_written"}
    audit = await shared.http.get("/admin/audit", params=asked, headers=office.officer.headers)
    [row] = audit.json()["data"]
    assert (row["details"]["text"], row["actorId"]) == ("called the bank", str(office.officer.user_id))
    own = await shared.http.get(f"/tokens/compliance/{user.user_id}", headers=user.headers)
    assert "called the bank" not in own.text
    for text in ("", "  ", "x" * 4001):
        refused(await office.act(user, "notes", {"text": text}), 422, "invalid_request", "/text")
    nobody = User(uuid4(), office.officer.wallet, "", "", None)
    refused(await office.act(nobody, "notes", {"text": "who?"}), 404, "user_not_found")
