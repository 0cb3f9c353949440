"""A token has no more holders than it may have. Who gives everything away makes room for one."""

from deedbook.compliance.model import Case
from deedbook.compliance.terms import Reason


class HolderCount:
    name = "receiver.holder_count"

    def judge(self, case: Case) -> Reason:
        receiver, most = case.receiver, case.rules.max_holders
        if not case.regulated or most is None or receiver is None or receiver.is_issuer or receiver.holding:
            return Reason.NONE
        sender = case.sender
        leaves = sender is not None and not sender.is_issuer and 0 < sender.holding <= case.amount
        return Reason.NONE if case.holders - leaves < most else Reason.HOLDER_COUNT
