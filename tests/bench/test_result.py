"""The shape of results, and the arithmetic in them."""

import json

import pytest

from deedbook.bench.result import BenchResult, Round, middle_of, percentile


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 99, 0.0),
        ([7.0], 50, 7.0),
        ([3.0, 1.0, 2.0], 50, 2.0),
        ([1.0, 2.0, 3.0, 4.0], 50, 2.0),
        ([float(n) for n in range(1, 101)], 99, 99.0),
        ([float(n) for n in range(1, 101)], 50, 50.0),
        ([float(n) for n in range(1, 301)], 99, 297.0),
        ([1.0] * 98 + [500.0, 900.0], 99, 500.0),
    ],
)
def test_percentile_is_a_value_that_was_measured(values: list[float], percent: int, expected: float) -> None:
    assert percentile(values, percent) == expected


@pytest.mark.parametrize(("values", "expected"), [([5.0], 5.0), ([9.0, 1.0, 4.0], 4.0), ([2.0, 8.0], 8.0)])
def test_middle_is_a_round_that_was_measured(values: list[float], expected: float) -> None:
    assert middle_of(values, by=lambda value: value) == expected


def a_round(failed: int = 0) -> Round:
    return Round.of("register", [0.010, 0.020, 0.0305], elapsed_s=1.5, failed=failed, offered_per_s=2.0)


def a_result(*rounds: Round, truths: bool = True) -> BenchResult:
    return BenchResult("registration", 2.0, "registrations/s", 20.0, 30.5, {"api": 5000}, rounds, truths)


def test_round_tells_rate_and_latencies() -> None:
    assert a_round().as_json() == {
        "name": "register",
        "count": 3,
        "failed": 0,
        "offeredPerS": 2.0,
        "rate": 2.0,
        "p50Ms": 20.0,
        "p99Ms": 30.5,
        "maxMs": 30.5,
    }


def test_round_without_an_answer_is_a_round_too() -> None:
    told = Round.of("activate", [], elapsed_s=0.0, failed=3).as_json()
    assert (told["count"], told["failed"], told["rate"], told["p99Ms"]) == (0, 3, 0.0, 0.0)


def test_result_is_one_json_object_with_the_agreed_names() -> None:
    told = json.loads(json.dumps(a_result(a_round()).as_json()))
    agreed = {"name", "rate", "unit", "p50Ms", "p99Ms", "cpuUsPerUnit", "rounds", "machine", "truths"}
    assert agreed <= told.keys()
    assert told["machine"]["cpus"] >= 1
    assert told["machine"]["memoryMb"] > 0
    assert told["machine"]["load"] >= 0


def test_numbers_count_only_when_nothing_failed_and_the_truths_held() -> None:
    assert a_result(a_round()).ok
    assert not a_result(a_round(), a_round(failed=1)).ok
    assert not a_result(a_round(), truths=False).ok
