"""The engine: the field's worked examples, the properties that always hold, and the naive book beside it."""

import pytest
from hypothesis import given, settings

from deedbook.trading.engine import Book, Ended, Order, SelfTrade, Trade, Trailing
from tests.trading.engine.naive import NaiveBook
from tests.trading.engine.streams import Command, Submit, accounts, commands, run, told

A, B, C = 1, 2, 3


def sell(number: int, group: int, limit: int, size: int, **more: int) -> Order:
    return Order(number, group, False, limit, size, **more)  # type: ignore[arg-type]


def buy(number: int, group: int, limit: int, size: int, **more: int) -> Order:
    return Order(number, group, True, limit, size, **more)  # type: ignore[arg-type]


def trades(book: Book) -> list[tuple[int, int, int, int]]:
    return [
        (outcome.order.number, outcome.maker.number, outcome.price, outcome.size)
        for outcome in book.outcomes
        if isinstance(outcome, Trade)
    ]


def endings(book: Book) -> dict[int, Ended]:
    return {int(t[1]): Ended(int(t[2])) for t in told(book) if t[0] == "Closed"}  # type: ignore[call-overload]


def after(*orders: Order) -> Book:
    book = Book()
    for order in orders:
        book.submit(order)
    return book


def test_a_taker_trades_at_the_makers_price_the_best_first_and_the_oldest_of_these() -> None:
    book = after(sell(1, A, 101, 5), sell(2, B, 100, 3), sell(3, A, 100, 4), buy(4, C, 101, 9))

    assert trades(book) == [(4, 2, 100, 3), (4, 3, 100, 4), (4, 1, 101, 2)]
    assert book.depth(buy=False, limit=5) == [(101, 3)] and book.best(buy=True) is None


@pytest.mark.parametrize(
    ("mode", "first", "made", "ended", "bids", "asks"),
    [
        # semantics of the field: A rests 4@99, then B 8@99; A buys 10@100
        (SelfTrade.EXPIRE_TAKER, "A", [], {3: Ended.SELF_TRADE}, [], [(99, 12)]),
        (
            SelfTrade.EXPIRE_MAKER,
            "A",
            [(3, 2, 99, 8)],
            {1: Ended.SELF_TRADE, 2: Ended.FILLED},
            [(100, 2)],
            [],
        ),
        (SelfTrade.EXPIRE_BOTH, "A", [], {1: Ended.SELF_TRADE, 3: Ended.SELF_TRADE}, [], [(99, 8)]),
        (
            SelfTrade.DECREMENT,
            "A",
            [(3, 2, 99, 6)],
            {1: Ended.SELF_TRADE, 3: Ended.FILLED},
            [],
            [(99, 2)],
        ),
        (
            SelfTrade.EXPIRE_TAKER,
            "B",
            [(3, 2, 99, 8)],
            {2: Ended.FILLED, 3: Ended.SELF_TRADE},
            [],
            [(99, 4)],
        ),
    ],
)
def test_an_order_never_trades_with_its_own_group(
    mode: SelfTrade,
    first: str,
    made: list[tuple[int, int, int, int]],
    ended: dict[int, Ended],
    bids: list[tuple[int, int]],
    asks: list[tuple[int, int]],
) -> None:
    rests = [sell(1, A, 99, 4), sell(2, B, 99, 8)]
    book = after(*(rests if first == "A" else reversed(rests)), buy(3, A, 100, 10, self_trade=int(mode)))

    assert trades(book) == made
    assert endings(book) == ended
    assert (book.depth(buy=True, limit=5), book.depth(buy=False, limit=5)) == (bids, asks)


def test_a_fill_or_kill_order_is_filled_whole_or_not_at_all() -> None:
    book = after(sell(1, A, 100, 5), sell(2, B, 102, 5))
    before = book.state_hash()

    book.submit(buy(3, C, 101, 6, immediate=True, all_or_nothing=True))
    assert (trades(book), endings(book), book.state_hash()) == ([], {3: Ended.NOT_FILLABLE}, before)

    book.submit(buy(4, C, 102, 6, immediate=True, all_or_nothing=True))
    assert trades(book) == [(4, 1, 100, 5), (4, 2, 102, 1)]


def test_a_fill_or_kill_order_takes_exactly_what_there_is() -> None:
    book = after(sell(1, A, 100, 5))

    book.submit(buy(2, C, 100, 5, immediate=True, all_or_nothing=True))

    assert trades(book) == [(2, 1, 100, 5)]


def test_a_fill_or_kill_order_that_would_meet_its_own_group_is_not_begun() -> None:
    book = after(sell(1, A, 100, 5), sell(2, C, 100, 5), sell(3, B, 100, 5))
    before = book.state_hash()

    book.submit(buy(4, C, 100, 6, immediate=True, all_or_nothing=True))

    assert (trades(book), endings(book), book.state_hash()) == ([], {4: Ended.NOT_FILLABLE}, before)


def test_an_immediate_order_never_rests() -> None:
    book = after(sell(1, A, 100, 5), buy(2, B, 100, 8, immediate=True))

    assert trades(book) == [(2, 1, 100, 5)]
    assert endings(book)[2] is Ended.NOT_FILLED and book.best(buy=True) is None


def test_a_post_only_order_never_takes() -> None:
    book = after(sell(1, A, 100, 5), buy(2, B, 100, 8, post_only=True), buy(3, B, 99, 8, post_only=True))

    assert trades(book) == [] and endings(book) == {2: Ended.WOULD_TAKE}
    assert book.depth(buy=True, limit=5) == [(99, 8)]


def test_a_reduced_order_keeps_its_place_and_a_larger_size_is_no_reduction() -> None:
    book = after(sell(1, A, 100, 5), sell(2, B, 100, 5))

    assert book.reduce(1, 3) and not book.reduce(1, 3) and not book.reduce(1, 4) and not book.reduce(9, 1)
    book.submit(buy(3, C, 100, 4))

    assert trades(book) == [(3, 1, 100, 3), (3, 2, 100, 1)]


def test_a_cancelled_order_is_gone_and_cancelling_it_again_changes_nothing() -> None:
    book = after(sell(1, A, 100, 5), sell(2, A, 100, 2))

    assert book.cancel(1) and not book.cancel(1)
    assert book.depth(buy=False, limit=1) == [(100, 2)]
    assert book.cancel(2) and book.best(buy=False) is None and len(book) == 0


def test_a_stop_waits_for_the_last_price_and_then_goes_to_market() -> None:
    book = after(
        sell(1, A, 100, 1),
        sell(2, A, 105, 1),
        buy(3, B, 110, 1, stop=100, immediate=True),
        sell(4, C, 101, 9),
    )
    assert trades(book) == []

    book.submit(buy(5, B, 100, 1))

    assert trades(book) == [(5, 1, 100, 1), (3, 4, 101, 1)]
    assert endings(book)[3] is Ended.FILLED


def test_a_stop_that_is_due_when_it_comes_goes_to_market_at_once() -> None:
    book = after(sell(1, A, 100, 1), buy(2, B, 100, 1), sell(3, A, 101, 1), buy(4, B, 105, 1, stop=99))

    assert trades(book)[-1] == (4, 3, 101, 1)


def test_triggered_stops_trigger_others_in_the_same_step() -> None:
    book = after(
        buy(1, A, 100, 1),
        buy(2, A, 95, 1),
        buy(3, A, 90, 1),
        sell(4, B, 1, 1, stop=100, immediate=True),
        sell(5, C, 1, 1, stop=95, immediate=True),
    )

    book.submit(sell(6, B, 100, 1))

    assert trades(book) == [(6, 1, 100, 1), (4, 2, 95, 1), (5, 3, 90, 1)]


def test_a_stop_is_triggered_by_any_trade_beyond_it_not_only_by_the_last_of_an_order() -> None:
    """One order takes what is cheap and ends where the last price was before."""
    book = after(
        sell(1, A, 105, 1),
        buy(2, B, 105, 1),
        sell(3, B, 1, 1, stop=102, immediate=True),
        buy(4, A, 90, 1),
        sell(5, C, 100, 1),
        sell(6, C, 105, 1),
    )

    book.submit(buy(7, A, 105, 2))

    assert trades(book)[1:] == [(7, 5, 100, 1), (7, 6, 105, 1), (3, 4, 90, 1)]


def test_a_trailing_stop_follows_the_best_trade_also_when_the_same_order_went_on_from_there() -> None:
    book = after(
        sell(1, A, 105, 1),
        buy(2, B, 105, 1),
        buy(3, B, 120, 1, trailing=int(Trailing.TICKS), distance=5, immediate=True),
        sell(4, C, 100, 1),
        sell(5, C, 104, 1),
        sell(6, C, 106, 2),
    )

    book.submit(buy(7, A, 104, 2))
    assert [t for t in told(book) if t[0] == "Stopped"] == [("Stopped", 3, 110), ("Stopped", 3, 105)]
    book.submit(buy(8, A, 106, 1))

    assert trades(book)[-1] == (3, 6, 106, 1)


def test_a_trailing_stop_follows_the_market_and_never_goes_back() -> None:
    book = after(buy(1, A, 100, 1), sell(2, B, 100, 1))
    book.submit(sell(3, B, 1, 5, trailing=int(Trailing.TICKS), distance=5, immediate=True))
    for number, price in enumerate((104, 101, 110, 106), 4):
        book.submit(buy(number * 10, A, price, 1))
        book.submit(sell(number * 10 + 1, C, price, 1))
    moved = [t for t in told(book) if t[0] == "Stopped"]
    assert moved == [("Stopped", 3, 95), ("Stopped", 3, 99), ("Stopped", 3, 105)]

    book.submit(buy(90, A, 105, 1))
    book.submit(buy(91, A, 104, 2))
    book.submit(sell(92, C, 105, 1))

    assert trades(book)[-1] == (3, 91, 104, 2)


def test_a_distance_in_basis_points_rounds_away_from_the_market() -> None:
    book = after(buy(1, A, 99, 1), sell(2, B, 99, 1))

    book.submit(sell(3, B, 1, 1, trailing=int(Trailing.BPS), distance=150))
    book.submit(buy(4, B, 500, 1, trailing=int(Trailing.BPS), distance=150))

    assert [t for t in told(book) if t[0] == "Stopped"] == [("Stopped", 3, 97), ("Stopped", 4, 101)]


def test_a_book_that_takes_no_orders_still_cancels() -> None:
    book = after(sell(1, A, 100, 5))
    book.accepting = False

    book.submit(buy(2, B, 100, 5))

    assert endings(book) == {2: Ended.PAUSED} and trades(book) == []
    assert book.cancel(1)


@given(stream=commands)
@settings(max_examples=400, deadline=None)
def test_the_engine_and_the_naive_book_say_the_same(stream: list[Command]) -> None:
    book, naive = Book(), NaiveBook()

    def agree() -> None:
        assert told(book) == naive.told
        for side in (True, False):
            assert [(o.number, o.remaining) for o in book.resting(buy=side)] == [
                (e.order.number, e.remaining) for e in naive.queue(buy=side)
            ]

    for number, command in enumerate(stream, 1):
        run(book, [command], first=number)
        run(naive, [command], first=number)
        agree()


@given(stream=commands)
@settings(max_examples=300, deadline=None)
def test_nothing_is_created_lost_or_crossed(stream: list[Command]) -> None:
    book = Book()
    submitted = {n: c.terms[3] for n, c in enumerate(stream, 1) if isinstance(c, Submit)}

    def uncrossed() -> None:
        bid, ask = book.best(buy=True), book.best(buy=False)
        assert bid is None or ask is None or bid < ask
        for side in (True, False):
            depth = book.depth(buy=side, limit=1000)
            levels: dict[int, int] = {}
            for order in book.resting(buy=side):
                assert order.remaining > 0
                levels[order.limit] = levels.get(order.limit, 0) + order.remaining
            assert depth == sorted(levels.items(), reverse=side)

    run(book, stream, uncrossed)

    sums = accounts(book)
    for number, size in submitted.items():
        living = book.order(number)
        come_to = sums[number]
        assert come_to["closed"] == (living is None)
        assert size == come_to["executed"] + come_to["prevented"] + come_to["given_up"] + (
            living.remaining if living else 0
        )
    for outcome in book.outcomes:
        if isinstance(outcome, Trade):
            taker, maker = outcome.order, outcome.maker
            assert taker.group != maker.group and taker.buy != maker.buy and outcome.price == maker.limit
            assert outcome.price <= taker.limit if taker.buy else outcome.price >= taker.limit
            assert outcome.size > 0


@given(stream=commands)
@settings(max_examples=150, deadline=None)
def test_the_same_commands_give_the_same_book_and_a_restored_book_is_the_same(stream: list[Command]) -> None:
    first, second = Book(), Book()
    run(first, stream)
    run(second, stream)
    assert told(first) == told(second) and first.state_hash() == second.state_hash()

    restored = Book(first.last)
    restored.accepting = first.accepting
    for buy_side in (True, False):
        for order in first.resting(buy=buy_side):
            restored.restore(_copy(order))
    for order in first.waiting():
        restored.restore(_copy(order))

    assert restored.state_hash() == first.state_hash()


def _copy(order: Order) -> Order:
    copy = Order(
        order.number,
        order.group,
        order.buy,
        order.limit,
        order.remaining,
        order.immediate,
        order.all_or_nothing,
        order.post_only,
        order.self_trade,
        order.stop,
        order.trailing,
        order.distance,
    )
    copy.waiting = order.waiting
    return copy
