"""The stack where Python alone is installed: its chain is py-evm, and the whole story is told on it."""

import json
import sys

import pytest

from tests.support.running import Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]


async def test_an_asset_is_issued_traded_and_settled_where_there_is_no_anvil() -> None:
    terminal = Terminal.new()
    terminal.environ["DEEDBOOK_LOCAL_CHAIN"] = "py-evm"
    try:
        shown = await terminal.command("demo", "--json", "--exit", within_s=200)
        assert shown.returncode == 0, shown.stdout + shown.stderr
        assert "py-evm, in memory" in shown.stderr
        story = json.loads(shown.stdout.splitlines()[-1])
        assert (story["truths"], story["market"]["status"]) == (True, "active")
        assert [trade["settlementStatus"] for trade in story["trades"]] == ["SETTLED"] * 2
    finally:
        terminal.close()
