"""The lifecycle from end to end, over HTTP, in real processes."""

import asyncio
import json
import os
import subprocess
import sys

from standardwebhooks import Webhook

from tests.support.letter_box import letter_box
from tests.support.stack import PATIENCE_S, Stack
from tests.support.waiting import eventually


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


async def test_an_issuer_is_told_in_their_feed_and_by_webhook_when_their_market_becomes_active(
    stack: Stack,
) -> None:
    async with letter_box() as box:
        wanted = {"url": f"{box.url}/hook", "kinds": ["market.approved", "market.activated"]}
        secret = (await stack.call("POST", "/me/webhooks", status=201, json=wanted))["secret"]
        listing = await stack.lifecycle()

        async def told() -> bool:
            feed = await stack.call("GET", "/me/notifications")
            of_it = [entry for entry in feed["data"] if entry["subjectId"] == str(listing.market_id)]
            return sorted(entry["kind"] for entry in of_it) == sorted(wanted["kinds"])

        async def posted() -> bool:
            messages = [Webhook(secret).verify(got.body, got.headers) for got in box.received]
            return {message["type"] for message in messages} == set(wanted["kinds"])

        await eventually(told, "both stand in the feed, once", within_s=PATIENCE_S)
        await eventually(posted, "both were posted, and are ours by their signature", within_s=PATIENCE_S)
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
