"""Orders replaced, reduced, cancelled all at once or by silence; in batches; and looked at beforehand."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from deedbook.identity import Role
from deedbook.kernel.amounts import to_units
from deedbook.trading import exposure
from tests.api.support import refused
from tests.support.floor import Floor
from tests.support.till import account_of
from tests.support.world import User


async def status_of(floor: Floor, user: User, order: dict[str, Any]) -> str:
    told: str = (await floor.get(f"/trading/orders/{order['id']}", user))["status"]
    return told


async def replace(floor: Floor, user: User, old: str, **fields: Any) -> Any:
    return await floor.send(user, floor.order(user, **fields), f"/trading/orders/{old}/replace")


async def test_a_replacement_comes_in_and_the_old_order_ends(floor: Floor) -> None:
    user = await floor.investor("1000")
    old = await floor.place(user, "BUY", quantity="2")
    await floor.match()
    answer = await replace(floor, user, old["id"], quantity="3", price="99")
    assert answer.status_code == 201, answer.text
    await floor.match()
    assert await status_of(floor, user, old) == "CANCELLED"
    assert await status_of(floor, user, answer.json()) == "OPEN"
    assert await floor.balance(user) == (to_units("703", 6), to_units("297", 6))


async def test_a_replacement_that_would_meet_the_old_order_does_not(floor: Floor) -> None:
    """The cancel has the lower number: the book obeys it first."""
    user = await floor.investor("1000", "5")
    old = await floor.place(user, "BUY", quantity="1", price="100")
    await floor.match()
    answer = await replace(floor, user, old["id"], side="SELL", quantity="1", price="100")
    await floor.match()
    assert await status_of(floor, user, old) == "CANCELLED"
    assert await status_of(floor, user, answer.json()) == "OPEN"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"quantity": "9"}, 422, "insufficient_funds"),
        ({"quantity": "0.00001"}, 422, "order_filter"),
        ({"clientOrderId": "taken"}, 409, "client_order_id_used"),
        ({"expiry": 1}, 422, "action_expired"),
    ],
)
async def test_nothing_is_cancelled_when_the_replacement_is_refused(
    floor: Floor, fields: dict[str, Any], status: int, code: str
) -> None:
    user = await floor.investor("1000")
    old = await floor.place(user, "BUY", quantity="2", clientOrderId="taken")
    await floor.match()
    refused(await replace(floor, user, old["id"], **fields), status, code)
    await floor.match()
    assert await status_of(floor, user, old) == "OPEN"
    assert await floor.balance(user) == (to_units("800", 6), to_units("200", 6))


async def test_an_order_is_not_replaced_when_it_is_anothers_or_over(floor: Floor) -> None:
    user, other = await floor.investor("1000"), await floor.investor("1000")
    theirs = await floor.place(other, "BUY")
    refused(await replace(floor, user, theirs["id"]), 404, "order_not_found")
    refused(await replace(floor, user, str(uuid4())), 404, "order_not_found")
    refused(await replace(floor, user, "x"), 422, "invalid_request", "/path/id")
    mine = await floor.place(user, "BUY")
    assert (await floor.world.http.delete(f"/trading/orders/{mine['id']}", headers=user.headers)).is_success
    await floor.match()
    body = floor.order(user)
    answer = await floor.send(user, body, f"/trading/orders/{mine['id']}/replace")
    refused(answer, 409, "order_over")
    assert await status_of(floor, other, theirs) == "OPEN"
    assert await floor.balance(user) == (to_units("1000", 6), 0)
    assert (await floor.send(user, body)).status_code == 201  # its nonce was not used up


async def test_the_first_answer_to_a_replacement_comes_again(floor: Floor) -> None:
    user, key = await floor.investor("1000"), {"Idempotency-Key": str(uuid4())}
    old = await floor.place(user, "BUY")
    body, path = floor.order(user, price="99"), f"/trading/orders/{old['id']}/replace"
    first = await floor.send(user, body, path, **key)
    await floor.match()
    again = await floor.send(user, body, path, **key)
    assert (again.status_code, again.json()) == (201, first.json())
    refused(await floor.send(user, body, path), 409, "duplicate_order")


async def test_a_reduced_order_holds_less(floor: Floor) -> None:
    user, other = await floor.investor("1000"), await floor.investor("1000")
    order = await floor.place(user, "BUY", quantity="5")
    await floor.match()
    path = f"/trading/orders/{order['id']}/reduce"
    answer = await floor.world.post(path, user, {"remainingQuantity": "2"})
    assert (answer.status_code, answer.json()["id"]) == (202, order["id"])
    await floor.match()
    assert (await floor.get(f"/trading/orders/{order['id']}", user))["remainingQuantity"] == "2"
    assert await floor.balance(user) == (to_units("800", 6), to_units("200", 6))
    refused(await floor.world.post(path, other, {"remainingQuantity": "1"}), 404, "order_not_found")
    bad = await floor.world.post(path, user, {"remainingQuantity": "0.00001"})
    refused(bad, 422, "order_filter", "/remainingQuantity")
    for amount in ("0", "-1", None, 1.5):
        bad = await floor.world.post(path, user, {"remainingQuantity": amount})
        refused(bad, 422, "invalid_request", "/remainingQuantity")


async def test_all_orders_end_at_once_or_those_on_one_pair(floor: Floor) -> None:
    user, other = await floor.investor("1000"), await floor.investor("1000")
    mine = [await floor.place(user, "BUY") for _ in range(3)]
    theirs = await floor.place(other, "BUY")
    path = "/trading/orders/cancel-all"
    refused(await floor.world.post(path, user, {"tradingPairId": "NO-SUCH"}), 404, "pair_not_found")
    assert (await floor.world.post(path, user, {"tradingPairId": floor.spec.symbol})).json() == {
        "cancelled": 3
    }
    await floor.match()
    assert {await status_of(floor, user, order) for order in mine} == {"CANCELLED"}
    assert await status_of(floor, other, theirs) == "OPEN"
    assert (await floor.world.post(path, user, {})).json() == {"cancelled": 0}


async def test_orders_end_when_their_owner_falls_silent(floor: Floor) -> None:
    user, other = await floor.investor("1000"), await floor.investor("1000")
    mine, theirs = await floor.place(user, "BUY"), await floor.place(other, "BUY")
    path = "/trading/cancel-all-after"
    told = (await floor.world.post(path, user, {"seconds": 60})).json()
    ends = datetime.fromisoformat(told["cancelAt"]) - datetime.now(UTC)
    assert 55 < ends.total_seconds() <= 60
    await _overdue(floor)
    assert (await floor.world.post(path, other, {"seconds": 1})).json()["cancelAt"] is not None
    assert (await floor.world.post(path, other, {"seconds": 0})).json() == {"cancelAt": None}
    await floor.world.post(path, user, {"seconds": 1})
    await asyncio.sleep(1.1)
    assert [await _overdue(floor), await _overdue(floor)] == [1, 0]
    await floor.match()
    assert await status_of(floor, user, mine) == "CANCELLED"
    assert await status_of(floor, other, theirs) == "OPEN"


async def _overdue(floor: Floor) -> int:
    async with floor.world.db.transaction() as tx:
        return await exposure.cancel_overdue(tx)


@pytest.mark.parametrize("seconds", [-1, 3601, 1.5, "60", True, None])
async def test_a_deadline_is_refused_when_it_is_no_such_number(floor: Floor, seconds: Any) -> None:
    user = await floor.investor()
    answer = await floor.world.post("/trading/cancel-all-after", user, {"seconds": seconds})
    refused(answer, 422, "invalid_request", "/seconds")


async def test_each_order_of_a_batch_has_a_fate_of_its_own(floor: Floor) -> None:
    user, stranger = await floor.investor("150"), await floor.investor("500")
    good, again = floor.order(user), floor.order(user)
    orders = [
        good,
        {**again, "quantity": "0"},
        good,
        floor.order(user, quantity="1"),
        floor.order(stranger),
        {**floor.order(user), "status": "FILLED"},
        "no order",
    ]
    answer = await floor.send(user, {"orders": orders}, "/trading/orders/batch")
    assert answer.status_code == 200, answer.text
    told = answer.json()["data"]
    codes = [(one["status"], one["problem"] and one["problem"]["code"]) for one in told]
    assert codes == [
        (201, None),
        (422, "invalid_request"),
        (409, "duplicate_order"),
        (422, "insufficient_funds"),
        (404, "wallet_not_yours"),
        (422, "invalid_request"),
        (422, "invalid_request"),
    ]
    assert told[0]["order"] == await floor.get(f"/trading/orders/{told[0]['order']['id']}", user)
    assert told[1]["problem"]["errors"][0]["pointer"] == "/quantity"


@pytest.mark.parametrize("orders", [[], [{}] * 101, {}, None, "x"])
async def test_a_batch_is_refused_when_it_is_none(floor: Floor, orders: Any) -> None:
    user = await floor.investor()
    answer = await floor.send(user, {"orders": orders}, "/trading/orders/batch")
    refused(answer, 422, "invalid_request", "/orders")


async def test_a_batch_counts_each_order(floor: Floor) -> None:
    user = await floor.investor("10000")
    limiter = floor.world.app.state.limiter
    limit, limiter.limits["orders"] = limiter.limits["orders"], 5
    try:
        orders = [floor.order(user) for _ in range(8)]
        answer = await floor.send(user, {"orders": orders}, "/trading/orders/batch")
    finally:
        limiter.limits["orders"] = limit
    statuses = sorted(one["status"] for one in answer.json()["data"])
    assert statuses == [201] * 5 + [429] * 3


async def test_a_preview_says_what_the_order_would_meet_and_writes_nothing(floor: Floor) -> None:
    user, stranger = await floor.investor("500"), await floor.investor("500", verified=False)
    body = {
        "tradingPairId": floor.spec.symbol, "side": "BUY", "orderType": "LIMIT", "quantity": "4", "price": "100",
    }  # fmt: skip
    told = (await floor.world.post("/trading/orders/preview", user, body)).json()
    assert (told["allowed"], told["reason"], told["hold"], told["available"]) == (True, 0, "400", "500")
    assert (told["worstPrice"], told["feeAtMost"]) == ("100", "0.01")
    poor = (await floor.world.post("/trading/orders/preview", user, {**body, "quantity": "6"})).json()
    assert (poor["allowed"], poor["enoughAvailable"]) == (False, False)
    barred = (await floor.world.post("/trading/orders/preview", stranger, body)).json()
    assert (barred["allowed"], barred["reason"]) == (False, 10)
    bad = await floor.world.post("/trading/orders/preview", user, {**body, "price": "100.001"})
    refused(bad, 422, "order_filter", "/price")
    assert await floor.balance(user) == (to_units("500", 6), 0)


async def test_lists_show_ones_own_and_staff_sees_all(floor: Floor) -> None:
    seller, buyer = await floor.investor("0", "5"), await floor.investor("5000")
    other, operator = await floor.investor(), await floor.investor("0", "0", Role.OPERATOR)
    placed = [await floor.place(buyer, "BUY", quantity="1", price="777") for _ in range(3)]
    await floor.place(seller, "SELL", quantity="1", price="777")
    await floor.match()
    path = f"/trading/users/{buyer.user_id}"
    for who in (buyer, operator):
        told = await floor.get(f"{path}/orders", who)
        assert [order["id"] for order in told["data"]] == [order["id"] for order in reversed(placed)]
    filled = await floor.get(f"{path}/orders", buyer, status="FILLED", tradingPairId=floor.spec.symbol)
    assert [order["id"] for order in filled["data"]] == [placed[0]["id"]]
    first = await floor.get(f"{path}/orders", buyer, limit=2)
    rest = await floor.get(f"{path}/orders", buyer, limit=2, cursor=first["nextCursor"])
    assert [len(first["data"]), len(rest["data"]), rest["nextCursor"]] == [2, 1, None]
    (trade,) = (await floor.get(f"{path}/trades", buyer))["data"]
    assert (trade["side"], trade["role"], trade["orderId"]) == ("BUY", "MAKER", placed[0]["id"])
    assert (trade["price"], trade["value"], trade["fee"]) == ("777", "777", "0.0025")
    (sold,) = (await floor.get(f"/trading/users/{seller.user_id}/trades", seller))["data"]
    assert (sold["id"], sold["role"], sold["fee"]) == (trade["id"], "TAKER", "1.9425")
    for listing in ("orders", "trades"):
        hidden = await floor.world.http.get(f"{path}/{listing}", headers=other.headers)
        refused(hidden, 404, "order_not_found")
    tape = (await floor.get(f"/trading/pairs/{floor.spec.symbol}/trades"))["data"]
    assert tape[0]["id"] == trade["id"]
    assert str(buyer.user_id) not in str(tape) and account_of(buyer) not in str(tape)
