"""Where a party is must be allowed, and not blocked. Nobody knows where: then it is not allowed."""

from dataclasses import dataclass

from deedbook.compliance.model import Case, Side
from deedbook.compliance.terms import Reason


@dataclass(frozen=True)
class Jurisdiction:
    side: Side

    @property
    def name(self) -> str:
        return f"{self.side.value}.jurisdiction"

    def judge(self, case: Case) -> Reason:
        party, allowed, blocked = (
            case.party(self.side),
            case.rules.allowed_jurisdictions,
            case.rules.blocked_jurisdictions,
        )
        if not case.regulated or party is None or not (allowed or blocked):
            return Reason.NONE
        place = party.record.jurisdiction if party.record is not None else None
        if place is None or place in blocked or (allowed and place not in allowed):
            return Reason.JURISDICTION
        return Reason.NONE
