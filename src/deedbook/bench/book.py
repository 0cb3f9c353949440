"""`deedbook bench book`: one book at its sizes: insert, remove, the best hundred levels, and bytes for each order."""

import random
import time
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial

from deedbook.bench.engine import MIDDLE, TRADERS
from deedbook.bench.result import BenchResult, Round
from deedbook.trading.engine import Book, Order

COUNT = 2000
AWAY = 300


def book_sizes(sizes: Sequence[int], seed: int) -> BenchResult:
    """Insert, remove and the best hundred levels of a book that already holds so many orders."""
    rounds: list[Round] = []
    notes = []
    for size in sizes:
        rounds += _rounds_of(size, seed)
        notes.append(f"{size:,} orders: {_bytes_each(size, seed)} bytes each")
    first = rounds[0]
    return BenchResult(
        name="book",
        rate=first.rate,
        unit="inserts/s",
        p50_ms=first.p50_ms,
        p99_ms=first.p99_ms,
        cpu_us_per_unit={"engine": round(1_000_000 / first.rate)},
        rounds=tuple(rounds),
        truths=True,
        notes=tuple(notes),
    )


def _rounds_of(size: int, seed: int) -> list[Round]:
    book, draw = _filled(size, seed), random.Random(seed + 1)  # noqa: S311 - a load, not a secret
    numbers = list(range(size + 1, size + 1 + COUNT))
    fresh = [_resting(number, draw) for number in numbers]
    return [
        _measured(f"insert at {size:,}", [partial(book.submit, order) for order in fresh]),
        _measured(f"remove at {size:,}", [partial(book.cancel, number) for number in numbers]),
        _measured(f"top 100 at {size:,}", [partial(book.depth, buy=True, limit=100)] * COUNT),
    ]


def _measured(name: str, works: Sequence[Callable[[], object]]) -> Round:
    latencies = []
    for work in works:
        before = time.perf_counter()
        work()
        latencies.append(time.perf_counter() - before)
    return Round.of(name, latencies, elapsed_s=sum(latencies))


def _filled(size: int, seed: int) -> Book:
    draw = random.Random(seed)  # noqa: S311 - a load, not a secret
    book = Book()
    for number in range(1, size + 1):
        book.submit(_resting(number, draw))
    book.outcomes = []
    return book


def _resting(number: int, draw: random.Random) -> Order:
    buy, away = draw.random() < 0.5, 1 + int(abs(draw.gauss(0, AWAY)))
    return Order(
        number, draw.randrange(TRADERS), buy, MIDDLE + (-away if buy else away), draw.randrange(1, 100)
    )


def _bytes_each(size: int, seed: int) -> int:
    tracemalloc.start()
    kept = _filled(min(size, 100_000), seed)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used // max(len(kept), 1)
