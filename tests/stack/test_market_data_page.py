"""The sessions of the page on market data are run as they are pasted, beside a stack on which something was traded."""

import asyncio
import json
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.support.running import Terminal
from tests.support.servers import ROOT, free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform != "linux", reason="ends processes by /proc"),
]

MARK = "-- and here begins the page --"


def sessions(page: str) -> str:
    """What stands on a page to be pasted while the stack runs."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    # The README also shows how each process is started: that is no session.
    return "\n".join(block for block in blocks if "deedbook api" not in block and "make " not in block)


async def test_the_sessions_of_the_page_work_as_pasted(running: Terminal) -> None:
    text = sessions("README.md") + f"\necho '{MARK}'\n" + sessions("docs/market-data.md")
    text = text.replace("http://localhost:3000", running.api_url).replace("8099", str(free_port()))
    text = text.replace(".venv/bin/deedbook", f"{sys.executable} -m deedbook")
    ended = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", "set -euo pipefail\n" + text],
        env=running.environment(),
        capture_output=True,
        text=True,
        timeout=160,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    shown_here = ended.stdout.partition(MARK)[2]
    answers: list[Any] = [json.loads(line) for line in shown_here.splitlines() if line.startswith("{")]
    candles, stats, everything, shown, hidden, added, price, sources, checked = answers
    assert [(candle["close"], candle["trades"]) for candle in candles["data"]] == [("16", 1)]
    assert (stats["lastPrice"], stats["volume24h"]) == ("16", "5")
    assert everything["pairs"][0]["pair"] == "HARBOR-USDC"
    assert (shown, hidden) == ({"name": "Ada"}, {"name": None})
    assert (price["price"], price["reference"]["price"], price["reference"]["state"]) == (
        "16",
        "16.25",
        "sound",
    )
    assert [(source["id"], source["price"]) for source in sources["data"]] == [(added["id"], "16.25")]
    needed = [entry for entry in checked["integrations"] if entry["needed"]]
    assert len(needed) == 4 and all(entry["ok"] for entry in needed)
