"""The bench of settlement, small: that it measures what it says, on a stack of its own."""

import json

import pytest

from tests.support.running import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def test_it_measures_trades_alone_and_in_batches() -> None:
    terminal = Terminal.new()
    try:
        ended = await terminal.command("bench", "settlement", "--json", "--trades", "20", "--alone", "2")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        told = json.loads(ended.stdout.splitlines()[-1])
        await terminal.nothing_is_left()
    finally:
        terminal.close()
    assert (told["name"], told["unit"], told["truths"]) == ("settlement", "trades/s", True)
    counts = {entry["name"]: (entry["count"], entry["failed"]) for entry in told["rounds"]}
    assert counts == {"alone": (2, 0), "at once, in batches": (20, 0)}
    assert all(0 < entry["p50Ms"] <= entry["p99Ms"] <= entry["maxMs"] for entry in told["rounds"])
    assert {"worker", "postgres", "chain", "bench"} <= told["cpuUsPerUnit"].keys()
    assert "gas a trade" in told["notes"][0]
