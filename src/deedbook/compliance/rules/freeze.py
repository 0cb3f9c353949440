"""A frozen account neither gives nor receives, of any token."""

from dataclasses import dataclass

from deedbook.compliance.model import Case, Side
from deedbook.compliance.terms import Reason

_REASONS = {Side.SENDER: Reason.SENDER_FROZEN, Side.RECEIVER: Reason.RECEIVER_FROZEN}


@dataclass(frozen=True)
class Freeze:
    side: Side

    @property
    def name(self) -> str:
        return f"{self.side.value}.freeze"

    def judge(self, case: Case) -> Reason:
        party = case.party(self.side)
        return _REASONS[self.side] if party is not None and party.frozen else Reason.NONE
