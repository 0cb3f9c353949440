"""Orders over HTTP: accepted and durable, looked at, cancelled; and what the same request says when it comes again."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from deedbook import truths
from deedbook.kernel.amounts import to_units
from deedbook.trading import exposure
from tests.api.support import refused
from tests.support.floor import Floor
from tests.support.till import account_of


async def test_the_body_of_the_architecture_document_is_accepted_as_written(floor: Floor) -> None:
    user = await floor.investor("500")
    body = floor.order(user, quantity="5", price="100.00")
    assert set(body) == {
        "userAddress", "tradingPairId", "side", "orderType", "quantity", "price", "nonce", "expiry", "signature",
    }  # fmt: skip
    answer = await floor.send(user, body)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["status"], told["quantity"], told["price"]) == ("PENDING_MATCH", "5", "100.00")
    assert (told["timeInForce"], told["postOnly"], told["selfTrade"]) == ("GTC", False, "EXPIRE_TAKER")
    assert (told["maxFeeBps"], told["stopPrice"], told["clientOrderId"]) == (25, None, None)
    assert (told["userAddress"], told["hash"]) == (account_of(user), "0x" + floor.digest(body).hex())
    assert await floor.balance(user) == (0, to_units("500", 6))


@pytest.mark.parametrize(
    "fields", [{}, {"orderType": "MARKET", "price": "101.50"}, {"clientOrderId": "mine-1"}]
)
async def test_an_order_reads_as_it_was_answered(floor: Floor, fields: dict[str, Any]) -> None:
    user = await floor.investor("500")
    told = await floor.place(user, **fields)
    assert await floor.get(f"/trading/orders/{told['id']}", user) == told
    if "clientOrderId" in fields:
        assert (await floor.get("/trading/orders/by-client-id/mine-1", user))["id"] == told["id"]


@pytest.mark.parametrize("name", ["symbol", "id"])
async def test_a_pair_is_named_by_symbol_or_id_and_signed_by_symbol(floor: Floor, name: str) -> None:
    user = await floor.investor("500")
    pair = floor.spec.symbol if name == "symbol" else str(floor.spec.pair_id)
    assert (await floor.place(user, tradingPairId=pair))["pair"] == floor.spec.symbol


async def test_a_signed_order_counts_once_when_it_is_sent_many_times(floor: Floor) -> None:
    """A-04, also with the address in another case, and with Redis flushed in between."""
    user = await floor.investor("500")
    body = floor.order(user)
    mixed = {**body, "userAddress": user.wallet.address}
    answers = await asyncio.gather(*(floor.send(user, body if turn % 2 else mixed) for turn in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    first = next(answer for answer in answers if answer.status_code == 201).json()["id"]
    for flush in (False, True):
        if flush:
            await floor.world.resources.redis.flushall()
        again = await floor.send(user, body)
        refused(again, 409, "duplicate_order")
        assert again.json()["firstId"] == first
    other = floor.order(user, nonce=body["nonce"], price="99")
    for flush in (False, True):
        if flush:
            await floor.world.resources.redis.flushall()
        refused(await floor.send(user, other), 409, "nonce_used")


async def test_the_first_answer_comes_again_when_the_key_is_the_same(floor: Floor) -> None:
    user, key = await floor.investor("500"), {"Idempotency-Key": str(uuid4())}
    body = floor.order(user)
    first, again = await floor.send(user, body, **key), await floor.send(user, body, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    refused(await floor.send(user, floor.order(user), **key), 422, "idempotency_key_reused")
    refused(await floor.send(user, body, **{"Idempotency-Key": "a b"}), 400, "idempotency_key_malformed")


async def test_the_first_answer_comes_again_even_where_it_would_be_refused_today(floor: Floor) -> None:
    user, key = await floor.investor("100"), {"Idempotency-Key": str(uuid4())}
    body = floor.order(user)
    first = await floor.send(user, body, **key)
    await floor.till.compliance.freeze(user.user_id)  # type: ignore[arg-type]
    await asyncio.sleep(1.1)
    again = await floor.send(user, body, **key)
    assert (again.status_code, again.json()) == (201, first.json())
    refused(await floor.send(user, floor.order(user)), 403, "receiver_frozen")


async def test_a_key_that_an_order_takes_at_that_moment_is_in_flight_for_other_requests(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders are taken in by a statement of their own, which waits for no other request with its key."""
    user, key, cancel_all = (
        await floor.investor("500"),
        {"Idempotency-Key": str(uuid4())},
        exposure.cancel_all,
    )
    resting = await floor.place(user)

    async def meanwhile(*asked: Any) -> Any:
        assert (await floor.send(user, floor.order(user), **key)).status_code == 201
        return await cancel_all(*asked)

    monkeypatch.setattr(exposure, "cancel_all", meanwhile)
    refused(await floor.send(user, {}, "/trading/orders/cancel-all", **key), 409, "idempotency_key_in_flight")
    refused(await floor.send(user, {}, "/trading/orders/cancel-all", **key), 422, "idempotency_key_reused")
    await floor.match()
    assert (await floor.get(f"/trading/orders/{resting['id']}", user))["status"] == "OPEN"


async def test_redis_remembers_a_nonce_for_an_hour(floor: Floor) -> None:
    """The fast refusal in front of the row; accepted orders are told with the next question."""
    user, redis = await floor.investor("500"), floor.world.resources.redis
    for _ in range(10):
        told = await floor.place(user, quantity="0.1")
        await floor.place(user, quantity="0.1")
        name = f"nonce:{account_of(user)}:{told['nonce']}"
        if (kept := await redis.get(name)) is not None:
            break
        await asyncio.sleep(1)  # it was slow once, and is left alone for a while
    assert kept == f"{told['hash'][2:]}:{told['id']}"
    assert 3000 < await redis.ttl(name) <= 3600


async def test_a_client_order_id_is_used_once(floor: Floor) -> None:
    user, other = await floor.investor("500"), await floor.investor("500")
    first = await floor.place(user, clientOrderId="the-one")
    again = await floor.send(user, floor.order(user, clientOrderId="the-one"))
    refused(again, 409, "client_order_id_used")
    assert again.json()["firstId"] == first["id"]
    await floor.place(other, clientOrderId="the-one")


async def test_a_cancel_gives_everything_back(floor: Floor) -> None:
    user = await floor.investor("100")
    told = await floor.place(user)
    path = f"/trading/orders/{told['id']}"
    for _ in range(2):
        answer = await floor.world.http.delete(path, headers=user.headers)
        assert (answer.status_code, answer.json()) == (202, told)
    await floor.match()
    shown = await floor.get(path, user)
    assert (shown["status"], shown["reason"], shown["remainingQuantity"]) == ("CANCELLED", "cancelled", "0")
    assert await floor.balance(user) == (to_units("100", 6), 0)
    refused(await floor.world.http.delete(path, headers=user.headers), 409, "order_over")


async def test_somebody_elses_order_is_absent(floor: Floor) -> None:
    """A-08."""
    owner, other = await floor.investor("100"), await floor.investor()
    path = f"/trading/orders/{(await floor.place(owner, clientOrderId='hers'))['id']}"
    refused(await floor.world.http.delete(path, headers=other.headers), 404, "order_not_found")
    refused(await floor.world.http.get(path, headers=other.headers), 404, "order_not_found")
    by_name = await floor.world.http.get("/trading/orders/by-client-id/hers", headers=other.headers)
    refused(by_name, 404, "order_not_found")
    refused(
        await floor.world.http.delete(f"/trading/orders/{uuid4()}", headers=owner.headers),
        404,
        "order_not_found",
    )


async def test_fifty_orders_on_one_balance_at_once_spend_it_once(floor: Floor) -> None:
    user = await floor.investor("1000")
    bodies = [floor.order(user) for _ in range(50)]
    answers = await asyncio.gather(*(floor.send(user, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [422] * 40
    assert {a.json()["code"] for a in answers if a.status_code == 422} == {"insufficient_funds"}
    assert await floor.balance(user) == (0, to_units("1000", 6))


async def test_orders_and_withdrawals_that_race_for_one_balance_spend_it_once(floor: Floor) -> None:
    user = await floor.investor("1000")
    orders = [floor.send(user, floor.order(user)) for _ in range(15)]
    withdrawals = [
        floor.till.send("/withdrawals", user, floor.till.withdrawal(user, amount="100")) for _ in range(15)
    ]
    asked = [request for pair in zip(orders, withdrawals, strict=True) for request in pair]
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [422] * 20
    assert {a.json()["code"] for a in answers if a.status_code == 422} == {"insufficient_funds"}
    assert await floor.balance(user) == (0, to_units("1000", 6))


async def test_orders_that_meet_trade_at_the_makers_price(floor: Floor) -> None:
    seller, buyer = await floor.investor("0", "5"), await floor.investor("5000")
    sell = await floor.place(seller, "SELL", quantity="5", price="1000")
    buy = await floor.place(buyer, "BUY", quantity="5", price="1000")
    await floor.match()
    for order, user, fee in ((sell, seller, "12.5"), (buy, buyer, "0.0125")):
        shown = await floor.get(f"/trading/orders/{order['id']}", user)
        assert (shown["status"], shown["filledQuantity"], shown["averageFillPrice"]) == (
            "FILLED",
            "5",
            "1000",
        )
        assert shown["fee"] == fee
    assert await floor.balance(buyer, deeds=True) == (to_units("4.9875", 18), 0)
    assert await floor.balance(seller) == (to_units("4987.5", 6), 0)
    broken = [truth.name for truth in await truths.check_books(floor.world.db) if not truth.holds]
    assert [name for name in broken if "live market" not in name] == []
