"""Compliance over HTTP: who decides, who sees what, what is refused, and that the reason has its number."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from deedbook.identity import Role
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.kernel.ids import UserId
from tests.api.support import every_refusal_is_a_problem, refused
from tests.compliance.support import Desk, open_desk
from tests.support.facts import count
from tests.support.servers import PostgresServer
from tests.support.workers import UNKNOWN_ID
from tests.support.world import User, World, open_world

APPROVED: dict[str, Any] = {"kycStatus": "APPROVED", "kycLevel": 1, "whitelisted": True, "jurisdiction": "LU"}
BECAUSE = {"reason": "looked at it"}


@dataclass
class Office:
    """A token's compliance over HTTP."""

    world: World
    desk: Desk
    officer: User

    async def decide(self, user: User, by: User | None = None, **change: Any) -> httpx2.Response:
        headers = {"If-Match": f'"{change.pop("seen")}"'} if "seen" in change else {}
        body = {"tokenId": str(self.desk.token), **change}
        return await self.world.post(
            f"/tokens/compliance/{user.user_id}", by or self.officer, body, **headers
        )

    async def rehearse(self, user: User, **change: Any) -> dict[str, Any]:
        body = {"tokenId": str(self.desk.token), **change}
        answer = await self.world.post(f"/tokens/compliance/{user.user_id}/preview", self.officer, body)
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    async def act(
        self, user: User, what: str, body: Any = BECAUSE, by: User | None = None
    ) -> httpx2.Response:
        return await self.world.post(f"/compliance/{user.user_id}/{what}", by or self.officer, body)

    async def standing(self, user: User, by: User) -> httpx2.Response:
        return await self.world.http.get(f"/tokens/compliance/{user.user_id}", headers=by.headers)

    async def rules(self, body: Any, seen: int | None = None) -> httpx2.Response:
        told = {"Idempotency-Key": str(uuid4()), **self.officer.headers}
        told |= {} if seen is None else {"If-Match": f'"{seen}"'}
        return await self.world.http.put(f"/tokens/{self.desk.token}/rules", json=body, headers=told)

    async def preview(self, by: User, **asked: Any) -> httpx2.Response:
        body = {"operation": "TRANSFER", "amount": "1", **asked}
        return await self.world.post(f"/tokens/{self.desk.token}/compliance/preview", by, body)


@pytest.fixture(scope="module")
async def shared(postgres: PostgresServer, valkey: EmbeddedValkey) -> AsyncIterator[World]:
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url()) as opened:
        opened.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield opened
    await postgres.drop(dsn)


@pytest.fixture
async def office(shared: World) -> Office:
    return Office(shared, await open_desk(shared.db), await shared.user(Role.COMPLIANCE))


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


REHEARSED: dict[str, tuple[dict[str, Any], str]] = {
    "approved": (APPROVED, "NONE"),
    "rejected": ({**APPROVED, "kycStatus": "REJECTED"}, "KYC_MISSING"),
    "off-the-list": ({**APPROVED, "whitelisted": False}, "NOT_WHITELISTED"),
    "expired": ({**APPROVED, "kycStatus": "EXPIRED"}, "KYC_EXPIRED"),
}


@pytest.mark.parametrize("case", REHEARSED)
async def test_a_rehearsal_says_what_holds_when_the_change_is_written(
    office: Office, shared: World, case: str
) -> None:
    user, (change, reason) = await shared.user(), REHEARSED[case]
    before = await office.rehearse(user, **change)
    assert (before["before"]["name"], before["after"]["name"]) == ("KYC_MISSING", reason)
    assert (await office.standing(user, office.officer)).json()["records"] == []
    assert (await office.decide(user, **change)).status_code == 200
    assert (await office.rehearse(user))["before"] == before["after"]


async def test_a_rehearsal_names_the_end_when_the_approval_has_one(office: Office, shared: World) -> None:
    told = await office.rehearse(await shared.user(), **APPROVED, expiresAt="2099-01-31T23:59:59Z")
    assert (told["after"]["allowed"], told["after"]["until"]) == (True, "2099-01-31T23:59:59.000000Z")


async def test_a_rehearsal_is_refused_when_the_change_would_be(office: Office, shared: World) -> None:
    user, path = await shared.user(), "/tokens/compliance/{}/preview"
    over = {"tokenId": str(office.desk.token), **APPROVED, "expiresAt": "2001-01-31T00:00:00Z"}
    refused(
        await shared.post(path.format(user.user_id), office.officer, over),
        422,
        "invalid_request",
        "/expiresAt",
    )
    nobody, elsewhere = {"tokenId": str(office.desk.token)}, {"tokenId": UNKNOWN_ID}
    refused(
        await shared.post(path.format(UNKNOWN_ID), office.officer, nobody), 404, "compliance_record_not_found"
    )
    refused(await shared.post(path.format(user.user_id), office.officer, elsewhere), 404, "token_not_found")


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
    soon = datetime.now(UTC) + timedelta(days=3)
    users = [await shared.user() for _ in range(5)]
    for user in users:
        await office.decide(user, **APPROVED, expiresAt=soon.isoformat())
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
    assert found == sorted(str(user.user_id) for user in users[2:])


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


# Rules


async def test_rules_are_put_and_read_with_their_version(office: Office, shared: World) -> None:
    path = f"/tokens/{office.desk.token}/rules"
    none = await shared.http.get(path)
    assert (none.json()["maxOwnership"], none.json()["version"], none.headers["ETag"]) == (None, 0, '"0"')
    asked = {
        "minKycLevel": 2,
        "accreditationRequired": True,
        "blockedJurisdictions": ["US", "US", "KP"],
        "maxHolders": 99,
        "maxOwnership": "12.5",
        "lockUpDays": 180,
    }
    put = await office.rules(asked, seen=0)
    assert put.status_code == 200
    assert put.json() == {
        **asked,
        "blockedJurisdictions": ["KP", "US"],
        "allowedJurisdictions": [],
        "tokenId": str(office.desk.token),
        "regulated": True,
        "paused": False,
        "version": 1,
    }
    refused(await office.rules({}, seen=0), 412, "compliance_changed")
    assert (await office.rules({}, seen=1)).json()["maxHolders"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("minKycLevel", 10),
        ("maxHolders", 0),
        ("maxHolders", 2**31),
        ("maxHolders", "5"),
        ("maxOwnership", "0"),
        ("maxOwnership", "-1"),
        ("maxOwnership", "1e3"),
        ("maxOwnership", 1.5),
        ("maxOwnership", "1.0000000000000000001"),
        ("lockUpDays", 3661),
        ("lockUpDays", -1),
        ("allowedJurisdictions", ["lu"]),
        ("blockedJurisdictions", "US"),
        ("paused", True),
        ("version", 9),
    ],
)
async def test_rules_that_make_no_sense_are_refused(office: Office, name: str, value: Any) -> None:
    answer = await office.rules({name: value})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{name}")


async def test_other_tokens_have_no_rules(shared: World) -> None:
    cash = Office(shared, await open_desk(shared.db, token_type="STABLE"), await shared.user(Role.COMPLIANCE))
    user = await shared.user()
    assert (await shared.http.get(f"/tokens/{cash.desk.token}/rules")).json()["regulated"] is False
    refused(await cash.rules({}), 409, "not_regulated")
    refused(await cash.decide(user, **APPROVED), 409, "not_regulated")
    refused(
        await shared.post(f"/tokens/{cash.desk.token}/pause", cash.officer, BECAUSE), 409, "not_regulated"
    )


async def test_a_token_is_paused_and_resumed(office: Office, shared: World) -> None:
    user = await shared.user()
    await office.decide(user, **APPROVED)
    asked = {"operation": "DEPOSIT", "toUserId": str(user.user_id)}
    for what, paused, reason in (("pause", True, 1), ("unpause", False, 0)):
        told = await shared.post(f"/tokens/{office.desk.token}/{what}", office.officer, BECAUSE)
        assert told.json()["paused"] is paused
        assert (await office.preview(user, **asked)).json()["reason"] == reason


# Previews


async def test_a_party_sees_its_own_checks_and_no_more_of_the_other_than_the_operation_would_tell(
    office: Office, shared: World
) -> None:
    user, other, nobody = await shared.user(), await shared.user(), await shared.user()
    await office.decide(user, **APPROVED)
    await office.desk.give(UserId(user.user_id), 10**18)
    asked = {"fromUserId": str(user.user_id), "toUserId": str(other.user_id)}
    told = (await office.preview(user, **asked)).json()
    assert (told["allowed"], told["reason"], told["name"]) == (False, 10, "KYC_MISSING")
    shown = {check["check"] for check in told["checks"]}
    assert "pause" in shown and "sender.kyc" in shown
    assert not any(name.startswith("receiver.") for name in shown)
    everything = (await office.preview(office.officer, **asked)).json()
    assert {"receiver.kyc", "sender.kyc"} <= {check["check"] for check in everything["checks"]}
    refused(await office.preview(nobody, **asked), 404, "compliance_record_not_found")


async def test_a_withdrawal_to_another_users_account_is_previewed_for_both(
    office: Office, shared: World
) -> None:
    user, other = await shared.user(), await shared.user()
    await office.decide(user, **APPROVED)
    await office.desk.give(UserId(user.user_id), 10**18)
    asked = {"operation": "WITHDRAWAL", "fromUserId": str(user.user_id)}
    assert (await office.preview(user, **asked)).json()["reason"] == 0
    told = (await office.preview(user, **asked, toUserId=str(other.user_id))).json()
    assert (told["allowed"], told["reason"], told["name"]) == (False, 10, "KYC_MISSING")


@pytest.mark.parametrize(
    ("operation", "parties", "pointers"),
    [
        ("TRANSFER", ("from",), ["/toUserId"]),
        ("TRANSFER", (), ["/fromUserId", "/toUserId"]),
        ("TRADE", ("to",), ["/fromUserId"]),
        ("DEPOSIT", ("from", "to"), ["/fromUserId"]),
        ("MINT", ("from",), ["/fromUserId", "/toUserId"]),
        ("WITHDRAWAL", ("from", "to"), ["/toUserId"]),
        ("GIFT", ("from", "to"), ["/operation"]),
    ],
)
async def test_a_preview_of_no_operation_is_refused(
    office: Office, shared: World, operation: str, parties: tuple[str, ...], pointers: list[str]
) -> None:
    user = await shared.user()
    named = {f"{party}UserId": str(user.user_id) for party in parties}
    answer = await office.preview(user, operation=operation, **named)
    refused(answer, 422, "invalid_request", *pointers)


@pytest.mark.parametrize(
    "amount",
    ["NaN", "Infinity", "-1", "+1", "0", "0.0", "1e3", "0x10", "1_000", "", " 1", "1\n", "1\x00", "１２", "1,5",
     "1.0000000000000000001", str(10**20), "9" * 400, 0, 1.5, True, None, [], {}],
    ids=ascii,
)  # fmt: skip
async def test_a_preview_is_refused_when_its_amount_is_none(
    office: Office, shared: World, amount: Any
) -> None:
    user = await shared.user()
    answer = await office.preview(user, operation="WITHDRAWAL", fromUserId=str(user.user_id), amount=amount)
    refused(answer, 422, "invalid_request", "/amount")
