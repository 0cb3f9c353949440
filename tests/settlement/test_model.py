"""Rules of settlement with values: who goes into the next batch, what waits behind what, what is given back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbook.chain.delivery import DeliveryResult, FailureReason, Verdict
from deedbook.kernel.ids import PairId, TokenId, UserId
from deedbook.ledger import SUSPENSE, AccountId
from deedbook.settlement import model
from deedbook.settlement.model import Claim
from deedbook.settlement.terms import Figures, Waiting
from deedbook.trading.terms import TradeId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BASE, QUOTE, OTHER = (TokenId(UUID(int=number)) for number in (1, 2, 3))
PAIR = PairId(UUID(int=9))
FIGURES = Figures(patience_s=60.0, max_sends=3)


def user(number: int) -> UserId:
    return UserId(UUID(int=1000 + number))


def trade(buyer: int, seller: int, *, base: TokenId = BASE, **more: Any) -> Waiting:
    values: dict[str, Any] = {
        "trade_id": TradeId(uuid4()),
        "place": 1,
        "pair_id": PAIR,
        "buyer_id": user(buyer),
        "seller_id": user(seller),
        "base_token_id": base,
        "quote_token_id": QUOTE,
        "buy_order_id": uuid4(),
        "sell_order_id": uuid4(),
        "base_amount": 1,
        "quote_amount": 1,
        "buyer_fee": 0,
        "seller_fee": 0,
        "executed_at": NOW,
        "sends": 0,
        "looks": 0,
        "batch_limit": None,
        "refused_at": None,
        "not_before": None,
        **more,
    }
    return Waiting(**values)


def judged(*said: tuple[Waiting, FailureReason | DeliveryResult], under_way: Any = ()) -> model.Plan:
    verdicts: dict[UUID, Verdict] = {
        entry.trade_id: Verdict(entry.trade_id, what)
        if isinstance(what, DeliveryResult)
        else Verdict(entry.trade_id, DeliveryResult.FAILED, what)
        for entry, what in said
    }
    return model.judge([entry for entry, _ in said], verdicts, under_way, NOW, FIGURES)


OK = DeliveryResult.SETTLED


def test_a_later_trade_of_the_same_balance_waits_when_an_earlier_one_does() -> None:
    first, same, apart = trade(1, 2), trade(3, 2), trade(4, 5)
    behind = trade(4, 3)
    plan = judged((first, FailureReason.PAUSED), (same, OK), (apart, OK), (behind, OK))
    assert plan.take == [apart]
    assert plan.rest == [(first, "token_paused")]


def test_nobody_waits_when_a_trade_has_failed_for_good() -> None:
    first, same = trade(1, 2), trade(3, 2)
    plan = judged((first, FailureReason.CANCELLED), (same, OK))
    assert (plan.fail, plan.take, plan.rest) == ([(first, "cancelled_by_trader")], [same], [])


@pytest.mark.parametrize(
    ("refused_s", "under_way", "fails"),
    [(None, False, False), (59, False, False), (60, False, True), (3600, True, False)],
)
def test_a_missing_balance_is_final_when_patience_has_ended_and_nothing_is_on_its_way(
    refused_s: int | None, under_way: bool, fails: bool
) -> None:
    refused = None if refused_s is None else NOW - timedelta(seconds=refused_s)
    entry = trade(1, 2, refused_at=refused)
    keys = [(user(2), QUOTE)] if under_way else []
    plan = judged((entry, FailureReason.INSUFFICIENT_BALANCE), under_way=keys)
    assert bool(plan.fail) is fails


@pytest.mark.parametrize(("under_way", "fails"), [(True, False), (False, True)])
def test_a_rate_is_final_when_no_earlier_trade_of_the_swap_is_on_its_way(
    under_way: bool, fails: bool
) -> None:
    """The contract judges a swap by all of its trades together: a dear one passes once the cheap one has settled."""
    entry = trade(1, 2)
    keys = [(user(1), BASE)] if under_way else []
    plan = judged((entry, FailureReason.RATE_NOT_SIGNED), under_way=keys)
    assert (bool(plan.fail), bool(plan.rest)) == (fails, not fails)


@pytest.mark.parametrize("reason", [FailureReason.PAUSED, FailureReason.PAIR_NOT_LISTED])
def test_what_ends_by_itself_is_waited_for_however_long_it_takes(reason: FailureReason) -> None:
    entry = trade(1, 2, refused_at=NOW - timedelta(hours=20))
    assert judged((entry, reason)).rest == [(entry, reason.value)]


FINAL = [
    reason
    for reason in FailureReason
    if not reason.may_pass and reason is not FailureReason.UNKNOWN and reason not in model.OF_PARTIES
]


@pytest.mark.parametrize("reason", sorted(model.OF_PARTIES, key=str))
def test_a_refusal_of_parties_is_final_only_when_our_own_records_say_the_same(reason: FailureReason) -> None:
    entry = trade(1, 2, refused_at=NOW - timedelta(days=1))
    assert judged((entry, reason)).rest == [(entry, reason.value)]
    verdicts: dict[UUID, Verdict] = {entry.trade_id: Verdict(entry.trade_id, DeliveryResult.FAILED, reason)}
    for party in (entry.buyer_id, entry.seller_id):
        barred = {(party, entry.base_token_id)}
        assert model.judge([entry], verdicts, (), NOW, FIGURES, barred).fail == [(entry, reason.value)]


def test_what_nobody_can_name_is_looked_at_again_before_it_is_final() -> None:
    lately, long_ago = trade(1, 2), trade(3, 4, refused_at=NOW - timedelta(seconds=60))
    plan = judged((lately, FailureReason.UNKNOWN), (long_ago, FailureReason.UNKNOWN))
    assert ([entry for entry, _ in plan.rest], [entry for entry, _ in plan.fail]) == ([lately], [long_ago])


@pytest.mark.parametrize("reason", FINAL)
def test_every_other_reason_is_final_at_once(reason: FailureReason) -> None:
    entry = trade(1, 2)
    assert judged((entry, reason)).fail == [(entry, reason.value)]


def test_what_was_sent_in_vain_too_often_fails_although_it_would_pass() -> None:
    entry = trade(1, 2, sends=3)
    assert judged((entry, OK)).fail == [(entry, "sent 3 times, and not settled")]


def test_what_the_contract_has_settled_before_is_not_sent_again() -> None:
    entry = trade(1, 2)
    plan = judged((entry, DeliveryResult.ALREADY_SETTLED))
    assert (plan.known, plan.take) == ([entry], [])


def test_those_behind_a_resting_trade_are_not_looked_at() -> None:
    resting = trade(1, 2, not_before=NOW + timedelta(seconds=1))
    behind, apart, behind_both = trade(3, 2), trade(4, 5), trade(3, 6)
    waiting = [resting, behind, apart, behind_both]
    assert model.unblocked(waiting, NOW, 10) == [apart]
    assert model.unblocked(waiting, NOW + timedelta(seconds=1), 2) == [resting, behind]


def test_the_wait_grows_with_what_is_under_way_and_never_beyond_its_bound() -> None:
    waits = [model.batch_wait_s(number, Figures()) for number in range(5)]
    assert waits == sorted(waits)
    assert (waits[0] < 0.5, waits[-1]) == (True, 2.0)


@pytest.mark.parametrize(
    ("under_way", "used_percent", "room"),
    [
        ((), 50, 9_000_000),
        ((9_000_000,), 50, 9_000_000),
        ((9_000_000, 9_000_000), 50, 6_000_000),
        ((9_000_000, 9_000_000, 6_000_000), 50, 3_000_000),
        ((9_000_000, 9_000_000, 6_000_000, 3_000_000), 50, 1_500_000),
        # Too little for more is left: the next block begins.
        ((9_000_000, 9_000_000, 6_000_000, 3_000_000, 1_500_000), 50, 9_000_000),
        # It did not fit any more, so it lies in the next one.
        ((9_000_000, 9_000_000, 9_000_000), 50, 9_000_000),
        ((9_000_000,), 100, 6_000_000),
        ((9_000_000, 6_000_000), 100, 9_000_000),
    ],
)
def test_a_batch_asks_for_what_is_left_of_the_block_that_those_before_it_fill(
    under_way: tuple[int, ...], used_percent: int, room: int
) -> None:
    assert model.gas_room(under_way, used_percent) == room


def test_looks_become_rarer_and_never_end() -> None:
    after = [model.look_again_after(looks).total_seconds() for looks in (0, 1, 2, 30, 10_000)]
    assert after == [2.0, 4.0, 8.0, 300.0, 300.0]


@pytest.mark.parametrize(
    ("unsettled", "now", "expected"),
    [(4999, False, False), (5000, False, True), (4001, True, True), (4000, True, False)],
)
def test_a_pair_is_congested_between_its_bound_and_four_fifths_of_it(
    unsettled: int, now: bool, expected: bool
) -> None:
    assert model.is_congested(unsettled, 5000, now=now) is expected


ACCOUNTS = [AccountId(user(number)) for number in range(3)]
AMOUNTS = st.integers(-1000, 1000).filter(bool)


@given(
    amounts=st.tuples(AMOUNTS, AMOUNTS),
    available=st.lists(st.integers(0, 1500), min_size=3, max_size=3),
    owed=st.lists(st.integers(0, 1500), min_size=3, max_size=3),
)
def test_restitution_creates_and_loses_nothing(
    amounts: tuple[int, int], available: list[int], owed: list[int]
) -> None:
    lines = dict(zip([(account, BASE) for account in ACCOUNTS], [*amounts, -sum(amounts)], strict=True))
    lines = {key: amount for key, amount in lines.items() if amount}
    has = {(account, BASE): units for account, units in zip(ACCOUNTS, available, strict=True)}
    claims = {
        (account, BASE): [Claim(TradeId(uuid4()), account, BASE, units)]
        for account, units in zip(ACCOUNTS, owed, strict=True)
        if units
    }
    trade_id = TradeId(uuid4())
    made = model.restitution(trade_id, lines, has, claims)
    assert sum(move.amount for move in made.moves) == 0
    by_account = {move.account_id: move.available for move in made.moves}
    raised = {claim.account_id: claim.amount for claim in made.raised}
    paid = {claim.account_id: claim.amount for claim in made.paid}
    for (account, _), amount in lines.items():
        moved = by_account.get(account, 0)
        assert moved == -amount + raised.get(account, 0) - paid.get(account, 0)
        assert moved >= -has[(account, BASE)]
    assert by_account.get(SUSPENSE, 0) == sum(paid.values()) - sum(raised.values())
