"""The rules, one module each, in the one order in which they are asked: the contracts' order as far as they go
(`TransferRules.sol`: pause, freezes, balance, sender, receiver), then what the platform alone enforces."""

from deedbook.compliance.model import Case, Side
from deedbook.compliance.rules.accreditation import Accredited
from deedbook.compliance.rules.balance import Balance
from deedbook.compliance.rules.freeze import Freeze
from deedbook.compliance.rules.holder_count import HolderCount
from deedbook.compliance.rules.jurisdiction import Jurisdiction
from deedbook.compliance.rules.kyc import Kyc
from deedbook.compliance.rules.lock_up import LockUp
from deedbook.compliance.rules.ownership_cap import OwnershipCap
from deedbook.compliance.rules.pause import Pause
from deedbook.compliance.rules.rule import Rule
from deedbook.compliance.rules.sanctions import Sanctions
from deedbook.compliance.rules.whitelist import Whitelist
from deedbook.compliance.terms import Reason


def _of_a_party(side: Side) -> tuple[Rule, ...]:
    return (Sanctions(side), Kyc(side), Whitelist(side), Accredited(side), Jurisdiction(side))


RULES: tuple[Rule, ...] = (
    Pause(),
    Freeze(Side.SENDER),
    Freeze(Side.RECEIVER),
    Balance(),
    *_of_a_party(Side.SENDER),
    *_of_a_party(Side.RECEIVER),
    LockUp(),
    OwnershipCap(),
    HolderCount(),
)


def judge(case: Case) -> tuple[Reason, str]:
    """The first reason against it and the check that gave it; `Reason.NONE` when no rule has any."""
    for rule in RULES:
        reason = rule.judge(case)
        if reason is not Reason.NONE:
            return reason, rule.name
    return Reason.NONE, ""


def outcomes(case: Case) -> list[tuple[str, Reason]]:
    """What every check says, in their order."""
    return [(rule.name, rule.judge(case)) for rule in RULES]


__all__ = ["RULES", "Rule", "judge", "outcomes"]
