"""A KYC provider over HTTP: `POST /v1/checks` with a bearer key. Its words stop here.

An answer counts only when every field of it is what it should be. Anything else, a wrong type, a date that is
none, an approval of somebody whom a list has, is no answer: nobody is approved, and the question is asked again.
Nothing of the applicant and nothing that the provider says is put into a message.
"""

import asyncio
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import structlog

from deedbook.compliance import Accreditation, Applicant, KycReport, KycVerdict
from deedbook.compliance.errors import KycUnavailable
from deedbook.compliance.terms import MAX_KYC_LEVEL
from deedbook.integrations.answers import Answer, NoAnswer, ask

log = structlog.get_logger(__name__)

ATTEMPTS = 3
MAX_ANSWER_BYTES = 64 * 1024
MAX_AHEAD = timedelta(days=3660)
_REFERENCE = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|\+00:00)")
_COUNTRY = re.compile(r"[A-Z]{2}")


class KycClient:
    """Implements the `KycProvider` port."""

    name = "kyc"

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout_s: float = 5.0,
        pause_s: float = 0.2,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = f"{base_url.rstrip('/')}/v1/checks"
        self._timeout_s = timeout_s
        self._pause_s = pause_s
        self._http = httpx2.AsyncClient(
            timeout=timeout_s,
            trust_env=False,
            transport=transport,
            follow_redirects=False,
            headers={"Authorization": f"Bearer {api_key}"},
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def check(self, check_id: UUID, applicant: Applicant) -> KycReport:
        body = {
            "checkId": str(check_id),
            "legalName": applicant.legal_name,
            "country": applicant.country,
            "documentIds": list(applicant.document_ids),
        }
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _report(await self._post(body), datetime.now(UTC))
            except NoAnswer as nothing:
                log.warning("kyc_check_unanswered", attempt=attempt, why=str(nothing))
            if attempt < ATTEMPTS:
                await asyncio.sleep(random.uniform(0.25, 1) * self._pause_s * 2**attempt)  # noqa: S311 - jitter
        raise KycUnavailable("the KYC provider gives no usable answer", retry_after_s=5)

    async def _post(self, body: dict[str, Any]) -> Answer:
        return await ask(
            self._http, "POST", self._url, within_s=self._timeout_s, at_most=MAX_ANSWER_BYTES, json=body
        )


def _report(answer: Answer, now: datetime) -> KycReport:
    """Read an answer strictly.

    Raises:
        NoAnswer: it is none; the message names the field and repeats nothing of it.
    """
    if answer.status not in (200, 201):
        raise NoAnswer(f"the provider answered {answer.status}")
    told = _object(answer.json(), "answer")
    screening = _object(told.get("screening"), "screening")
    report = KycReport(
        verdict=_one_of(KycVerdict, told.get("status"), "status"),
        level=_level(told.get("level")),
        accreditation=_one_of(Accreditation, told.get("accreditation"), "accreditation"),
        accreditation_expires_at=_moment(told.get("accreditationExpiresAt"), "accreditationExpiresAt", now),
        jurisdiction=_text(told.get("jurisdiction"), "jurisdiction", _COUNTRY),
        listed=_flag(screening.get("hit"), "screening.hit"),
        expires_at=_moment(told.get("expiresAt"), "expiresAt", now),
        reference=_text(told.get("reference"), "reference", _REFERENCE),
    )
    if report.verdict is KycVerdict.APPROVED:
        _require_sound(report, now)
    return report


def _require_sound(report: KycReport, now: datetime) -> None:
    """An approval that contradicts itself is none."""
    if report.listed:
        raise NoAnswer("it approves somebody whom a list has")
    if report.expires_at is None or report.expires_at <= now:
        raise NoAnswer("it approves until never, or until before now")


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NoAnswer(f"{name} is no object")
    return value


def _one_of(kind: Any, value: Any, name: str) -> Any:
    if not isinstance(value, str) or value not in {member.value for member in kind}:
        raise NoAnswer(f"{name} is none of the words that are known")
    return kind(value)


def _level(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_KYC_LEVEL:
        raise NoAnswer("level is no level")
    return value


def _flag(value: Any, name: str) -> bool:
    """Only the JSON values `true` and `false` are answers; "false", 0 and null are none."""
    if not isinstance(value, bool):
        raise NoAnswer(f"{name} is neither true nor false")
    return value


def _text(value: Any, name: str, allowed: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not allowed.fullmatch(value):
        raise NoAnswer(f"{name} is not of its form")
    return value


def _moment(value: Any, name: str, now: datetime) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise NoAnswer(f"{name} is no moment")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise NoAnswer(f"{name} is no moment") from None
    if moment > now + MAX_AHEAD:
        raise NoAnswer(f"{name} lies too far ahead")
    return moment
