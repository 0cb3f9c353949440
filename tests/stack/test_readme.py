"""The README's sessions are run as they are pasted, beside a stack that runs."""

import asyncio
import json
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.support.running import Terminal
from tests.support.servers import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform != "linux", reason="ends processes by /proc"),
]

STOPS_AT_ERRORS = "set -euo pipefail\n"


def sessions() -> str:
    """What stands in the README to be pasted while the stack runs."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return "\n".join(block for block in blocks if "curl" in block)


async def test_the_sessions_of_the_readme_work_as_pasted(running: Terminal) -> None:
    text = sessions().replace("http://localhost:3000", running.api_url)
    text = text.replace(".venv/bin/deedbook", f"{sys.executable} -m deedbook")
    ended = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", STOPS_AT_ERRORS + text],
        env=running.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    answers: list[Any] = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    approved, market, pair, history, deposit, balances, withdrawal, lines, offer, order, book, swap = answers
    assert (approved["id"], market["status"], pair["symbol"]) == (market["id"], "active", "HARBOR-USDC")
    assert history["data"][-1]["eventType"] == "market.activated"
    assert (deposit["amount"], deposit["status"]) == ("1000", "REQUESTED")
    assert [(entry["symbol"], entry["available"]) for entry in balances["data"]] == [("USDC", "1000")]
    assert (withdrawal["status"], withdrawal["amount"]) == ("COMPLETED", "250.5")
    assert [(line["kind"], line["balance"]) for line in lines["data"]] == [
        ("withdrawal", "749.5"),
        ("deposit", "1000"),
    ]
    assert (offer["status"], offer["remainingQuantity"]) == ("PENDING_MATCH", "10")
    assert (order["status"], order["averageFillPrice"], order["fee"]) == ("FILLED", "16", "0.0125")
    assert (book["bids"], book["asks"]) == ([], [["16", "5"]])
    assert (swap["status"], swap["amountUsed"], swap["amountOut"]) == ("FILLED", "32", "1.995")
