"""What a rule is: one question about a case, answered with a reason."""

from typing import Protocol

from deedbook.compliance.model import Case
from deedbook.compliance.terms import Reason


class Rule(Protocol):
    """`Reason.NONE` when the rule has nothing against it. A rule knows no other rule and changes nothing."""

    @property
    def name(self) -> str:
        """Which check this is, for people: `pause`, `sender.kyc` …"""
        ...

    def judge(self, case: Case) -> Reason: ...
