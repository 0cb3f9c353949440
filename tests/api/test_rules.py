"""Rules of a token and previews over HTTP: of an operation, and of a change of a record."""

from typing import Any

import pytest

from deedbook.identity import Role
from deedbook.kernel.ids import UserId
from tests.api.office import APPROVED, BECAUSE, Office
from tests.api.support import refused
from tests.compliance.support import open_desk
from tests.support.workers import UNKNOWN_ID
from tests.support.world import World

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


# Rehearsals


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
