"""Having somebody checked: one check at a time, one effect, and nothing personal left behind."""

import asyncio
import json
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from deedbook import compliance
from deedbook.compliance import Applicant, KycStatus, KycVerdict, Reason, Record, RecordChange
from deedbook.compliance import jobs as compliance_jobs
from deedbook.compliance.errors import (
    CheckUnderWay,
    ComplianceRecordNotFound,
    KycUnavailable,
    NotRegulated,
    UnknownCheck,
)
from deedbook.compliance.ports import Registrar
from deedbook.identity import Caller, Role
from deedbook.identity.terms import Address
from deedbook.infra import failpoints
from deedbook.infra.database import Database
from deedbook.infra.failpoints import FailpointHit
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.kernel.jobs import Job
from tests.compliance.support import Desk, open_desk
from tests.support.fake_kyc import FakeKyc

PAPERS = Applicant("Ada Lovelace of Secret Street", "LU", ("passport-4711", "accredited-1"))


@dataclass(frozen=True)
class Resources:
    """What the job of the check works with."""

    db: Database
    kyc: FakeKyc

    @property
    def registrar(self) -> Registrar:
        raise AssertionError("a check tells the chain nothing by itself")


def caller(user_id: UserId, *roles: Role) -> Caller:
    return Caller(user_id, Address("0x" + "01" * 20), None, frozenset(roles), new_uuid())


async def ask(desk: Desk, user_id: UserId, papers: Applicant = PAPERS) -> Record:
    async with desk.db.transaction() as tx:
        return await compliance.request_check(tx, caller(user_id), user_id, desk.token, papers)


async def job_of(desk: Desk, user_id: UserId) -> Job:
    async with desk.db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT j.job_id, j.name, j.data FROM jobs j JOIN kyc_applications a "
            "ON j.job_id = 'verify-compliance-' || a.application_id "
            "WHERE a.user_id = $1 ORDER BY a.created_at DESC LIMIT 1",
            user_id,
        )
    assert row is not None
    return Job(row["job_id"], row["name"], row["data"])


async def check(desk: Desk, user_id: UserId, kyc: FakeKyc | None = None) -> None:
    await compliance_jobs.verify_compliance(Resources(desk.db, kyc or FakeKyc()), await job_of(desk, user_id))


async def record(desk: Desk, user_id: UserId) -> dict[str, Any]:
    async with desk.db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT * FROM compliance_records WHERE user_id = $1 AND token_id = $2", user_id, desk.token
        )
    assert row is not None
    return dict(row)


async def everything_written(db: Database, user_id: UserId) -> str:
    """All rows that may speak of a user, as text."""
    async with db.reading() as connection:
        found = []
        for table in ("events", "jobs", "kyc_applications", "compliance_records", "compliance_profiles"):
            rows = await connection.fetch(f"SELECT row_to_json(t)::text AS line FROM {table} t")
            found += [row["line"] for row in rows]
    return json.dumps(found)


async def test_a_check_approves_and_never_whitelists(desk: Desk) -> None:
    user_id = await desk.user()
    assert (await ask(desk, user_id)).kyc_status is KycStatus.PENDING
    await check(desk, user_id)
    found = await record(desk, user_id)
    assert (found["kyc_status"], found["kyc_level"], found["jurisdiction"]) == ("APPROVED", 2, "LU")
    assert (found["accreditation"], found["provider"]) == ("accredited", "fake")
    assert found["provider_reference"].startswith("fake-") and found["expires_at"] is not None
    assert await desk.judge(None, user_id) is Reason.NOT_WHITELISTED
    told = await desk.facts(user_id)
    assert [fact["after"]["kycStatus"] for fact in told] == ["PENDING", "APPROVED"]


async def test_the_papers_are_gone_with_the_answer_and_were_never_told(desk: Desk) -> None:
    user_id = await desk.user()
    await ask(desk, user_id, Applicant("Alonzo of Hidden Lane", "LU", ("passport-0815",)))
    await check(desk, user_id)
    written = await everything_written(desk.db, user_id)
    # Nothing that the hexadecimal digits of an identifier could spell by chance.
    for personal in ("Alonzo", "Hidden Lane", "passport-0815"):
        assert personal not in written


@pytest.mark.parametrize("point", ["verify.afterAnswer", "verify.beforeCommit"])
async def test_a_check_has_one_effect_when_a_worker_dies_at(desk: Desk, point: str) -> None:
    user_id, kyc = await desk.user(), FakeKyc()
    await ask(desk, user_id)
    failpoints.arm(f"{point}=raise:1")
    with pytest.raises(FailpointHit):
        await check(desk, user_id, kyc)
    failpoints.arm("")
    for _ in range(2):
        await check(desk, user_id, kyc)
    assert len(set(kyc.asked)) == 1
    assert [fact["after"]["kycStatus"] for fact in await desk.facts(user_id)] == ["PENDING", "APPROVED"]


async def test_somebody_on_a_list_is_rejected_sanctioned_and_off_the_whitelist(desk: Desk) -> None:
    user_id = await desk.investor()
    await ask(desk, user_id)
    await check(desk, user_id, FakeKyc(listed={PAPERS.legal_name}))
    assert await desk.judge(None, user_id) is Reason.SANCTIONED
    found = await record(desk, user_id)
    assert (found["kyc_status"], found["whitelisted"]) == ("REJECTED", False)
    assert "compliance.screened" in [fact["event_type"] for fact in await desk.facts(user_id)]


async def test_the_provider_takes_nobody_off_the_list(desk: Desk) -> None:
    user_id = await desk.investor()
    await desk.sanction(user_id)
    await ask(desk, user_id)
    await check(desk, user_id)
    assert await desk.judge(None, user_id) is Reason.SANCTIONED


async def test_an_approval_stays_while_it_is_renewed_and_where_people_have_to_look(desk: Desk) -> None:
    user_id = await desk.investor()
    assert (await ask(desk, user_id, Applicant("Ada", "LU", ()))).kyc_status is KycStatus.APPROVED
    assert await desk.judge(None, user_id) is Reason.NONE
    await check(desk, user_id)
    assert await desk.judge(None, user_id) is Reason.NONE


async def test_a_person_who_rejects_meanwhile_is_not_overruled(desk: Desk) -> None:
    user_id = await desk.user()
    await ask(desk, user_id)
    await desk.set_record(user_id, RecordChange(kyc_status=KycStatus.REJECTED))
    await check(desk, user_id)
    assert (await record(desk, user_id))["kyc_status"] == "REJECTED"


async def test_a_rejected_one_may_ask_again_and_is_not_whitelisted_by_it(desk: Desk) -> None:
    user_id = await desk.investor(kyc_status=KycStatus.REJECTED)
    await ask(desk, user_id)
    await check(desk, user_id)
    assert await desk.judge(None, user_id) is Reason.NOT_WHITELISTED


async def test_one_check_at_a_time(desk: Desk) -> None:
    user_id = await desk.user()
    tries = await asyncio.gather(*(ask(desk, user_id) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, Record) for one in tries) == 1
    assert sum(isinstance(one, CheckUnderWay) for one in tries) == 4
    await check(desk, user_id)
    await ask(desk, user_id)


async def test_a_provider_that_is_away_approves_nobody_and_the_user_may_ask_again(desk: Desk) -> None:
    user_id = await desk.user()
    await ask(desk, user_id, replace(PAPERS, legal_name="Marie Curie"))
    with pytest.raises(KycUnavailable):
        await check(desk, user_id, FakeKyc(away=True))
    job = await job_of(desk, user_id)
    async with desk.db.transaction() as tx:
        await compliance_jobs._give_up(tx, job, "away")
    assert (await record(desk, user_id))["kyc_status"] == "PENDING"
    assert "Curie" not in await everything_written(desk.db, user_id)
    await check(desk, user_id)  # a late worker of the first attempt
    assert (await record(desk, user_id))["kyc_status"] == "PENDING"
    await ask(desk, user_id)


async def test_nobody_has_another_checked_but_compliance(db: Database, desk: Desk) -> None:
    user_id, other = await desk.user(), await desk.user()
    async with db.transaction() as tx:
        for role in (Role.INVESTOR, Role.ISSUER, Role.ADMIN, Role.OPERATOR):
            with pytest.raises(ComplianceRecordNotFound):
                await compliance.request_check(tx, caller(other, role), user_id, desk.token, PAPERS)
    cash = await open_desk(db, token_type="STABLE")
    with pytest.raises(NotRegulated):
        await ask(cash, user_id)
    async with db.transaction() as tx:
        asked = await compliance.request_check(tx, desk.officer, user_id, desk.token, PAPERS)
    assert asked.kyc_status is KycStatus.PENDING


async def test_a_job_that_names_nobody_is_refused(desk: Desk) -> None:
    for data in ({}, {"applicationId": "x"}, {"applicationId": None}):
        with pytest.raises(UnknownCheck):
            await compliance_jobs.verify_compliance(Resources(desk.db, FakeKyc()), Job("x", "x", data))
    kyc = FakeKyc()
    unknown = {"applicationId": str(UUID(int=7))}
    await compliance_jobs.verify_compliance(Resources(desk.db, kyc), Job("x", "x", unknown))
    assert kyc.asked == []


def test_every_verdict_is_known() -> None:
    assert {verdict.value for verdict in KycVerdict} == {"approved", "rejected", "review"}
