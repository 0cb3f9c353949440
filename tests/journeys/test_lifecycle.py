"""The lifecycle from end to end, over HTTP, in real processes."""

import asyncio
import json
import os
import subprocess
import sys

from tests.support.stack import Stack


async def test_market_becomes_active_when_its_issuer_and_an_officer_do_their_part(stack: Stack) -> None:
    listing = await stack.lifecycle()
    market = await stack.call("GET", f"/markets/{listing.market_id}")
    assert market["approvedBy"]
    assert market["contractAddress"]
    assert market["deploymentTxHash"]
    history = await stack.call("GET", f"/markets/{listing.market_id}/events")
    assert [event["eventType"] for event in history["data"]] == [
        "market.registered",
        "market.approval_requested",
        "market.approved",
        "market.activation_started",
        "market.activated",
    ]
    await stack.prove(listing)


async def test_markets_become_active_when_several_go_at_once(stack: Stack) -> None:
    listings = await asyncio.gather(*(stack.lifecycle() for _ in range(6)))
    await stack.prove(*listings)


async def test_check_exits_with_0_when_every_truth_holds(stack: Stack) -> None:
    listing = await stack.lifecycle()
    await stack.prove(listing)
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "deedbook", "check", "--json"],
        env={**os.environ, **stack.environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    assert {name.split()[0] for name in found} >= {f"INV-{number}" for number in (1, 2, 3, 6, 8, 9, 13)}
    assert set(map(tuple, found.values())) == {()}
