"""Each rule by its table, the order of all of them, and what holds whatever the case."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbook.compliance import Accreditation, KycStatus, Operation, Reason, TokenRules
from deedbook.compliance.model import Case, Party, Side
from deedbook.compliance.rules import RULES, judge, outcomes
from tests.compliance.cases import NOW, SECOND, case, party, record, with_party

BOTH = pytest.mark.parametrize("side", Side)


def reason(judged: Case) -> Reason:
    return judge(judged)[0]


def test_nothing_stands_against_a_case_when_both_parties_are_in_order() -> None:
    assert judge(case()) == (Reason.NONE, "")
    assert {said for _, said in outcomes(case())} == {Reason.NONE}


@BOTH
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"record": None}, Reason.KYC_MISSING),
        ({"record": record(kyc_status=KycStatus.PENDING)}, Reason.KYC_MISSING),
        ({"record": record(kyc_status=KycStatus.REJECTED)}, Reason.KYC_MISSING),
        ({"record": record(kyc_status=KycStatus.EXPIRED)}, Reason.KYC_EXPIRED),
        ({"record": record(expires_at=NOW - SECOND)}, Reason.KYC_EXPIRED),
        ({"record": record(expires_at=NOW)}, Reason.KYC_EXPIRED),
        ({"record": record(expires_at=NOW + SECOND)}, Reason.NONE),
        ({"record": record(kyc_status=KycStatus.PENDING, expires_at=NOW - SECOND)}, Reason.KYC_MISSING),
        ({"record": record(whitelisted=False)}, Reason.NOT_WHITELISTED),
        ({"record": record(whitelisted=False), "is_issuer": True}, Reason.NONE),
        ({"record": None, "is_issuer": True}, Reason.KYC_MISSING),
        ({"record": record(expires_at=NOW), "is_issuer": True}, Reason.KYC_EXPIRED),
        ({"sanctioned": True}, Reason.SANCTIONED),
        ({"sanctioned": True, "is_issuer": True}, Reason.SANCTIONED),
    ],
)
def test_a_party_is_judged_by_its_standing(side: Side, changes: dict[str, object], expected: Reason) -> None:
    balances = {"holding": 1000, "spendable": 1000} if side is Side.SENDER else {"holding": 0}
    assert reason(with_party(side, party(**balances, **changes))) is expected


@BOTH
@pytest.mark.parametrize(("level", "expected"), [(0, Reason.KYC_MISSING), (2, Reason.NONE), (3, Reason.NONE)])
def test_a_kyc_is_missing_when_it_is_below_the_tokens_level(side: Side, level: int, expected: Reason) -> None:
    judged = with_party(side, party(record=record(kyc_level=level)), rules=TokenRules(min_kyc_level=2))
    assert reason(judged) is expected


@BOTH
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"accreditation": Accreditation.NONE}, Reason.ACCREDITATION_MISSING),
        ({"accreditation": Accreditation.INSTITUTIONAL}, Reason.NONE),
        ({"accreditation_expires_at": NOW}, Reason.ACCREDITATION_EXPIRED),
        ({"accreditation_expires_at": NOW + SECOND}, Reason.NONE),
    ],
)
def test_accreditation_is_asked_for_when_the_token_requires_it(
    side: Side, changes: dict[str, object], expected: Reason
) -> None:
    somebody = party(record=record(**changes))
    required = TokenRules(accreditation_required=True)
    assert reason(with_party(side, somebody, rules=required)) is expected
    assert reason(with_party(side, somebody)) is Reason.NONE


@BOTH
@pytest.mark.parametrize(
    ("place", "allowed", "blocked", "expected"),
    [
        ("LU", {"LU", "DE"}, set(), Reason.NONE),
        ("US", {"LU", "DE"}, set(), Reason.JURISDICTION),
        ("US", set(), {"US"}, Reason.JURISDICTION),
        ("LU", set(), {"US"}, Reason.NONE),
        ("LU", {"LU"}, {"LU"}, Reason.JURISDICTION),
        (None, set(), {"US"}, Reason.JURISDICTION),
        (None, {"LU"}, set(), Reason.JURISDICTION),
        (None, set(), set(), Reason.NONE),
    ],
)
def test_a_place_is_allowed_and_not_blocked(
    side: Side, place: str | None, allowed: set[str], blocked: set[str], expected: Reason
) -> None:
    asked = TokenRules(allowed_jurisdictions=frozenset(allowed), blocked_jurisdictions=frozenset(blocked))
    assert reason(with_party(side, party(record=record(jurisdiction=place)), rules=asked)) is expected


def test_a_paused_token_does_not_move() -> None:
    assert reason(case(rules=TokenRules(paused=True))) is Reason.PAUSED


@pytest.mark.parametrize(
    ("side", "expected"), [(Side.SENDER, Reason.SENDER_FROZEN), (Side.RECEIVER, Reason.RECEIVER_FROZEN)]
)
def test_a_frozen_account_neither_gives_nor_receives(side: Side, expected: Reason) -> None:
    frozen = replace(party(), frozen=True, is_issuer=True)
    assert reason(with_party(side, frozen)) is expected
    assert reason(with_party(side, frozen, regulated=False)) is expected


@pytest.mark.parametrize(("amount", "expected"), [(1000, Reason.NONE), (1001, Reason.BALANCE)])
def test_nobody_gives_more_than_they_may_spend(amount: int, expected: Reason) -> None:
    assert reason(case(amount=amount)) is expected
    assert reason(case(amount=amount, regulated=False)) is expected
    assert reason(case(amount=amount, sender=None)) is Reason.NONE


@pytest.mark.parametrize(
    ("changes", "amount", "expected"),
    [
        ({"received_lately": 400}, 600, Reason.NONE),
        ({"received_lately": 400}, 601, Reason.LOCK_UP),
        ({"received_lately": 5000}, 1, Reason.LOCK_UP),
        ({"received_lately": 400, "spendable": 700}, 300, Reason.NONE),
        ({"received_lately": 400, "spendable": 700}, 301, Reason.LOCK_UP),
        ({"received_lately": 1000, "is_issuer": True}, 1000, Reason.NONE),
    ],
)
def test_what_came_in_lately_is_the_last_to_leave(
    changes: dict[str, object], amount: int, expected: Reason
) -> None:
    judged = case(sender=party(**changes), amount=amount, rules=TokenRules(lock_up_days=30))
    assert reason(judged) is expected
    assert reason(replace(judged, rules=TokenRules())) is Reason.NONE


@pytest.mark.parametrize(
    ("holding", "is_issuer", "expected"),
    [(400, False, Reason.NONE), (401, False, Reason.OWNERSHIP_CAP), (401, True, Reason.NONE)],
)
def test_nobody_but_the_issuer_holds_more_than_the_cap(
    holding: int, is_issuer: bool, expected: Reason
) -> None:
    receiver = party(holding=holding, is_issuer=is_issuer)
    assert reason(case(receiver=receiver, rules=TokenRules(max_ownership=500))) is expected


@pytest.mark.parametrize(
    ("holders", "receiver", "sender", "amount", "expected"),
    [
        (1, {}, {}, 100, Reason.NONE),
        (2, {}, {}, 100, Reason.HOLDER_COUNT),
        (3, {}, {}, 100, Reason.HOLDER_COUNT),
        (2, {"holding": 1}, {}, 100, Reason.NONE),
        (2, {"is_issuer": True}, {}, 100, Reason.NONE),
        (2, {}, {}, 1000, Reason.NONE),
        (3, {}, {}, 1000, Reason.HOLDER_COUNT),
        (2, {}, {"is_issuer": True}, 1000, Reason.HOLDER_COUNT),
    ],
)
def test_a_token_has_no_more_holders_than_it_may_have(
    holders: int, receiver: dict[str, object], sender: dict[str, object], amount: int, expected: Reason
) -> None:
    judged = case(
        sender=party(**sender),
        receiver=party(**{"holding": 0, **receiver}),
        holders=holders,
        amount=amount,
        rules=TokenRules(max_holders=2),
    )
    assert reason(judged) is expected


def test_the_rules_are_asked_in_the_order_of_the_chain_and_then_of_the_platform() -> None:
    """Everything is wrong; each time the first reason is put right, the next one shows."""
    everything = TokenRules(
        paused=True,
        accreditation_required=True,
        allowed_jurisdictions=frozenset({"LU"}),
        max_holders=1,
        max_ownership=1,
        lock_up_days=30,
    )
    bad = Party(frozen=True, sanctioned=True, record=None, holding=90, spendable=90, received_lately=90)
    wrong = case(rules=everything, sender=bad, receiver=replace(bad, holding=0), holders=5)
    assert [said for _, said in outcomes(wrong)] == [
        Reason.PAUSED,
        Reason.SENDER_FROZEN,
        Reason.RECEIVER_FROZEN,
        Reason.BALANCE,
        *[
            Reason.SANCTIONED,
            Reason.KYC_MISSING,
            Reason.NOT_WHITELISTED,
            Reason.ACCREDITATION_MISSING,
            Reason.JURISDICTION,
        ]
        * 2,
        Reason.LOCK_UP,
        Reason.OWNERSHIP_CAP,
        Reason.HOLDER_COUNT,
    ]
    assert [name for name, _ in outcomes(wrong)] == [rule.name for rule in RULES]
    assert reason(wrong) is Reason.PAUSED
    assert reason(replace(wrong, rules=replace(everything, paused=False))) is Reason.SENDER_FROZEN


WHEN = st.one_of(st.none(), st.sampled_from([NOW - SECOND, NOW, NOW + SECOND]))
RECORDS = st.builds(
    record,
    kyc_status=st.sampled_from(KycStatus),
    kyc_level=st.integers(0, 3),
    whitelisted=st.booleans(),
    accreditation=st.sampled_from(Accreditation),
    accreditation_expires_at=WHEN,
    expires_at=WHEN,
    jurisdiction=st.sampled_from([None, "LU", "US"]),
)
AMOUNTS = st.integers(0, 200)
PARTIES = st.builds(
    Party,
    frozen=st.booleans(),
    sanctioned=st.booleans(),
    record=st.one_of(st.none(), RECORDS),
    is_issuer=st.booleans(),
    holding=AMOUNTS,
    spendable=AMOUNTS,
    received_lately=AMOUNTS,
)
PLACES = st.frozensets(st.sampled_from(["LU", "US", "DE"]))
TOKEN_RULES = st.builds(
    TokenRules,
    min_kyc_level=st.integers(0, 3),
    accreditation_required=st.booleans(),
    allowed_jurisdictions=PLACES,
    blocked_jurisdictions=PLACES,
    max_holders=st.one_of(st.none(), st.integers(1, 3)),
    max_ownership=st.one_of(st.none(), st.integers(1, 300)),
    lock_up_days=st.sampled_from([0, 30]),
    paused=st.booleans(),
)
CASES = st.builds(
    Case,
    operation=st.sampled_from(Operation),
    regulated=st.booleans(),
    rules=TOKEN_RULES,
    sender=st.one_of(st.none(), PARTIES),
    receiver=st.one_of(st.none(), PARTIES),
    amount=st.integers(1, 200),
    holders=st.integers(0, 4),
    now=st.just(NOW),
)
UNREGULATED = {
    Reason.NONE,
    Reason.SENDER_FROZEN,
    Reason.RECEIVER_FROZEN,
    Reason.BALANCE,
    Reason.SANCTIONED,
}


@given(CASES)
def test_what_is_said_is_the_first_of_what_the_checks_say(judged: Case) -> None:
    said = [(reason, name) for name, reason in outcomes(judged) if reason is not Reason.NONE]
    assert judge(judged) == (said[0] if said else (Reason.NONE, ""))


@given(CASES)
def test_other_tokens_are_looked_at_for_freezes_balance_and_sanctions_alone(judged: Case) -> None:
    assert reason(replace(judged, regulated=False)) in UNREGULATED


@given(CASES)
def test_both_parties_of_a_regulated_token_have_an_approved_kyc_when_it_moves(judged: Case) -> None:
    """INV-10, stated without the rules' help."""
    if reason(judged) is not Reason.NONE or not judged.regulated:
        return
    for somebody in (judged.sender, judged.receiver):
        if somebody is None:
            continue
        known = somebody.record
        assert not somebody.frozen and not somebody.sanctioned
        assert known is not None and known.kyc_status is KycStatus.APPROVED
        assert known.expires_at is None or known.expires_at > judged.now
        assert known.whitelisted or somebody.is_issuer


@given(CASES)
def test_less_is_never_refused_when_more_was_allowed(judged: Case) -> None:
    """But for the one who gives everything away and so makes room for the receiver."""
    unlimited = replace(judged, rules=replace(judged.rules, max_holders=None))
    if reason(unlimited) is Reason.NONE:
        assert reason(replace(unlimited, amount=max(1, unlimited.amount // 2))) is Reason.NONE


@given(CASES)
def test_the_house_as_a_party_is_never_the_reason(judged: Case) -> None:
    alone = replace(judged, sender=None, receiver=None)
    assert reason(alone) in {Reason.NONE, Reason.PAUSED}
