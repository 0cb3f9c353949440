"""Who stands on a sanctions list is not served, with any token."""

from dataclasses import dataclass

from deedbook.compliance.model import Case, Side
from deedbook.compliance.terms import Reason


@dataclass(frozen=True)
class Sanctions:
    side: Side

    @property
    def name(self) -> str:
        return f"{self.side.value}.sanctions"

    def judge(self, case: Case) -> Reason:
        party = case.party(self.side)
        return Reason.SANCTIONED if party is not None and party.sanctioned else Reason.NONE
