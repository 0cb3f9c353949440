"""The AsyncAPI document is what the repository has, and what is really said fits it."""

from typing import Any

import jsonschema_rs
import pytest

from tests.api.live.conftest import Stand
from tests.api.live.support import listening
from tests.api.live.test_private import all_matched, signed_in, told
from tests.api.snapshot import SOCKET_SNAPSHOT, as_text, socket_contract
from tests.api.support import ROOT

NAMES = {
    "book": "BookMessage",
    "trades": "TradesMessage",
    "ticker": "TickerMessage",
    "candles": "CandlesMessage",
    "balances": "BalancesMessage",
}
BY_TYPE = {
    "subscribed": "Subscribed",
    "unsubscribed": "Subscribed",
    "authenticated": "Authenticated",
    "error": "Refused",
    "heartbeat": "Heartbeat",
    "pong": "Pong",
    "event": "PrivateEvent",
    "order": "OrderReply",
    "cancel": "OrderReply",
}


def test_the_document_is_the_one_in_the_repository() -> None:
    assert SOCKET_SNAPSHOT.read_text() == as_text(socket_contract()), "run `python -m tests.api.snapshot`"


def test_every_reference_leads_somewhere_and_every_example_fits() -> None:
    document = socket_contract()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(reference := part.get("$ref"), str):
                found: Any = document
                for name in reference.removeprefix("#/").split("/"):
                    found = found[name]
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(document)
    for name, message in document["components"]["messages"].items():
        for example in message.get("examples", ()):
            fits(document, name, example["payload"])


async def test_what_is_said_fits_the_document(stand: Stand) -> None:
    floor, document = stand.floor, socket_contract()
    assert (await floor.world.http.get(f"{ROOT}/asyncapi.json")).json() == document
    buyer, seller = await floor.investor("1000"), await floor.investor(deeds="10")
    async with listening(stand.address) as listener:
        await signed_in(listener, buyer)
        for channel in ("book", "trades", "ticker"):
            await listener.subscribe(channel, stand.market)
        await listener.subscribe("candles", stand.market, interval="1m")
        for channel in ("orders", "fills", "settlements", "balances"):
            await listener.subscribe(channel)
        placed = await listener.ask(op="order", order=floor.order(buyer))
        await all_matched(stand)
        await floor.place(seller, "SELL", quantity="0.5")
        await told(listener, "fills", 1)
        await listener.wait(lambda told: told["type"] == "update")  # by a way of its own
        await listener.ask(op="cancel", orderId=placed["order"]["id"])
        await listener.ask(op="unsubscribe", channel="book", market=stand.market)
        await listener.ask(op="nothing")
        await listener.wait(lambda told: told["type"] == "heartbeat")
        for message in listener.heard:
            whole = message["type"] in ("snapshot", "update")
            name = NAMES[message["channel"]] if whole else BY_TYPE[message["type"]]
            fits(document, name, message)
        said = {message["type"] for message in listener.heard}
    assert said >= {"snapshot", "update", "event", "order", "cancel", "error", "heartbeat", "unsubscribed"}


def fits(document: dict[str, Any], name: str, message: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    try:
        jsonschema_rs.validate(schema, message)
    except jsonschema_rs.ValidationError as error:
        pytest.fail(f"{name}: {error.message} in {message}")
