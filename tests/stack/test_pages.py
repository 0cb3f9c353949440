"""What the README, the page on market data and the tutorials show is run as it is pasted, one after the other, beside
one stack."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.pages import run_pasted, sessions
from tests.support.running import Terminal
from tests.support.servers import ROOT, free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="ends processes by /proc"),
]

TUTORIALS = ("issuer", "compliance-officer", "investor", "market-maker", "operator")
PAGES = ("README.md", "docs/market-data.md", *(f"docs/tutorials/{name}.md" for name in TUTORIALS))
MARK = "-- the end of "
BUSY_S = 10
"""Where a page waits for a few seconds, it says how long a machine takes that does nothing else."""


async def test_what_the_pages_show_works_as_pasted(running: Terminal, tmp_path: Path) -> None:
    script = "".join(f"{sessions(page)}\necho '{MARK}{page}'\n" for page in PAGES)
    script = script.replace("8099", str(free_port()))
    script = re.sub(r"^sleep \d$", f"sleep {BUSY_S}", script, flags=re.MULTILINE)
    printed = await asyncio.to_thread(run_pasted, script, running, tmp_path, 800)
    shown, rest = dict[str, str](), printed
    for page in PAGES:
        shown[page], _, rest = rest.partition(f"{MARK}{page}\n")
    _the_readme(_answers(shown["README.md"]))
    _the_page_on_market_data(_answers(shown["docs/market-data.md"]))
    _the_tutorials(shown)


def test_a_tutorial_says_what_can_go_wrong_and_is_one_of_these() -> None:
    pages = {path.stem: path.read_text() for path in (ROOT / "docs" / "tutorials").glob("*.md")}
    assert pages.keys() == set(TUTORIALS)
    assert all("## What can go wrong" in text for text in pages.values())


def test_the_market_maker_has_sixty_lines_of_code() -> None:
    page = (ROOT / "docs" / "tutorials" / "market-maker.md").read_text()
    [program] = re.findall(r'^```python title="market_maker.py"\n(.*?)^```', page, re.MULTILINE | re.DOTALL)
    code = [
        line
        for line in program.splitlines()
        if line.strip() and not line.startswith(('"""', "import", "from"))
    ]
    assert len(code) <= 60


def _answers(printed: str) -> list[Any]:
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


def _the_readme(answers: list[Any]) -> None:
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


def _the_page_on_market_data(answers: list[Any]) -> None:
    candles, stats, everything, shown, hidden, added, price, sources, checked = answers
    # The README's order and its swap, in one minute or in two.
    assert sum(candle["trades"] for candle in candles["data"]) == 2
    assert {candle["close"] for candle in candles["data"]} == {"16"}
    assert (stats["lastPrice"], stats["volume24h"]) == ("16", "7")
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


def _the_tutorials(shown: dict[str, str]) -> None:
    issuer, officer, investor, maker, operator = (shown[page] for page in PAGES[2:])
    assert "PENDING_APPROVAL\nAPPROVED\n" in issuer and "WHARF-USDC" in issuer
    assert "no title deed is on record" in officer and "2000 ('KP',)" in officer
    assert "FILLED" in investor and "paid 500" in investor and "COMPLETED" in investor
    assert "traded SELL 2 at 20.1" in maker and "cancelled 2" in maker and "no orders" in maker
    assert (
        '"ready":true' in operator and "the vault was read up to block" in operator and "paused" in operator
    )
