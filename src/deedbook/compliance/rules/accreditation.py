"""Some tokens are for accredited investors; the proof holds before its own expiry, no longer at it."""

from dataclasses import dataclass

from deedbook.compliance.model import Case, Side
from deedbook.compliance.terms import Accreditation, Reason


@dataclass(frozen=True)
class Accredited:
    side: Side

    @property
    def name(self) -> str:
        return f"{self.side.value}.accreditation"

    def judge(self, case: Case) -> Reason:
        party = case.party(self.side)
        if not (case.regulated and case.rules.accreditation_required) or party is None:
            return Reason.NONE
        record = party.record
        if record is None or record.accreditation is Accreditation.NONE:
            return Reason.ACCREDITATION_MISSING
        ends_at = record.accreditation_expires_at
        return Reason.ACCREDITATION_EXPIRED if ends_at is not None and ends_at <= case.now else Reason.NONE
