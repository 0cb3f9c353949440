"""What came in lately stays for the token's lock-up. Lots leave first in, first out (Rule 144 and Regulation S
count from each acquisition), so the youngest are the last to leave: they bind as much as was received lately."""

from deedbook.compliance.model import Case
from deedbook.compliance.terms import Reason


class LockUp:
    name = "sender.lock_up"

    def judge(self, case: Case) -> Reason:
        sender = case.sender
        if not (case.regulated and case.rules.lock_up_days) or sender is None or sender.is_issuer:
            return Reason.NONE
        free = sender.spendable - sender.received_lately
        return Reason.NONE if case.amount <= free else Reason.LOCK_UP
