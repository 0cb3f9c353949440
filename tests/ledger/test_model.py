"""The rules of the ledger as values: postings sum to zero, and what they come to is counted once."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbook.kernel.ids import TokenId
from deedbook.ledger import (
    CHAIN,
    SUSPENSE,
    AccountId,
    Hold,
    HoldOwner,
    LineKind,
    Move,
    Posting,
    between,
    into_the_vault,
    out_of_the_vault,
)
from deedbook.ledger.model import all_moves, deltas_of, lines_of

ALICE, BOB = AccountId(uuid4()), AccountId(uuid4())
GOLD, CASH = TokenId(uuid4()), TokenId(uuid4())

amounts = st.integers(-(10**30), 10**30)
moves = st.builds(
    Move, st.sampled_from([ALICE, BOB, CHAIN, SUSPENSE]), st.sampled_from([GOLD, CASH]), amounts, amounts
)


def test_posting_is_refused_when_it_does_not_sum_to_zero() -> None:
    with pytest.raises(AssertionError, match="does not sum to zero"):
        Posting(uuid4(), LineKind.TRADE, (Move(ALICE, GOLD, -5), Move(BOB, GOLD, 4)))


def test_posting_is_refused_when_only_the_sum_over_all_tokens_is_zero() -> None:
    with pytest.raises(AssertionError, match="does not sum to zero"):
        Posting(uuid4(), LineKind.TRADE, (Move(ALICE, GOLD, -5), Move(BOB, CASH, 5)))


@pytest.mark.parametrize("amount", [0, -1])
def test_hold_is_refused_when_it_holds_nothing(amount: int) -> None:
    with pytest.raises(AssertionError):
        Hold(HoldOwner.ORDER, uuid4(), ALICE, GOLD, amount)


def test_posting_leaves_one_line_when_an_account_is_named_twice() -> None:
    posting = Posting(
        uuid4(), LineKind.TRADE, (Move(ALICE, GOLD, -5), Move(ALICE, GOLD, locked=-2), Move(BOB, GOLD, 7))
    )
    assert {(line.account_id, line.amount) for line in lines_of([posting])} == {(ALICE, -7), (BOB, 7)}


def test_posting_leaves_no_line_when_an_account_comes_to_nothing() -> None:
    posting = Posting(uuid4(), LineKind.TRADE, (Move(ALICE, GOLD, -5, 5),))
    assert lines_of([posting]) == []
    assert [(delta.available, delta.locked) for delta in deltas_of(posting.moves)] == [(-5, 5)]


def test_chain_keeps_no_running_balance_when_money_enters_or_leaves() -> None:
    postings = [
        into_the_vault(uuid4(), LineKind.DEPOSIT, ALICE, GOLD, 10),
        out_of_the_vault(uuid4(), LineKind.WITHDRAWAL, ALICE, GOLD, 4, held=True),
        out_of_the_vault(uuid4(), LineKind.WITHDRAWAL, ALICE, GOLD, 1, held=False),
        between(uuid4(), LineKind.TRANSFER, ALICE, BOB, GOLD, 2, held=False),
    ]
    found = {delta.account_id: (delta.available, delta.locked) for delta in deltas_of(all_moves(postings))}
    assert found == {ALICE: (7, -4), BOB: (2, 0)}
    assert sum(line.amount for line in lines_of(postings) if line.account_id == CHAIN) == -5


@given(st.lists(moves, max_size=12))
def test_balances_are_locked_in_one_order_when_moves_come_in_any(given_moves: list[Move]) -> None:
    keys = [(delta.account_id, delta.token_id) for delta in deltas_of(given_moves)]
    assert keys == sorted(set(keys))
    assert keys == [(delta.account_id, delta.token_id) for delta in deltas_of(reversed(given_moves))]


@given(st.lists(moves, max_size=6))
def test_deltas_are_the_lines_plus_what_the_chain_and_suspense_carry(given_moves: list[Move]) -> None:
    """Each posting is balanced by a move of suspense, so that any moves make one."""
    for token in (GOLD, CASH):
        short = sum(move.amount for move in given_moves if move.token_id == token)
        given_moves = [*given_moves, Move(SUSPENSE, token, -short)]
    posting = Posting(uuid4(), LineKind.COMPENSATION, tuple(given_moves))
    for token in (GOLD, CASH):
        told = [line for line in lines_of([posting]) if line.token_id == token]
        assert sum(line.amount for line in told) == 0
        held = sum(d.available + d.locked for d in deltas_of(posting.moves) if d.token_id == token)
        assert held == sum(line.amount for line in told if line.account_id not in (CHAIN, SUSPENSE))
