"""Nobody but the issuer holds more of a token than its cap, counting what this would add."""

from deedbook.compliance.model import Case
from deedbook.compliance.terms import Reason


class OwnershipCap:
    name = "receiver.ownership_cap"

    def judge(self, case: Case) -> Reason:
        receiver, cap = case.receiver, case.rules.max_ownership
        if not case.regulated or cap is None or receiver is None or receiver.is_issuer:
            return Reason.NONE
        return Reason.NONE if receiver.holding + case.amount <= cap else Reason.OWNERSHIP_CAP
