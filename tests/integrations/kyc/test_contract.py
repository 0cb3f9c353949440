"""What every KYC provider does behind our port: the fake of the tests, and the real adapter over HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from deedbook.compliance import Accreditation, Applicant, KycProvider, KycVerdict
from deedbook.integrations.kyc.client import KycClient
from tests.integrations.kyc.support import KEY, provider
from tests.support.fake_kyc import FakeKyc

GOOD = Applicant("Ada Lovelace", "LU", ("passport-1", "utility-2"))


@pytest.fixture(params=["fake", "service"])
async def kyc(request: pytest.FixtureRequest) -> AsyncIterator[KycProvider]:
    if request.param == "fake":
        yield FakeKyc(listed={"Viktor Blocked"}, rejected={"KP"})
        return
    async with provider() as url:
        client = KycClient(url, KEY)
        yield client
        await client.close()


async def test_an_applicant_in_order_is_approved_until_a_day_to_come(kyc: KycProvider) -> None:
    report = await kyc.check(uuid4(), GOOD)
    assert (report.verdict, report.level, report.jurisdiction, report.listed) == (
        KycVerdict.APPROVED,
        2,
        "LU",
        False,
    )
    assert report.expires_at is not None and report.expires_at > datetime.now(UTC)
    assert report.accreditation is Accreditation.NONE and report.accreditation_expires_at is None
    assert report.reference


async def test_accreditation_is_proven_by_its_papers(kyc: KycProvider) -> None:
    report = await kyc.check(uuid4(), Applicant("Ada Lovelace", "LU", ("passport-1", "accredited-7")))
    assert report.accreditation is Accreditation.ACCREDITED
    assert report.accreditation_expires_at is not None
    assert report.accreditation_expires_at > datetime.now(UTC)


async def test_somebody_on_a_list_is_found_and_never_approved(kyc: KycProvider) -> None:
    report = await kyc.check(uuid4(), Applicant("Viktor Blocked", "LU", ("passport-1",)))
    assert (report.verdict, report.listed) == (KycVerdict.REJECTED, True)


async def test_a_country_under_embargo_is_rejected_without_a_list(kyc: KycProvider) -> None:
    report = await kyc.check(uuid4(), Applicant("Ada Lovelace", "KP", ("passport-1",)))
    assert (report.verdict, report.listed, report.level) == (KycVerdict.REJECTED, False, 0)


async def test_somebody_has_to_look_where_there_are_no_papers(kyc: KycProvider) -> None:
    report = await kyc.check(uuid4(), Applicant("Ada Lovelace", "LU", ()))
    assert (report.verdict, report.expires_at) == (KycVerdict.REVIEW, None)


async def test_a_repeated_question_is_the_same_check(kyc: KycProvider) -> None:
    check_id = uuid4()
    assert await kyc.check(check_id, GOOD) == await kyc.check(check_id, GOOD)
    assert (await kyc.check(uuid4(), GOOD)).reference != (await kyc.check(check_id, GOOD)).reference
