"""A KYC provider in memory: it answers as it is told to, and the same check the same."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from deedbook.compliance import Accreditation, Applicant, KycReport, KycVerdict
from deedbook.compliance.errors import KycUnavailable


@dataclass
class FakeKyc:
    """By name: who is on a list. By country: who is rejected. Without papers: somebody has to look."""

    name: str = "fake"
    listed: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    away: bool = False
    asked: list[UUID] = field(default_factory=list)
    _answered: dict[UUID, KycReport] = field(default_factory=dict)

    async def check(self, check_id: UUID, applicant: Applicant) -> KycReport:
        self.asked.append(check_id)
        if self.away:
            raise KycUnavailable
        return self._answered.setdefault(check_id, self._report(check_id, applicant))

    def _report(self, check_id: UUID, applicant: Applicant) -> KycReport:
        listed, now = applicant.legal_name in self.listed, datetime.now(UTC)
        if listed or applicant.country in self.rejected:
            verdict = KycVerdict.REJECTED
        else:
            verdict = KycVerdict.APPROVED if applicant.document_ids else KycVerdict.REVIEW
        approved = verdict is KycVerdict.APPROVED
        papers = " ".join(applicant.document_ids)
        kind = Accreditation.ACCREDITED if approved and "accredited" in papers else Accreditation.NONE
        return KycReport(
            verdict=verdict,
            level=len(set(applicant.document_ids)) if approved else 0,
            accreditation=kind,
            accreditation_expires_at=None if kind is Accreditation.NONE else now + timedelta(days=90),
            jurisdiction=applicant.country,
            listed=listed,
            expires_at=now + timedelta(days=365) if approved else None,
            reference=f"fake-{check_id}",
        )
