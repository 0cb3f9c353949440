"""Orders that are refused: each with its code, in one order of checks, with nothing used up (A-01 to A-07, A-11, A-16,
A-19, I-01 to I-06)."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import orjson
import pytest

from deedbook.compliance import KycStatus, Reason, RecordChange, TokenRules
from deedbook.identity import Domain, Role
from deedbook.kernel.amounts import to_units
from deedbook.kernel.ids import UserId
from tests.api.support import assert_problem, refused
from tests.api.test_bad_inputs import JSON, NO_AMOUNTS, UNREADABLE
from tests.api.test_custody import MALFORMED, NO_SIGNATURES
from tests.support.fake_chain import CHAIN_ID
from tests.support.floor import Floor, open_floor
from tests.support.till import CASH, VAULT, account_of
from tests.support.world import User

KNOWN_S = 1.1
"""Longer than what is known of pairs and of people is believed."""


async def nothing_kept(floor: Floor, user: User) -> bool:
    rows = await floor.rows(
        "SELECT (SELECT count(*) FROM orders WHERE user_id = $1) + "
        "(SELECT count(*) FROM signed_actions WHERE account = $2) AS n",
        user.user_id,
        account_of(user),
    )
    return bool(rows[0]["n"] == 0)


@pytest.mark.parametrize("form", MALFORMED)
async def test_a_signature_in_another_form_is_refused(floor: Floor, form: str) -> None:
    """A-01."""
    user = await floor.investor("1000")
    body = floor.order(user)
    refused(
        await floor.send(user, {**body, "signature": MALFORMED[form](body["signature"])}),
        401,
        "signature_malformed",
    )
    assert await nothing_kept(floor, user)


@pytest.mark.parametrize(
    "domain",
    [Domain(CHAIN_ID + 1, VAULT), Domain(CHAIN_ID, CASH), Domain(1, VAULT)],
    ids=["chain", "contract", "mainnet"],
)
async def test_a_signature_for_elsewhere_is_refused(floor: Floor, domain: Domain) -> None:
    """A-02."""
    user = await floor.investor("1000")
    refused(await floor.send(user, floor.order(user, domain=domain)), 401, "signature_refused")


CHANGED: dict[str, Any] = {
    "side": "SELL",
    "orderType": "MARKET",
    "timeInForce": "IOC",
    "postOnly": True,
    "selfTrade": "DECREMENT",
    "quantity": "1.0",
    "price": "100.00",
    "maxFeeBps": 26,
    "clientOrderId": "x",
    "nonce": "another",
    "expiry": int(time.time()) + 7200,
}


@pytest.mark.parametrize("name", CHANGED)
async def test_a_body_that_was_altered_after_signing_is_refused(floor: Floor, name: str) -> None:
    """A-06: every field in turn, down to how a number is written."""
    user = await floor.investor("1000", "5")
    body = {**floor.order(user), name: CHANGED[name]}
    refused(await floor.send(user, body), 401, "signature_refused")
    assert await nothing_kept(floor, user)


async def test_a_strangers_bad_signature_burns_no_nonce(floor: Floor) -> None:
    """A-05 and A-07."""
    victim, thief = await floor.investor("1000"), await floor.investor("1000")
    body = floor.order(victim)
    refused(
        await floor.send(thief, {**body, "signature": floor.order(thief)["signature"]}),
        401,
        "signature_refused",
    )
    refused(await floor.send(thief, body), 404, "wallet_not_yours")
    assert (await floor.send(victim, body)).status_code == 201


async def test_checks_come_in_one_order(floor: Floor) -> None:
    """Each body below has the fault of its own line and of all lines after it."""
    user, stranger = await floor.investor("1000"), await floor.investor(verified=False)
    used = (await floor.place(user))["nonce"]
    forged: dict[str, Any] = {"signature": "0x" + "11" * 65}
    poor: dict[str, Any] = {"quantity": "5000"}
    lines: list[tuple[User, dict[str, Any], int, str]] = [
        (
            stranger,
            {**floor.order(stranger, quantity="0", expiry=1, tradingPairId="NO-SUCH")},
            422,
            "invalid_request",
        ),
        (
            stranger,
            {**floor.order(stranger, expiry=1, tradingPairId="NO-SUCH"), **forged},
            422,
            "action_expired",
        ),
        (
            stranger,
            {**floor.order(stranger, tradingPairId="NO-SUCH", price="0.001"), **forged},
            404,
            "pair_not_found",
        ),
        (stranger, {**floor.order(stranger, price="0.001", **poor), **forged}, 422, "order_filter"),
        (stranger, {**floor.order(user, **poor), "signature": "0x11"}, 401, "signature_malformed"),
        (stranger, {**floor.order(user, **poor), **forged}, 401, "signature_malformed"),
        (stranger, floor.order(user, nonce=used, **poor), 404, "wallet_not_yours"),
        (user, floor.order(user, nonce=used, **poor), 409, "nonce_used"),
        (stranger, floor.order(stranger, **poor), 403, "kyc_required"),
        (user, floor.order(user, **poor), 422, "insufficient_funds"),
    ]
    for who, body, status, code in lines:
        refused(await floor.send(who, body), status, code)


async def test_a_used_nonce_is_named_before_compliance_even_without_redis(floor: Floor) -> None:
    user = await floor.investor("1000")
    body = floor.order(user)
    assert (await floor.send(user, body)).status_code == 201
    await floor.till.compliance.freeze(UserId(user.user_id))
    await floor.world.resources.redis.flushall()
    await asyncio.sleep(KNOWN_S)
    refused(await floor.send(user, body), 409, "duplicate_order")
    refused(await floor.send(user, floor.order(user)), 403, "receiver_frozen")


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        (RecordChange(whitelisted=False), "not_whitelisted", Reason.NOT_WHITELISTED),
        (RecordChange(kyc_status=KycStatus.REJECTED), "kyc_required", Reason.KYC_MISSING),
    ],
)
@pytest.mark.parametrize("side", ["BUY", "SELL"])
async def test_who_is_not_eligible_hears_why(
    floor: Floor, change: RecordChange, code: str, reason: Reason, side: str
) -> None:
    user = await floor.investor("1000", "5")
    await floor.till.compliance.set_record(UserId(user.user_id), change)
    answer = await floor.send(user, floor.order(user, side))
    refused(answer, 403, code)
    assert answer.json()["reason"] == str(reason.value)
    assert await nothing_kept(floor, user)


async def test_a_decision_is_felt_within_a_second(floor: Floor) -> None:
    user = await floor.investor("1000", "5")
    await floor.place(user)
    await floor.till.compliance.freeze(UserId(user.user_id))
    await asyncio.sleep(KNOWN_S)
    refused(await floor.send(user, floor.order(user)), 403, "receiver_frozen")
    refused(await floor.send(user, floor.order(user, "SELL")), 403, "sender_frozen")


async def test_lock_ups_and_caps_are_judged_by_the_amount(floor: Floor) -> None:
    user, desk = await floor.investor("10000", "5"), floor.till.compliance
    try:
        await desk.set_rules(lock_up_days=30)
        await asyncio.sleep(KNOWN_S)
        refused(await floor.send(user, floor.order(user, "SELL")), 403, "lock_up")
        await floor.place(user, "BUY")
        await desk.set_rules(max_ownership=to_units("7", 18))
        await asyncio.sleep(KNOWN_S)
        refused(await floor.send(user, floor.order(user, quantity="3")), 403, "ownership_cap")
        await floor.place(user, "BUY", quantity="2")
    finally:
        await desk.set_rules(**TokenRules().__dict__ | {"version": 0})
        await asyncio.sleep(KNOWN_S)


async def test_a_paused_market_takes_no_orders_and_keeps_cancels(floor: Floor) -> None:
    user = await floor.investor("1000")
    order = await floor.place(user)
    try:
        await _set_status(floor, "paused")
        refused(await floor.send(user, floor.order(user)), 423, "pair_paused")
        cancelled = await floor.world.http.delete(f"/trading/orders/{order['id']}", headers=user.headers)
        assert cancelled.status_code == 202
    finally:
        await _set_status(floor, "active")
    await floor.place(user)


async def _set_status(floor: Floor, status: str) -> None:
    async with floor.world.db.transaction() as tx:
        await tx.execute(
            "UPDATE trading_pairs SET status = $2 WHERE pair_id = $1", floor.spec.pair_id, status
        )
    await asyncio.sleep(KNOWN_S)


FILTERS: list[tuple[dict[str, Any], str, str]] = [
    ({"price": "100.001"}, "tick", "/price"),
    ({"quantity": "0.00001"}, "lot", "/quantity"),
    ({"quantity": "99999999999"}, "max_quantity", "/quantity"),
    ({"price": "99999999999999999999"}, "range", "/price"),
    ({"maxFeeBps": 24}, "fee_cap", "/maxFeeBps"),
    ({"price": ""}, "price", "/price"),
    ({"stopPrice": "90"}, "stop_price", "/stopPrice"),
    ({"orderType": "STOP_LIMIT"}, "stop_price", "/stopPrice"),
    ({"orderType": "STOP_MARKET", "stopPrice": "90.001", "price": ""}, "tick", "/stopPrice"),
    ({"postOnly": True, "timeInForce": "IOC"}, "post_only", "/postOnly"),
    ({"postOnly": True, "orderType": "MARKET"}, "post_only", "/postOnly"),
]


@pytest.mark.parametrize(("fields", "name", "pointer"), FILTERS)
async def test_a_refusal_names_the_filter(
    floor: Floor, fields: dict[str, Any], name: str, pointer: str
) -> None:
    user = await floor.investor("1000")
    answer = await floor.send(user, floor.order(user, **fields))
    refused(answer, 422, "order_filter", pointer)
    assert answer.json()["errors"][0]["code"] == name
    assert await nothing_kept(floor, user)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"quantity": "0.0009", "price": "99999"}, "min_quantity"),
        ({"quantity": "0.1", "price": "99.99"}, "min_notional"),
        ({"quantity": "0.1", "price": "99.99", "side": "SELL"}, "min_notional"),
    ],
)
async def test_dust_is_refused_where_the_pair_wants_more(
    strict: Floor, fields: dict[str, Any], name: str
) -> None:
    """A-19 and I-02: the last that is too little; with one step more it comes in."""
    user = await strict.investor("1000", "5")
    answer = await strict.send(user, strict.order(user, **fields))
    refused(answer, 422, "order_filter", "/quantity")
    assert answer.json()["errors"][0]["code"] == name
    assert await nothing_kept(strict, user)
    enough = {"quantity": "0.001", "price": "10000"} if name == "min_quantity" else {**fields, "price": "100"}
    assert (await strict.send(user, strict.order(user, **enough))).status_code == 201


@pytest.fixture(scope="module")
async def strict(shared_floor: Floor) -> Floor:
    """Orders of 0.001 tokens and 10 dollars at least."""
    return await open_floor(shared_floor.world, min_quantity_lots=10, min_notional=to_units("10", 6))


async def test_an_order_ends_within_ninety_days(floor: Floor) -> None:
    """I-02."""
    user, far = await floor.investor("1000"), int(time.time()) + 90 * 86_400
    answer = await floor.send(user, floor.order(user, expiry=far + 60))
    refused(answer, 422, "invalid_request", "/expiry")
    assert await nothing_kept(floor, user)
    assert (await floor.send(user, floor.order(user, expiry=far - 60))).status_code == 201


async def test_a_market_order_is_protected_or_refused(floor: Floor) -> None:
    """A-19 and I-01: with nobody on the other side and no price, there is nothing to protect it by."""
    user, seller = await floor.investor("1000"), await floor.investor("0", "5")
    refused(await floor.send(user, floor.order(user, orderType="MARKET", price="")), 422, "no_price_yet")
    await floor.place(seller, "SELL", price="200")
    await floor.match()
    await asyncio.sleep(0.2)
    told = await floor.place(user, orderType="MARKET", price="")
    assert (told["price"], told["worstPrice"]) == (None, "210")


async def test_an_order_never_meets_its_own(floor: Floor) -> None:
    """A-19."""
    user = await floor.investor("1000", "5")
    resting = await floor.place(user, "SELL", price="100")
    taking = await floor.place(user, "BUY", price="100")
    await floor.match()
    shown = await floor.get(f"/trading/orders/{taking['id']}", user)
    assert (shown["status"], shown["reason"], shown["filledQuantity"]) == ("CANCELLED", "self_trade", "0")
    assert (await floor.get(f"/trading/orders/{resting['id']}", user))["status"] == "OPEN"


BAD: list[tuple[str, Any]] = [
    *(("quantity", bad) for bad in NO_AMOUNTS),
    *(("price", bad) for bad in NO_AMOUNTS if bad not in ("", None)),
    *(("expiry", bad) for bad in ("0", "-1", "1e9", "1.5", "", str(2**64), 2**64, True, None, 1.5, 0, -1)),
    *(("nonce", bad) for bad in ("", "a b", "a" * 65, "é", "a\n", 7, None)),
    *(("clientOrderId", bad) for bad in ("a b", "a" * 65, "é", "a\n", 7)),
    *(("userAddress", bad) for bad in ("", "0x", "0x" + "g" * 40, "0x" + "aB" * 20, CASH + "00", 7, None)),
    *(("tradingPairId", bad) for bad in ("", "a b", "A" * 81, "A\n", "-A", "A/B", 7, None)),
    *(("side", bad) for bad in ("", "buy", "BUY\n", 1, None)),
    *(("orderType", bad) for bad in ("", "limit", "ICEBERG", None)),
    *(("timeInForce", bad) for bad in ("", "gtc", None)),
    *(("postOnly", bad) for bad in ("true", 1, None)),
    *(("selfTrade", bad) for bad in ("NONE", "", None, 0)),
    *(("stopPrice", bad) for bad in ("x", "trail:0", "trail:x", "trail:5 bps", "1\n", 7)),
    *(("maxFeeBps", bad) for bad in (-1, 10_001, 1.5, "25", True)),
    *(("signature", bad) for bad in NO_SIGNATURES),
]


@pytest.mark.parametrize(("field", "value"), BAD, ids=lambda value: ascii(value)[:30])
async def test_a_bad_field_is_named(shared_floor: Floor, trader: User, field: str, value: Any) -> None:
    """I-01, I-02, I-03."""
    body = {**shared_floor.order(trader), field: value}
    refused(await shared_floor.send(trader, body), 422, "invalid_request", f"/{field}")


@pytest.fixture(scope="module")
async def trader(shared_floor: Floor) -> User:
    return await shared_floor.investor("1000")


@pytest.mark.parametrize(
    "name",
    [
        "status",
        "filledQuantity",
        "fee",
        "id",
        "userId",
        "createdAt",
        "trader",
        "role",
        "__proto__",
        "",
        "a/b",
        "~",
    ],
)
async def test_a_field_of_ours_is_refused(shared_floor: Floor, trader: User, name: str) -> None:
    """A-11."""
    answer = await shared_floor.send(trader, {**shared_floor.order(trader), name: "x"})
    refused(answer, 422, "invalid_request")
    assert [error["code"] for error in answer.json()["errors"]] == ["unknown_field"]


@pytest.mark.parametrize("path", ["/trading/orders", "/trading/orders/batch", "/trading/orders/{id}/replace"])
@pytest.mark.parametrize("kind", UNREADABLE)
async def test_a_body_is_refused_when_it_is_not_json_of_one_meaning(
    shared_floor: Floor, trader: User, path: str, kind: str
) -> None:
    """I-04 to I-06, where the body is read by hand."""
    body, status = UNREADABLE[kind]
    answer = await shared_floor.world.http.post(
        path.replace("{id}", str(uuid4())), content=body, headers={**trader.headers, **JSON}
    )
    refused(answer, status, "malformed_request" if status == 400 else "invalid_request")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "text/json"])
async def test_a_body_is_refused_when_it_is_of_another_type(
    shared_floor: Floor, trader: User, content_type: str
) -> None:
    headers = {**trader.headers, "Content-Type": content_type}
    content = orjson.dumps(shared_floor.order(trader))
    answer = await shared_floor.world.http.post("/trading/orders", content=content, headers=headers)
    refused(answer, 415, "unsupported_media_type")


async def test_hot_routes_know_nobody_unasked(shared_floor: Floor, trader: User) -> None:
    """A-09: the same guard as everywhere, deny by default."""
    http, body = shared_floor.world.http, shared_floor.order(trader)
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {trader.access_token}"}):
        answer = await http.post("/trading/orders", json=body, headers=headers)
        refused(answer, 401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    unknown = await http.post("/trading/orders?x=1", json=body, headers=trader.headers)
    refused(unknown, 422, "invalid_request", "/query/x")
    refused(
        await http.delete("/trading/orders/x", headers=trader.headers), 422, "invalid_request", "/path/id"
    )
    for method in ("GET", "PUT", "DELETE"):
        answer = await http.request(method, "/trading/orders", headers=trader.headers)
        refused(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "POST"
    for path in ("/trading/orders/cancel-all", "/trading/orders/preview"):
        answer = await http.request("PUT", path, headers=trader.headers)
        refused(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "POST"


async def test_a_session_that_has_ended_is_felt_within_two_seconds(shared_floor: Floor) -> None:
    user = await shared_floor.investor("1000")
    await shared_floor.place(user)
    assert (await shared_floor.world.post("/auth/logout", user)).is_success
    await asyncio.sleep(2.1)
    refused(await shared_floor.send(user, shared_floor.order(user)), 401, "unauthenticated")


def limited(floor: Floor, **limits: int) -> Callable[[], None]:
    """Set limits; what it gives sets them back."""
    limiter = floor.world.app.state.limiter
    before = dict(limiter.limits)
    limiter.limits.update(limits)
    return lambda: limiter.limits.update(before)


async def test_orders_and_cancels_have_limits_of_their_own(floor: Floor) -> None:
    """A-16, and INV-15: the answer says when to come again; cancels go on."""
    user, other = await floor.investor("1000"), await floor.investor("1000")
    back = limited(floor, orders=3, cancels=30)
    try:
        placed = [await floor.place(user) for _ in range(3)]
        one_more = floor.order(user)
        answer = await floor.send(user, one_more)
        refused(answer, 429, "rate_limited")
        assert answer.headers["RateLimit"].startswith('"orders";r=0')
        mixed = {**floor.order(user), "userAddress": user.wallet.address}
        for path in ("/trading/orders", "/trading/orders/batch"):
            body = mixed if path.endswith("orders") else {"orders": [mixed]}
            told = await floor.send(user, body, path, **{"X-Forwarded-For": "1.2.3.4", "X-User-Id": "x"})
            status = told.status_code if path.endswith("orders") else told.json()["data"][0]["status"]
            assert status == 429
        for order in placed:
            path = f"/trading/orders/{order['id']}"
            assert (await floor.world.http.delete(path, headers=user.headers)).status_code == 202
        await floor.place(other)
    finally:
        back()
    assert (await floor.send(user, one_more)).status_code == 201  # nothing of it was used up


async def test_roles_may_have_limits_of_their_own(floor: Floor) -> None:
    operator = await floor.investor("1000", "0", Role.OPERATOR)
    limiter = floor.world.app.state.limiter
    back = limited(floor, orders=1)
    limiter._order_limits = {"operator": 3}
    try:
        for _ in range(3):
            await floor.place(operator)
        refused(await floor.send(operator, floor.order(operator)), 429, "rate_limited")
    finally:
        limiter._order_limits = {}
        back()


async def test_requests_that_are_refused_early_have_a_bound_too(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()  # They are counted by the minute, and none may end in between.
    monkeypatch.setattr(floor.world.app.state.limiter, "_now", lambda: now)
    user = await floor.investor()
    back = limited(floor, orders=1)
    try:
        answers = [await floor.send(user, {}) for _ in range(11)]
    finally:
        back()
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert assert_problem(answers[-1])["retryAfterMs"] >= 1000
