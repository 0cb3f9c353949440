"""Command streams for both books, and what each order has come to after one."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from deedbook.trading.engine import Book, Closed, Ended, Order, Prevented, Reduced, SelfTrade, Trade, Trailing
from tests.trading.engine.naive import NaiveBook

MAX_TICKS = 12


@dataclass(frozen=True)
class Submit:
    """A new order by its terms: each book gets an object of its own."""

    terms: tuple[Any, ...]

    def order(self, number: int) -> Order:
        return Order(number, *self.terms)


@dataclass(frozen=True)
class Cancel:
    number: int


@dataclass(frozen=True)
class Reduce:
    number: int
    remaining: int


@dataclass(frozen=True)
class Accept:
    accepting: bool


Command = Submit | Cancel | Reduce | Accept


@st.composite
def submits(draw: st.DrawFn) -> Submit:
    kind = draw(
        st.sampled_from(["limit"] * 5 + ["ioc", "fok", "post", "stop", "stop_ioc", "trail", "trail_ioc"])
    )
    stop = draw(st.integers(1, MAX_TICKS)) if kind.startswith("stop") else 0
    trailing = draw(st.sampled_from([Trailing.TICKS, Trailing.BPS])) if kind.startswith("trail") else 0
    distance = draw(st.integers(1, 4 if trailing == Trailing.TICKS else 6000)) if trailing else 0
    return Submit(
        (
            draw(st.integers(1, 4)),
            draw(st.booleans()),
            draw(st.integers(1, MAX_TICKS)),
            draw(st.integers(1, 9)),
            kind in ("ioc", "fok") or kind.endswith("_ioc"),
            kind == "fok",
            kind == "post",
            int(draw(st.sampled_from(list(SelfTrade)))),
            stop,
            int(trailing),
            distance,
        )
    )


commands: st.SearchStrategy[list[Command]] = st.lists(
    st.one_of(
        submits(),
        submits(),
        submits(),
        st.builds(Cancel, st.integers(1, 40)),
        st.builds(Reduce, st.integers(1, 40), st.integers(0, 8)),
        st.builds(Accept, st.sampled_from([True, True, False])),
    ),
    min_size=1,
    max_size=60,
)


def run(
    book: Book | NaiveBook,
    stream: Sequence[Command],
    after_each: Callable[[], None] | None = None,
    first: int = 1,
) -> None:
    """Carry out a stream; orders are numbered by their place in it."""
    for number, command in enumerate(stream, first):
        match command:
            case Submit():
                book.submit(command.order(number))
            case Cancel():
                book.cancel(command.number)
            case Reduce():
                book.reduce(command.number, command.remaining)
            case Accept():
                book.accepting = command.accepting
        if after_each is not None:
            after_each()


def told(book: Book) -> list[tuple[object, ...]]:
    return [outcome.told() for outcome in book.outcomes]


def accounts(book: Book) -> dict[int, dict[str, int]]:
    """Per order: what was executed, prevented, given up."""
    sums: dict[int, dict[str, int]] = defaultdict(
        lambda: {"executed": 0, "prevented": 0, "given_up": 0, "closed": 0}
    )
    for outcome in book.outcomes:
        match outcome:
            case Trade():
                sums[outcome.order.number]["executed"] += outcome.size
                sums[outcome.maker.number]["executed"] += outcome.size
            case Prevented():
                sums[outcome.order.number]["prevented"] += outcome.size
                sums[outcome.maker.number]["prevented"] += outcome.size
            case Reduced():
                sums[outcome.order.number]["given_up"] += outcome.given_up
            case Closed():
                sums[outcome.order.number]["given_up"] += outcome.given_up
                sums[outcome.order.number]["closed"] += 1
                assert (outcome.why is Ended.FILLED) <= (outcome.given_up == 0)
    return sums
