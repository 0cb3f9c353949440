"""The numbers of the reasons: one meaning each, on the chain and off it."""

import re
from pathlib import Path

from deedbook.compliance import Reason
from deedbook.compliance.errors import Ineligible, refusal
from deedbook.kernel.errors import Kind
from deedbook.ledger.errors import InsufficientFunds

SOLIDITY = Path(__file__).parents[2] / "contracts" / "src" / "token" / "Restriction.sol"


def test_the_contracts_use_our_numbers() -> None:
    declared = re.findall(r"uint8 internal constant (\w+) = (\d+);", SOLIDITY.read_text())
    assert len(declared) >= 7
    assert {name: int(number) for name, number in declared}.items() <= {
        r.name: r.value for r in Reason
    }.items()


def test_the_numbers_are_those_that_were_published() -> None:
    assert [reason.value for reason in Reason] == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 30, 50, 51, 60, 70]


def test_every_reason_has_a_refusal_of_its_own_that_says_its_number() -> None:
    refusals = [refusal(reason, "sender") for reason in Reason if reason is not Reason.NONE]
    assert len({type(refused) for refused in refusals}) == len(refusals)
    for reason, refused in zip([r for r in Reason if r is not Reason.NONE], refusals, strict=True):
        assert refused.extra == {"reason": str(reason.value)}
        if reason is Reason.BALANCE:
            assert isinstance(refused, InsufficientFunds)
        else:
            assert isinstance(refused, Ineligible) and refused.kind is Kind.FORBIDDEN
