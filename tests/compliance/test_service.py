"""Records, freezes, sanctions, rules: who may decide, what is told of it, and that it holds at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deedbook import compliance
from deedbook.compliance import Accreditation, KycStatus, Reason, RecordChange, TokenRules
from deedbook.compliance.errors import (
    ComplianceChanged,
    ComplianceExpired,
    NotRegulated,
    TokenNotFound,
    UserNotFound,
)
from deedbook.identity import Caller, Role
from deedbook.identity.errors import FourEyes
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.errors import Invalid
from deedbook.kernel.events import FACTS
from deedbook.kernel.ids import TokenId, UserId, new_uuid
from tests.compliance.support import APPROVED, Desk, open_desk


async def test_a_record_is_made_then_changed_field_by_field(desk: Desk) -> None:
    user_id = await desk.user()
    first = await desk.set_record(user_id, APPROVED)
    second = await desk.set_record(user_id, RecordChange(kyc_level=2))
    assert (first.version, second.version, second.kyc_level, second.whitelisted) == (1, 2, 2, True)
    made, changed = await desk.facts(user_id)
    assert made["event_type"] == changed["event_type"] == "compliance.record_changed"
    assert (made["actor_id"], made["before"]) == (desk.officer.user_id, {"kycStatus": None})
    assert (changed["before"]["kycLevel"], changed["after"]["kycLevel"]) == (1, 2)
    assert made["payload"]["kycStatus"] == "APPROVED" and "jurisdiction" not in made["payload"]


async def test_nobody_decides_about_themselves(desk: Desk) -> None:
    me = desk.officer
    async with desk.db.transaction() as tx:
        with pytest.raises(FourEyes):
            await compliance.set_record(tx, me, me.user_id, desk.token, APPROVED)
        with pytest.raises(FourEyes):
            await compliance.unfreeze(tx, me.actor, me.user_id, "please")
        with pytest.raises(FourEyes):
            await compliance.set_sanctioned(tx, me.actor, me.user_id, False, "please")
        issuer = Caller(desk.issuer, Address("0x" + "01" * 20), None, frozenset({Role.ADMIN}), new_uuid())
        with pytest.raises(FourEyes):
            await compliance.set_rules(tx, issuer, desk.token, TokenRules())
    assert await desk.facts(me.user_id, desk.token) == []


async def test_a_change_is_refused_when_the_record_is_another_than_was_seen(desk: Desk) -> None:
    user_id = await desk.user()
    with pytest.raises(ComplianceChanged):
        await desk.set_record(user_id, APPROVED, if_version=1)
    await desk.set_record(user_id, APPROVED, if_version=0)
    await desk.set_record(user_id, RecordChange(kyc_level=3), if_version=1)
    with pytest.raises(ComplianceChanged):
        await desk.set_record(user_id, RecordChange(kyc_level=0), if_version=1)


async def test_one_of_many_officers_wins_when_all_saw_the_same(desk: Desk) -> None:
    user_id = await desk.user()
    tries = [desk.set_record(user_id, RecordChange(kyc_level=n), if_version=0) for n in range(1, 9)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, ComplianceChanged) for one in done) == 7
    assert len(await desk.facts(user_id)) == 1


async def test_what_cannot_be_is_refused(db: Database, desk: Desk) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    user_id = await desk.user()
    with pytest.raises(Invalid):
        await desk.set_record(user_id, RecordChange(kyc_status=KycStatus.APPROVED, expires_at=yesterday))
    with pytest.raises(UserNotFound):
        await desk.set_record(UserId(new_uuid()), APPROVED)
    cash = await open_desk(db, token_type="STABLE")
    with pytest.raises(NotRegulated):
        await cash.set_record(user_id, APPROVED)
    async with db.transaction() as tx:
        with pytest.raises(TokenNotFound):
            await compliance.set_record(tx, desk.officer, user_id, TokenId(new_uuid()), APPROVED)
    assert await desk.facts(user_id) == []


async def test_who_is_rejected_is_off_the_whitelist(desk: Desk) -> None:
    user_id = await desk.investor(kyc_status=KycStatus.REJECTED)
    back = await desk.set_record(user_id, RecordChange(kyc_status=KycStatus.APPROVED))
    assert not back.whitelisted
    assert await desk.judge(None, user_id) is Reason.NOT_WHITELISTED


async def test_a_record_that_is_ended_by_hand_has_ended_now(desk: Desk) -> None:
    next_year = datetime.now(UTC) + timedelta(days=365)
    user_id = await desk.investor(expires_at=next_year)
    ended = await desk.set_record(user_id, RecordChange(kyc_status=KycStatus.EXPIRED))
    assert ended.expires_at is not None and ended.expires_at < next_year
    gone = await desk.set_record(user_id, RecordChange(accreditation=Accreditation.NONE))
    assert gone.accreditation_expires_at is None


async def test_a_freeze_holds_at_once_for_all_tokens_until_it_is_thawed(db: Database, desk: Desk) -> None:
    user_id, other = await desk.investor(), await desk.investor()
    cash = await open_desk(db, token_type="STABLE")
    await desk.give(user_id, 1000)
    await cash.give(user_id, 1000)
    assert await desk.judge(user_id, other) is Reason.NONE
    for _ in range(2):
        await desk.freeze(user_id)
    assert await desk.judge(user_id, other) is Reason.SENDER_FROZEN
    assert await desk.judge(other, user_id, 0) is Reason.RECEIVER_FROZEN
    assert await cash.judge(user_id, None) is Reason.SENDER_FROZEN
    await desk.freeze(user_id, frozen=False)
    assert await desk.judge(user_id, other) is Reason.NONE
    told = [fact for fact in await desk.facts(user_id) if "frozen" in fact["event_type"]]
    assert [fact["event_type"] for fact in told] == [
        "compliance.account_frozen",
        "compliance.account_unfrozen",
    ]
    assert (told[0]["before"], told[0]["after"]) == ({"frozen": False}, {"frozen": True})


async def test_who_is_sanctioned_is_not_served_with_any_token(db: Database, desk: Desk) -> None:
    user_id, cash = await desk.investor(), await open_desk(db, token_type="CRYPTO")
    await desk.sanction(user_id)
    assert await desk.judge(None, user_id) is Reason.SANCTIONED
    assert await cash.judge(None, user_id) is Reason.SANCTIONED
    await desk.sanction(user_id, sanctioned=False)
    assert await desk.judge(None, user_id) is Reason.NONE


async def test_rules_hold_at_once_and_pausing_is_another_matter(desk: Desk) -> None:
    user_id = await desk.investor(jurisdiction="US")
    before = await desk.set_rules(blocked_jurisdictions=frozenset({"US"}))
    assert await desk.judge(None, user_id) is Reason.JURISDICTION
    for _ in range(2):
        await desk.pause()
    after = await desk.set_rules()
    assert after.paused and after.version > before.version
    assert await desk.judge(None, user_id) is Reason.PAUSED
    await desk.pause(paused=False)
    assert await desk.judge(None, user_id) is Reason.NONE
    assert [fact["event_type"] for fact in await desk.facts(desk.token)] == [
        "compliance.rules_changed",
        "compliance.token_paused",
        "compliance.rules_changed",
        "compliance.token_unpaused",
    ]


async def test_rules_are_refused_when_they_are_others_than_were_seen(desk: Desk) -> None:
    async def put(seen: int) -> TokenRules:
        async with desk.db.transaction() as tx:
            return await compliance.set_rules(tx, desk.officer, desk.token, TokenRules(), if_version=seen)

    tries: list[Any] = await asyncio.gather(*(put(0) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(one, TokenRules) for one in tries) == 1
    assert sum(isinstance(one, ComplianceChanged) for one in tries) == 3


async def test_an_approval_that_runs_out_ends_once(desk: Desk) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=1)
    user_id, other = await desk.investor(expires_at=soon), await desk.investor()
    later = soon + timedelta(seconds=1)
    for _ in range(2):
        async with desk.db.transaction() as tx:
            await compliance.expire_due(tx, later)
    told = [fact for fact in await desk.facts(user_id, other) if fact["event_type"] == "compliance.expired"]
    assert len(told) == 1 and told[0]["payload"]["userId"] == str(user_id)
    assert (told[0]["before"]["kycStatus"], told[0]["after"]["kycStatus"]) == ("APPROVED", "EXPIRED")
    assert await desk.judge(None, user_id) is Reason.KYC_EXPIRED
    assert await desk.judge(None, other) is Reason.NONE


async def test_an_approval_that_has_run_out_does_not_wait_for_the_job(desk: Desk) -> None:
    user_id = await desk.investor()
    async with desk.db.transaction() as tx:
        await tx.execute(
            "UPDATE compliance_records SET expires_at = now() - interval '1 second' WHERE user_id = $1",
            user_id,
        )
    assert await desk.judge(None, user_id) is Reason.KYC_EXPIRED
    async with desk.db.transaction() as tx:
        with pytest.raises(ComplianceExpired) as refused:
            await compliance.require_eligible(
                tx, compliance.Operation.DEPOSIT, desk.token, None, user_id, 1, executing=True
            )
    assert refused.value.extra == {"reason": "11"}


async def test_expiring_and_deciding_at_once_do_not_wait_for_each_other_for_ever(desk: Desk) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=1)
    users = [await desk.investor(expires_at=soon) for _ in range(5)]

    async def expire() -> None:
        async with desk.db.transaction() as tx:
            await compliance.expire_due(tx, soon + timedelta(seconds=1))

    renew = RecordChange(expires_at=None)
    await asyncio.gather(expire(), expire(), *(desk.set_record(user, renew) for user in users), expire())
    for user in users:
        assert await desk.judge(None, user) in {Reason.NONE, Reason.KYC_EXPIRED}


def test_every_fact_of_the_room_but_an_officers_note_goes_to_the_permission_service() -> None:
    kept = {name for name, fact in FACTS.items() if name.startswith("compliance.") and not fact.spec.exported}
    assert kept == {"compliance.note_written"}
