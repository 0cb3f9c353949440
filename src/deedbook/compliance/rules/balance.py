"""Nobody gives what they do not have, or what is held for something else."""

from deedbook.compliance.model import Case
from deedbook.compliance.terms import Reason


class Balance:
    name = "sender.balance"

    def judge(self, case: Case) -> Reason:
        if case.sender is None or case.amount <= case.sender.spendable:
            return Reason.NONE
        return Reason.BALANCE
