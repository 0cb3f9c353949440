"""`deedbook bench engine`: the matching engine alone, in this process, on one core."""

import gc
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from deedbook.bench.result import BenchResult, Round, middle_of
from deedbook.trading.engine import Book, Order

TRADERS = 2000
MIDDLE, SPREAD = 10_000, 20
SAMPLE = 997
"""Every so many commands one is timed alone; a prime, so that no pattern of the stream is met again and again."""


@dataclass(frozen=True)
class Command:
    """A new order by its terms, or the number of one to cancel."""

    terms: tuple[int, int, bool, int, int, bool] | None
    number: int


def stream(count: int, seed: int) -> list[Command]:
    """60 % resting orders around the middle, a fifth of them crossing it, 30 % cancels, 10 % market orders."""
    draw = random.Random(seed)  # noqa: S311 - a load, not a secret
    living: list[int] = []
    made = []
    for number in range(1, count + 1):
        kind = draw.random()
        if kind >= 0.6 and kind < 0.9 and living:
            place = draw.randrange(len(living))
            living[place], living[-1] = living[-1], living[place]
            made.append(Command(None, living.pop()))
            continue
        buy, market = draw.random() < 0.5, kind >= 0.9
        away = int(abs(draw.gauss(0, SPREAD))) - draw.choice((0, 0, 5))
        limit = MIDDLE + (200 if market else -away) * (1 if buy else -1)
        made.append(
            Command((number, draw.randrange(TRADERS), buy, limit, draw.randrange(1, 100), market), number)
        )
        if not market:
            living.append(number)
    return made


def engine(commands: int, rounds: int, seed: int) -> BenchResult:
    """How many commands a second the engine carries out on one core, outcomes included."""
    told = stream(commands, seed)
    measured = [_run(f"round {number}", told) for number in range(1, rounds + 1)]
    middle = middle_of(measured, by=lambda entry: entry.rate)
    same = len({_hash_after(told) for _ in range(2)}) == 1
    return BenchResult(
        name="engine",
        rate=middle.rate,
        unit="commands/s",
        p50_ms=middle.p50_ms,
        p99_ms=middle.p99_ms,
        cpu_us_per_unit={"engine": round(1_000_000 / middle.rate)},
        rounds=tuple(measured),
        truths=same,
        notes=(
            f"{'compiled' if _is_compiled() else 'pure Python'}; 60 % orders, 30 % cancels, 10 % market orders",
            "rate by processor time, latencies of single commands by wall clock",
            "truths: the same stream twice gives the same state hash",
        ),
    )


def _run(name: str, told: Sequence[Command]) -> Round:
    book = Book()
    ready = [(Order(*command.terms) if command.terms else None, command.number) for command in told]
    latencies = []
    gc.collect()
    gc.freeze()
    gc.disable()
    started = time.process_time()
    for place, (order, number) in enumerate(ready, 1):
        if place % SAMPLE == 0:
            before = time.perf_counter()
            _carry_out(book, order, number)
            latencies.append(time.perf_counter() - before)
            book.outcomes = []
        elif order is not None:
            book.submit(order)
        else:
            book.cancel(number)
    spent = time.process_time() - started
    gc.enable()
    gc.unfreeze()
    entry = Round.of(name, latencies, elapsed_s=spent)
    return Round(name, len(told), 0, None, round(len(told) / spent), entry.p50_ms, entry.p99_ms, entry.max_ms)


def _carry_out(book: Book, order: Order | None, number: int) -> None:
    if order is not None:
        book.submit(order)
    else:
        book.cancel(number)


def _hash_after(told: Sequence[Command]) -> str:
    book = Book()
    for command in told:
        _carry_out(book, Order(*command.terms) if command.terms else None, command.number)
        book.outcomes = []
    return book.state_hash()


def _is_compiled() -> bool:
    return bool(getattr(sys.modules[Book.__module__], "__file__", "").endswith(".so"))
