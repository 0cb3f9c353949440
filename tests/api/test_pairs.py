"""Pairs that operators make and change, the open book, and what programs need to know before they sign."""

import zlib
from typing import Any
from uuid import uuid4

import orjson
import pytest

from deedbook.identity import Role
from deedbook.identity.typed_data import STRUCTS
from deedbook.kernel.ids import TokenId
from deedbook.trading import trade_views
from deedbook.trading.book_copies import depth_key, depth_of
from deedbook.trading.matcher import take_over
from tests.api.support import refused
from tests.support.floor import Floor, add_crypto
from tests.support.world import User
from tests.trading.venue import NoCopies


async def operator(floor: Floor) -> User:
    return await floor.world.user(Role.OPERATOR)


def wanted(floor: Floor, base: TokenId, **fields: Any) -> dict[str, Any]:
    return {"baseTokenId": str(base), "quoteTokenId": str(floor.till.cash.token_id), **fields}


async def facts_of(floor: Floor, pair_id: str) -> list[tuple[str, Any, Any]]:
    rows = await floor.rows(
        "SELECT event_type, before, after FROM events WHERE stream_id = $1::uuid ORDER BY position", pair_id
    )
    return [(row["event_type"], row["before"], row["after"]) for row in rows]


async def test_an_operator_opens_a_pair_and_it_is_told_with_what_it_trades_by(floor: Floor) -> None:
    body = wanted(floor, await add_crypto(floor.world), tickSize="0.10", lotSize="0.00001",
                  feeBps=10, feeMode="quote", minQuantity="0.001", maxQuantity="50", minNotional="10",
                  maxOpenOrders=20, protectionBps=300)  # fmt: skip
    answer = await floor.world.post("/trading/pairs", await operator(floor), body)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["tickSize"], told["lotSize"], told["feeBps"], told["feeMode"]) == (
        "0.1",
        "0.00001",
        10,
        "quote",
    )
    assert told["filters"] == {
        "minQuantity": "0.001", "maxQuantity": "50", "minNotional": "10", "maxOpenOrders": 20, "protectionBps": 300,
    }  # fmt: skip
    assert await floor.get(f"/trading/pairs/{told['symbol']}") == told
    ((event, before, after),) = await facts_of(floor, told["id"])
    assert (event, before, after["feeBps"], after["minNotional"]) == ("pair.opened", {}, 10, "10")
    (row,) = await floor.rows("SELECT fee_account_id FROM trading_pairs WHERE pair_id = $1::uuid", told["id"])
    assert row["fee_account_id"] is not None
    again = await floor.world.post("/trading/pairs", await operator(floor), body)
    refused(again, 409, "pair_exists")


@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"tickSize": "0.000001", "lotSize": "0.01"}, "pair_not_whole", None),
        ({"lotSize": "0.000000001"}, "pair_not_whole", None),
        ({"minQuantity": "0.00005"}, "invalid_request", "/minQuantity"),
        ({"minNotional": "0.0000001"}, "invalid_request", "/minNotional"),
        ({"minQuantity": "5", "maxQuantity": "4"}, "invalid_request", "/maxQuantity"),
        ({"minQuantity": "99999999999"}, "invalid_request", "/minQuantity"),
        ({"feeBps": -1}, "invalid_request", "/feeBps"),
        ({"feeMode": "none"}, "invalid_request", "/feeMode"),
        ({"tickSize": "0"}, "invalid_request", "/tickSize"),
        ({"symbol": "X-Y"}, "invalid_request", "/symbol"),
    ],
)
async def test_a_pair_is_refused_when_its_figures_do_not_fit(
    floor: Floor, fields: dict[str, Any], code: str, pointer: str | None
) -> None:
    body = wanted(floor, await add_crypto(floor.world), **fields)
    answer = await floor.world.post("/trading/pairs", await operator(floor), body)
    refused(answer, 422, code, *([pointer] if pointer else []))


async def test_a_pair_is_refused_when_a_token_is_absent_or_a_markets_own(floor: Floor) -> None:
    for base in (TokenId(uuid4()), floor.till.deed.token_id, floor.till.cash.token_id):
        answer = await floor.world.post("/trading/pairs", await operator(floor), wanted(floor, base))
        refused(answer, 422, "token_not_tradable")


async def test_what_changes_is_told_with_what_was_before_and_after(floor: Floor) -> None:
    who = await operator(floor)
    opened = (
        await floor.world.post("/trading/pairs", who, wanted(floor, await add_crypto(floor.world)))
    ).json()
    path = f"/trading/pairs/{opened['symbol']}"

    async def change(body: dict[str, Any]) -> Any:
        headers = {**who.headers, "Idempotency-Key": str(uuid4())}
        return await floor.world.http.patch(path, headers=headers, json=body)

    changed = (await change({"feeBps": 5, "minNotional": "1.5", "status": "paused"})).json()
    assert (changed["feeBps"], changed["status"]) == (5, "paused")
    assert changed["filters"]["minNotional"] == "1.5"
    assert (await change({})).json() == changed
    facts = await facts_of(floor, opened["id"])
    assert [fact[0] for fact in facts] == ["pair.opened", "pair.changed", "pair.status_changed"]
    assert (facts[1][1]["feeBps"], facts[1][2]["feeBps"]) == (25, 5)
    assert facts[2][1:] == ({"status": "active"}, {"status": "paused"})
    commands = await floor.rows("SELECT kind FROM order_commands WHERE pair_id = $1::uuid", opened["id"])
    assert [command["kind"] for command in commands] == ["PAUSE"]
    assert (await change({"status": "closed"})).json()["status"] == "closed"
    refused(await change({"status": "active"}), 409, "pair_exists")
    refused(await change({"tickSize": "1"}), 422, "invalid_request", "/tickSize")


@pytest.mark.parametrize("name", ["minQuantity", "maxQuantity"])
async def test_a_bound_is_refused_when_it_passes_the_one_that_stands(floor: Floor, name: str) -> None:
    """I-01: one of the two alone, against what the pair has."""
    who = await operator(floor)
    body = wanted(floor, await add_crypto(floor.world), minQuantity="2", maxQuantity="3")
    opened = (await floor.world.post("/trading/pairs", who, body)).json()
    headers = {**who.headers, "Idempotency-Key": str(uuid4())}
    change = {name: "4" if name == "minQuantity" else "1"}
    answer = await floor.world.http.patch(f"/trading/pairs/{opened['symbol']}", headers=headers, json=change)
    refused(answer, 422, "invalid_request", f"/{name}")


async def test_the_open_book_is_the_copy_in_redis_and_the_same_from_postgresql(floor: Floor) -> None:
    buyer, seller = await floor.investor("5000"), await floor.investor("0", "9")
    for price, quantity in (("90", "1"), ("91", "2"), ("90", "0.5")):
        await floor.place(buyer, "BUY", price=price, quantity=quantity)
    await floor.place(seller, "SELL", price="95.5", quantity="3")
    await floor.match()
    path, redis = f"/trading/pairs/{floor.spec.symbol}/orderbook", floor.world.resources.redis
    stored = await floor.get(path)
    assert stored.pop("checksum") == zlib.crc32(b"955391290" + b"15")
    assert stored["bids"] == [["91", "2"], ["90", "1.5"]] and stored["asks"] == [["95.5", "3"]]
    matcher = await take_over(floor.world.db, floor.spec.pair_id, "floor", NoCopies())
    assert matcher is not None
    copy = depth_of(floor.spec, matcher.book, stored["seq"])
    await matcher.give_up()
    assert copy == await trade_views.depth_stored(floor.world.db, floor.spec) == stored
    await redis.set(depth_key(floor.spec.pair_id), orjson.dumps({**copy, "bids": [["1", "1"]]}))
    assert (await floor.get(path))["bids"] == [["1", "1"]]
    await redis.delete(depth_key(floor.spec.pair_id))
    assert (await floor.get(path, depth=1))["bids"] == [["91", "2"]]
    for bad in ("0", "101", "x", "1.0"):
        refused(
            await floor.world.http.get(path, params={"depth": bad}), 422, "invalid_request", "/query/depth"
        )


async def test_what_is_signed_is_published(floor: Floor) -> None:
    told = await floor.get("/exchange-info")
    assert told["eip712Types"] == {
        struct.name: [{"name": name, "type": kind} for name, kind in struct.fields] for struct in STRUCTS
    }
    assert {"Order", "Deposit", "Withdrawal", "Transfer"} <= set(told["eip712Types"])
    (pair,) = [pair for pair in told["pairs"] if pair["id"] == str(floor.spec.pair_id)]
    assert pair["filters"]["maxOpenOrders"] == floor.spec.max_open_orders
    assert told["limits"]["ordersPerBatch"] == 100
