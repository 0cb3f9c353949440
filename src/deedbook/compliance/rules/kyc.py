"""Who gives or receives has an approved KYC of the token's level, which holds before its expiry, no longer at it."""

from dataclasses import dataclass

from deedbook.compliance.model import Case, Side, has_lapsed
from deedbook.compliance.terms import KycStatus, Reason


@dataclass(frozen=True)
class Kyc:
    side: Side

    @property
    def name(self) -> str:
        return f"{self.side.value}.kyc"

    def judge(self, case: Case) -> Reason:
        party = case.party(self.side)
        if not case.regulated or party is None:
            return Reason.NONE
        record = party.record
        if record is not None and has_lapsed(record, case.now):
            return Reason.KYC_EXPIRED
        if record is None or record.kyc_status is not KycStatus.APPROVED:
            return Reason.KYC_MISSING
        # Proven, but less thoroughly than this token asks for: for this token it is missing.
        return Reason.NONE if record.kyc_level >= case.rules.min_kyc_level else Reason.KYC_MISSING
