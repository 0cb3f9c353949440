"""The book as a feed keeps it: whatever happens, the difference that is told turns what was into what is."""

from hypothesis import given
from hypothesis import strategies as st

from deedbook.api.live import board as boards
from deedbook.api.live.board import Board, difference

CHANGES = st.lists(st.tuples(st.booleans(), st.integers(1, 40), st.integers(0, 5)), max_size=60)


@given(CHANGES, st.integers(1, 12))
def test_differences_lead_from_one_top_to_the_next(changes: list[tuple[bool, int, int]], depth: int) -> None:
    board = Board(0, [], [])
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    held: dict[int, int] = {}
    for seq, (buy, price, lots) in enumerate(changes, 1):
        before = board.bids.top(depth)
        board.apply(seq, [(price, lots)] if buy else [], [] if buy else [(price, lots)])
        (bids if buy else asks)[price] = lots
        for changed, now in difference(before, board.bids.top(depth)):
            held[changed] = now
            if not now:
                del held[changed]
        living = {price: lots for price, lots in bids.items() if lots}
        best = sorted(living.items(), reverse=True)[:depth]
        assert board.bids.top(depth) == best == sorted(held.items(), reverse=True)
        assert board.asks.top(depth) == sorted((p, n) for p, n in asks.items() if n)[:depth]
    assert board.seq == len(changes)


def test_a_side_that_was_cut_off_says_when_it_may_lack_levels() -> None:
    levels = [(10_000 - place, 1) for place in range(boards.LOADED)]
    board = Board(1, levels, [])
    board.apply(2, [(5, 9)], [])  # beyond what was loaded: not followed
    assert (5, 9) not in board.bids.top(boards.LOADED + 1) and not board.ran_short
    gone = [(price, 0) for price, _ in levels[: boards.LOADED - boards.FEW + 1]]
    board.apply(3, gone, [])
    assert board.ran_short
    whole = Board(1, levels[:50], [])
    whole.apply(2, [(price, 0) for price, _ in levels[:49]], [])
    assert not whole.ran_short
