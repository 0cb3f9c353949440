"""Swaps over HTTP: quoted from the book, signed, carried out and looked at; and every way in which one is refused."""

import time
from typing import Any
from uuid import uuid4

import pytest

from deedbook import truths
from deedbook.identity import Domain
from deedbook.identity.terms import Address
from deedbook.kernel.amounts import to_units
from tests.api.support import refused
from tests.support.fake_chain import CHAIN_ID
from tests.support.floor import Floor, open_floor
from tests.support.world import User


@pytest.fixture
async def maker(floor: Floor) -> User:
    """Somebody on both sides of the book: 1 offered at 100 and 4 at 102, 5 wanted at 98."""
    maker = await floor.investor("1000", "10")
    for side, quantity, price in (("SELL", "1", "100"), ("SELL", "4", "102"), ("BUY", "5", "98")):
        await floor.place(maker, side, quantity=quantity, price=price)
    await floor.match()
    return maker


async def quoted(floor: Floor, **fields: Any) -> dict[str, Any]:
    body = {"tradingPairId": floor.spec.symbol, "side": "BUY", "amountIn": "150", **fields}
    answer = await floor.world.http.post("/swaps/quote", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def swapped(floor: Floor, user: User, **fields: Any) -> dict[str, Any]:
    answer = await floor.send(user, floor.swap(user, **fields), "/swaps")
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_quote_walks_the_book(floor: Floor, maker: User) -> None:
    told = await quoted(floor)
    assert (told["amountIn"], told["amountUsed"]) == ("150", "149.9902")
    # 1 at 100 and 0.4901 at 102, less a quarter of a percent.
    assert (told["amountOut"], told["fee"]) == ("1.48637475", "0.00372525")
    assert (told["bestPrice"], told["worstPrice"]) == ("100", "102")
    assert told["averagePrice"].startswith("100.6578")
    assert (told["slippageBps"], told["feeBps"]) == (66, 25)
    assert (told["toleranceBps"], told["suggestedMinAmountOut"]) == (50, "1.47894287625")
    assert 0 < told["suggestedExpiry"] - time.time() <= 60
    sold = await quoted(floor, side="SELL", amountIn="2", toleranceBps=0)
    assert (sold["amountOut"], sold["fee"], sold["suggestedMinAmountOut"]) == ("195.51", "0.49", "195.51")
    assert (sold["tokenInId"], sold["tokenOutId"]) == (told["tokenOutId"], told["tokenInId"])


async def test_a_sale_is_quoted_where_the_pair_wants_a_least_value(floor: Floor) -> None:
    strict = await open_floor(floor.world, min_notional=10**7)
    maker = await strict.investor("1000")
    await strict.place(maker, "BUY", quantity="5", price="98")
    await strict.match()
    assert (await quoted(strict, side="SELL", amountIn="2"))["amountOut"] == "195.51"


async def test_a_buyer_near_the_ownership_cap_gets_no_more_and_stops_nobody(floor: Floor) -> None:
    """What a swap may get beyond its least amount is not known when it comes in, and is bounded all the same."""
    capped = await open_floor(floor.world)
    maker, user = await capped.investor(deeds="5"), await capped.investor("1000")
    await capped.place(maker, "SELL", quantity="5")
    await capped.match()
    async with capped.world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO compliance_rules (token_id, max_ownership) VALUES ($1, $2) "
            "ON CONFLICT (token_id) DO UPDATE SET max_ownership = EXCLUDED.max_ownership",
            capped.spec.base_token_id,
            to_units("2", 18),
        )
    greedy = capped.swap(user, amountIn="500", minAmountOut="2.0001")
    refused(await capped.send(user, greedy, "/swaps"), 403, "ownership_cap")
    made = await swapped(capped, user, amountIn="500", minAmountOut="0.1")

    await capped.match()

    told = await capped.get(f"/swaps/{made['id']}", user)
    assert told["status"] == "FILLED"
    have, _ = await capped.balance(user, deeds=True)
    assert to_units("1.999", 18) < have <= to_units("2", 18)
    refused(await capped.send(user, capped.swap(user), "/swaps"), 403, "ownership_cap")


async def test_what_was_quoted_is_what_is_swapped_when_the_book_has_not_moved(
    floor: Floor, maker: User
) -> None:
    user = await floor.investor("200")
    quote = await quoted(floor)
    made = await swapped(
        floor, user, amountIn="150", minAmountOut=quote["amountOut"], expiry=quote["suggestedExpiry"]
    )
    assert (made["status"], made["amountUsed"], made["fills"]) == ("PENDING_MATCH", "0", [])
    assert await floor.balance(user) == (to_units("50", 6), to_units("150", 6))
    await floor.match()
    told = await floor.get(f"/swaps/{made['id']}", user)
    same = ("amountUsed", "amountOut", "averagePrice", "fee", "feeTokenId", "tokenInId", "tokenOutId")
    assert {name: told[name] for name in same} == {name: quote[name] for name in same}
    assert (told["status"], told["settlementStatus"]) == ("FILLED", "PENDING")
    assert [fill["quantity"] for fill in told["fills"]] == ["1", "0.4901"]
    assert await floor.balance(user, deeds=True) == (to_units(quote["amountOut"], 18), 0)
    assert await floor.balance(user) == (to_units("50.0098", 6), 0)
    found = await truths.check_trading(floor.world.db)
    assert {truth.name: truth.findings for truth in found if not truth.holds} == {}


async def test_nothing_is_swapped_when_the_book_has_moved_beyond_what_was_signed(
    floor: Floor, maker: User
) -> None:
    user, faster = await floor.investor("200"), await floor.investor("200")
    quote = await quoted(floor)
    await floor.place(faster, quantity="1", price="100")
    made = await swapped(floor, user, amountIn="150", minAmountOut=quote["suggestedMinAmountOut"])
    await floor.match()
    told = await floor.get(f"/swaps/{made['id']}", user)
    assert (told["status"], told["reason"], told["amountUsed"]) == ("CANCELLED", "min_amount_out", "0")
    assert await floor.balance(user) == (to_units("200", 6), 0)


async def test_a_swap_is_answered_once_however_often_it_is_sent(floor: Floor, maker: User) -> None:
    user, key = await floor.investor("200"), {"Idempotency-Key": str(uuid4())}
    body = floor.swap(user)
    first, again = [await floor.send(user, body, "/swaps", **key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    twice = await floor.send(user, body, "/swaps")
    refused(twice, 409, "duplicate_action")
    assert twice.json()["firstId"] == first.json()["id"]
    refused(
        await floor.send(user, floor.swap(user, nonce=body["nonce"], amountIn="49"), "/swaps"),
        409,
        "nonce_used",
    )
    refused(await floor.send(user, floor.order(user, nonce=body["nonce"], quantity="0.1")), 409, "nonce_used")
    assert await floor.balance(user) == (to_units("150", 6), to_units("50", 6))


async def test_my_swaps_come_page_by_page_and_are_mine_alone(floor: Floor, maker: User) -> None:
    user, other = await floor.investor("200"), await floor.investor("200")
    made = [(await swapped(floor, user, amountIn="10", minAmountOut="0.01"))["id"] for _ in range(3)]
    await swapped(floor, other)
    await floor.match()
    first = await floor.get("/swaps", user, limit=2)
    rest = await floor.get("/swaps", user, limit=2, cursor=first["nextCursor"])
    assert [one["id"] for one in (*first["data"], *rest["data"])] == made[::-1]
    assert rest["nextCursor"] is None
    assert all(len(one["fills"]) == 1 for one in first["data"])
    strange = await floor.world.http.get(f"/swaps/{made[0]}", headers=other.headers)
    refused(strange, 404, "swap_not_found")


async def test_a_swap_is_no_order_to_look_at_or_to_cancel(floor: Floor, maker: User) -> None:
    user = await floor.investor("200")
    made = await swapped(floor, user)
    assert (await floor.get(f"/trading/users/{user.user_id}/orders", user))["data"] == []
    path = f"/trading/orders/{made['id']}"
    refused(await floor.world.http.get(path, headers=user.headers), 404, "order_not_found")
    refused(await floor.world.http.delete(path, headers=user.headers), 404, "order_not_found")
    refused(await floor.send(user, {"remainingQuantity": "0.1"}, f"{path}/reduce"), 404, "order_not_found")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amountIn", "51"),
        ("minAmountOut", "0.39"),
        ("side", "SELL"),
        ("maxFeeBps", 26),
        ("nonce", "another"),
        ("expiry", None),
    ],
)
async def test_a_body_that_was_altered_after_signing_is_refused(floor: Floor, name: str, value: Any) -> None:
    user = await floor.investor("200", "5")
    signed = floor.swap(user)
    body = {**signed, name: signed["expiry"] + 1 if name == "expiry" else value}
    refused(await floor.send(user, body, "/swaps"), 401, "signature_refused")


async def test_a_signature_for_another_pair_or_vault_is_refused(floor: Floor) -> None:
    user, elsewhere = await floor.investor("200"), await open_floor(floor.world)
    body = {**elsewhere.swap(user), "tradingPairId": floor.spec.symbol}
    refused(await floor.send(user, body, "/swaps"), 401, "signature_refused")
    vault = Domain(CHAIN_ID, Address("0x" + "ab" * 20))
    refused(await floor.send(user, floor.swap(user, domain=vault), "/swaps"), 401, "signature_refused")


async def test_a_swaps_signature_is_none_for_an_order_and_the_other_way(floor: Floor) -> None:
    user = await floor.investor("200")
    swap, order = floor.swap(user), floor.order(user, quantity="0.5")
    refused(
        await floor.send(user, {**order, "nonce": swap["nonce"], "signature": swap["signature"]}),
        401, "signature_refused",
    )  # fmt: skip
    refused(
        await floor.send(user, {**swap, "nonce": order["nonce"], "signature": order["signature"]}, "/swaps"),
        401, "signature_refused",
    )  # fmt: skip
    assert (await floor.send(user, swap, "/swaps")).status_code == 201


async def test_checks_come_in_one_order(floor: Floor) -> None:
    """Each body below has the fault of its own line and of lines after it."""
    user, stranger = await floor.investor("1000"), await floor.investor(verified=False)
    used = (await swapped(floor, user))["nonce"]
    forged: dict[str, Any] = {"signature": "0x" + "11" * 65}
    nowhere: dict[str, Any] = {"tradingPairId": "NO-SUCH"}
    lines: list[tuple[User, dict[str, Any], int, str]] = [
        (stranger, {**floor.swap(stranger, amountIn="0", expiry=1), **nowhere}, 422, "invalid_request"),
        (stranger, {**floor.swap(stranger, expiry=1), **nowhere, **forged}, 422, "action_expired"),
        (stranger, {**floor.swap(stranger, maxFeeBps=24), **nowhere, **forged}, 404, "pair_not_found"),
        (stranger, {**floor.swap(stranger, maxFeeBps=24), **forged}, 422, "order_filter"),
        (stranger, {**floor.swap(user, amountIn="5000"), **forged}, 401, "signature_malformed"),
        (stranger, floor.swap(user, nonce=used, amountIn="5000"), 404, "wallet_not_yours"),
        (stranger, floor.swap(stranger, amountIn="5000"), 403, "kyc_required"),
        (user, floor.swap(user, nonce=used, amountIn="5000"), 409, "nonce_used"),
        (user, floor.swap(user, amountIn="5000"), 422, "insufficient_funds"),
    ]
    for who, body, status, code in lines:
        refused(await floor.send(who, body, "/swaps"), status, code)


@pytest.mark.parametrize("path", ["/swaps", "/swaps/quote"])
async def test_a_paused_pair_takes_no_swaps(floor: Floor, path: str) -> None:
    paused = await open_floor(floor.world, status="paused")
    user = await paused.investor("200")
    body = paused.swap(user)
    if path.endswith("quote"):
        body = {name: body[name] for name in ("tradingPairId", "side", "amountIn")}
    refused(await paused.send(user, body, path), 423, "pair_paused")


async def test_nobody_is_quoted_an_empty_book(floor: Floor) -> None:
    body = {"tradingPairId": floor.spec.symbol, "side": "BUY", "amountIn": "1"}
    refused(await floor.world.http.post("/swaps/quote", json=body), 422, "no_price_yet")


@pytest.mark.parametrize(
    ("field", "value"),
    [("amountIn", "1e3"), ("minAmountOut", "-1"), ("side", "buy"), ("maxFeeBps", "25"), ("price", "100")],
)
async def test_a_bad_field_is_named(floor: Floor, field: str, value: Any) -> None:
    user = await floor.investor()
    refused(
        await floor.send(user, {**floor.swap(user), field: value}, "/swaps"),
        422,
        "invalid_request",
        f"/{field}",
    )
