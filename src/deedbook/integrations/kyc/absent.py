"""Where no KYC provider is named: nobody is checked, so nobody is approved."""

from dataclasses import dataclass
from uuid import UUID

from deedbook.compliance import Applicant, KycReport
from deedbook.compliance.errors import KycUnavailable


@dataclass(frozen=True)
class NoKycProvider:
    """Implements the `KycProvider` port by giving no answer."""

    name: str = "none"

    async def check(self, check_id: UUID, applicant: Applicant) -> KycReport:
        raise KycUnavailable("no KYC provider is named: set KYC_BASE_URL and KYC_API_KEY")
