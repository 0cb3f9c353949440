"""The KYC adapter when the far side fails or lies: nobody is approved by accident, and nothing personal is told."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import structlog

from deedbook.compliance import Applicant, KycVerdict
from deedbook.compliance.errors import KycUnavailable
from deedbook.integrations.kyc.absent import NoKycProvider
from deedbook.integrations.kyc.client import ATTEMPTS, MAX_ANSWER_BYTES, KycClient
from tests.integrations.kyc.support import KEY, provider

APPLICANT = Applicant("Grace Hopper", "US", ("passport-9",))
NEXT_YEAR = (datetime.now(UTC) + timedelta(days=365)).strftime("%Y-%m-%dT%H:%M:%SZ")
SOUND: dict[str, Any] = {
    "reference": "chk-1",
    "status": "approved",
    "level": 1,
    "accreditation": "none",
    "accreditationExpiresAt": None,
    "jurisdiction": "US",
    "screening": {"hit": False, "lists": []},
    "expiresAt": NEXT_YEAR,
}
Answer = Callable[[httpx2.Request], httpx2.Response]


def answering(answer: Answer, timeout_s: float = 0.5) -> KycClient:
    transport = httpx2.MockTransport(answer)
    return KycClient("http://kyc.test/", KEY, timeout_s=timeout_s, pause_s=0, transport=transport)


def saying(told: Any, status: int = 200) -> Answer:
    return lambda _: httpx2.Response(status, content=told if isinstance(told, bytes) else json.dumps(told))


async def test_the_question_is_what_the_provider_takes() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(201, json=SOUND)

    check_id = UUID(int=7)
    report = await answering(answer).check(check_id, APPLICANT)
    assert report.verdict is KycVerdict.APPROVED
    (request,) = asked
    assert str(request.url) == "http://kyc.test/v1/checks"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(request.content) == {
        "checkId": str(check_id),
        "legalName": "Grace Hopper",
        "country": "US",
        "documentIds": ["passport-9"],
    }


LIES: list[Any] = [
    b"",
    b"approved",
    b"[]",
    b'{"status":"approved"',
    b"\xff\xfe",
    b'{"status":' + b"[" * 5000,
    {},
    {**SOUND, "status": "APPROVED"},
    {**SOUND, "status": True},
    {**SOUND, "status": ["approved"]},
    {**SOUND, "level": "1"},
    {**SOUND, "level": True},
    {**SOUND, "level": -1},
    {**SOUND, "level": 10},
    {**SOUND, "level": 1.5},
    {**SOUND, "accreditation": "vip"},
    {**SOUND, "accreditation": None},
    {**SOUND, "jurisdiction": "usa"},
    {**SOUND, "jurisdiction": None},
    {**SOUND, "screening": None},
    {**SOUND, "screening": {}},
    {**SOUND, "screening": {"hit": 0}},
    {**SOUND, "screening": {"hit": "false"}},
    {**SOUND, "screening": {"hit": True, "lists": ["x"]}},
    {**SOUND, "expiresAt": None},
    {**SOUND, "expiresAt": "2001-01-01T00:00:00Z"},
    {**SOUND, "expiresAt": "9999-01-01T00:00:00Z"},
    {**SOUND, "expiresAt": "2030-13-01T00:00:00Z"},
    {**SOUND, "expiresAt": "tomorrow"},
    {**SOUND, "expiresAt": 1893456000},
    {**SOUND, "expiresAt": "2030-01-01"},
    {**SOUND, "accreditationExpiresAt": "soon"},
    {**SOUND, "reference": ""},
    {**SOUND, "reference": "a b"},
    {**SOUND, "reference": "x" * 101},
    {**SOUND, "reference": 7},
    b" " * (MAX_ANSWER_BYTES + 1) + json.dumps(SOUND).encode(),
]


@pytest.mark.parametrize("lie", LIES, ids=range(len(LIES)))
async def test_nobody_is_approved_by_an_answer_that_is_none(lie: Any) -> None:
    with pytest.raises(KycUnavailable):
        await answering(saying(lie)).check(uuid4(), APPLICANT)


@pytest.mark.parametrize("status", [204, 301, 400, 401, 403, 404, 409, 422, 429, 500, 503])
async def test_nobody_is_approved_by_another_status(status: int) -> None:
    with pytest.raises(KycUnavailable):
        await answering(saying(SOUND, status)).check(uuid4(), APPLICANT)


async def test_a_failure_is_tried_again_and_has_an_end() -> None:
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        if len(asked) < ATTEMPTS:
            raise httpx2.ConnectError("away")
        return httpx2.Response(200, json=SOUND)

    assert (await answering(answer).check(uuid4(), APPLICANT)).reference == "chk-1"
    assert len(asked) == ATTEMPTS

    def never(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        raise httpx2.ReadTimeout("slow")

    asked.clear()
    with pytest.raises(KycUnavailable):
        await answering(never).check(uuid4(), APPLICANT)
    assert len(asked) == ATTEMPTS


async def test_a_redirect_is_not_followed_with_the_applicants_papers() -> None:
    asked = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(307, headers={"Location": "http://elsewhere.test/"})

    with pytest.raises(KycUnavailable):
        await answering(answer).check(uuid4(), APPLICANT)
    assert set(asked) == {"http://kyc.test/v1/checks"}


async def test_nothing_personal_and_no_key_is_told() -> None:
    client = answering(saying({**SOUND, "status": "Grace Hopper of US has passport-9"}))
    with structlog.testing.capture_logs() as lines, pytest.raises(KycUnavailable) as refused:
        await client.check(uuid4(), APPLICANT)
    everything = json.dumps(lines, default=str) + refused.value.detail
    assert lines
    for secret in ("Grace", "passport-9", KEY):
        assert secret not in everything


async def test_a_wrong_key_opens_nothing_at_the_real_service() -> None:
    async with provider() as url:
        client = KycClient(url, "another-key-of-some-length", pause_s=0)
        with pytest.raises(KycUnavailable):
            await client.check(uuid4(), APPLICANT)
        await client.close()


async def test_nobody_is_approved_where_no_provider_is_named() -> None:
    with pytest.raises(KycUnavailable):
        await NoKycProvider().check(uuid4(), APPLICANT)
