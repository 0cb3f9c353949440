"""A paused token does not move, whoever holds it."""

from deedbook.compliance.model import Case
from deedbook.compliance.terms import Reason


class Pause:
    name = "pause"

    def judge(self, case: Case) -> Reason:
        return Reason.PAUSED if case.regulated and case.rules.paused else Reason.NONE
