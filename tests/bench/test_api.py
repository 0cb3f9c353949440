"""The benches of orders, small: each measures what it says, and tells it in the one shape."""

import json

import pytest

from tests.support.running import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
KINDS = ("as fast as taken", "at half that", "in batches of 50")


async def test_each_kind_of_round_comes_as_often_as_was_asked_and_the_median_counts() -> None:
    terminal = Terminal.new()
    options = ("--json", "--orders", "500", "--traders", "4", "--connections", "16", "--rounds", "2")
    try:
        ended = await terminal.command("bench", "api", *options)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        told = json.loads(ended.stdout.splitlines()[-1])
        await terminal.nothing_is_left()
    finally:
        terminal.close()
    assert (told["name"], told["unit"], told["truths"]) == ("api", "orders/s", True)
    rounds = {entry["name"]: entry for entry in told["rounds"]}
    assert list(rounds) == [f"round {number}, {kind}" for number in (1, 2) for kind in KINDS]
    assert {(entry["count"], entry["failed"]) for entry in told["rounds"]} == {(500, 0)}
    assert told["rate"] == max(rounds[f"round {number}, as fast as taken"]["rate"] for number in (1, 2))
    assert told["p99Ms"] == max(rounds[f"round {number}, at half that"]["p99Ms"] for number in (1, 2))
    assert {"api", "matcher", "relay", "postgres", "valkey", "bench"} <= told["cpuUsPerUnit"].keys()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("engine", "--commands", "2000", "--rounds", "3"), "engine"),
        (("matching", "--orders", "600", "--rounds", "1"), "matching"),
    ],
)
async def test_what_lies_beneath_is_measured_without_it(options: tuple[str, ...], name: str) -> None:
    terminal = Terminal.new()
    try:
        ended = await terminal.command("bench", *options, "--json")
    finally:
        terminal.close()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert (told["name"], told["unit"], told["truths"]) == (name, "commands/s", True)
    assert told["rate"] in [entry["rate"] for entry in told["rounds"]]
    assert all(0 < entry["p50Ms"] <= entry["p99Ms"] for entry in told["rounds"])
