"""The bench of market data, small: on a stack of its own, everything measured, nothing failed, candles true."""

import json

import pytest

from tests.support.running import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SMALL = (
    "bench",
    "marketdata",
    "--json",
    "--backlog",
    "5000",
    "--seconds",
    "2",
    "--reads",
    "50",
    "--reads-per-s",
    "50",
)


async def test_it_measures_folding_and_reads_on_a_stack_of_its_own() -> None:
    terminal = Terminal.new()
    try:
        ended = await terminal.command(*SMALL)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        told = json.loads(ended.stdout.splitlines()[-1])
        await terminal.nothing_is_left()
    finally:
        terminal.close()
    assert (told["name"], told["unit"], told["truths"]) == ("marketdata", "trades/s folded", True)
    counts = {entry["name"]: entry["count"] for entry in told["rounds"]}
    assert counts == {
        "backlog folded, per trade": 5000,
        "traded to in a candle": 2000,
        **dict.fromkeys(("orderbook", "trades", "candles", "stats", "price"), 50),
    }
    (share,) = [note for note in told["notes"] if "without PostgreSQL" in note]
    assert float(share.split("%")[0]) >= 90
