"""The quick reader and the one that has the last word agree (I-01 to I-06), and both with what is published."""

import json
import string
from typing import Any

import jsonschema_rs
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from deedbook.api.strict import parse_json, quick_json
from deedbook.api.v1.quick_orders import read_order, read_orders
from deedbook.api.v1.schemas.trading import PlaceOrder
from deedbook.kernel.errors import Malformed
from deedbook.trading.entry import Asked
from tests.api.test_openapi import DOCUMENT

PLAIN: dict[str, Any] = {
    "userAddress": "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
    "tradingPairId": "LUXAPT-USDC",
    "side": "BUY",
    "orderType": "LIMIT",
    "quantity": "10",
    "price": "50.00",
    "nonce": "n-1",
    "expiry": 1_800_000_000,
    "signature": "0x" + "11" * 65,
}
FULL = {
    **PLAIN,
    "timeInForce": "IOC",
    "postOnly": True,
    "selfTrade": "DECREMENT",
    "stopPrice": "",
    "maxFeeBps": 30,
    "clientOrderId": "mine",
}
odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**45), 10**45),
    st.floats(),
    st.text(max_size=8),
    st.text(alphabet=string.digits + ".-+e", max_size=6),
    st.sampled_from(
        ["", "0", "0.0", "1e3", "NaN", "1\n", "١", "trail:5", "trail:5bps", "GTC", "0x" + "aB" * 20]
    ),
    st.lists(st.integers(), max_size=2),
)


def said(body: bytes) -> Asked | None:
    """What the reader with the last word makes of a body; `None` when it refuses."""
    try:
        return PlaceOrder.model_validate(parse_json(body)).asked()
    except (Malformed, ValidationError):
        return None


def test_plain_orders_are_read_quickly() -> None:
    for order in (PLAIN, FULL):
        body = orjson.dumps(order)
        assert read_order(body) is not None and read_order(body) == said(body)
    batch = orjson.dumps({"orders": [PLAIN, FULL]})
    assert read_orders(batch) == [said(orjson.dumps(PLAIN)), said(orjson.dumps(FULL))]


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from([*FULL, "status", ""]), odd, max_size=4), st.booleans())
def test_the_quick_reader_says_the_same_or_nothing(changes: dict[str, Any], full: bool) -> None:
    body = json.dumps({**(FULL if full else PLAIN), **changes}).encode()
    quick = read_order(body)
    assert quick is None or quick == said(body)


@settings(max_examples=300)
@given(st.sampled_from(list(FULL)), odd)
def test_a_name_that_stands_twice_is_never_read(name: str, value: Any) -> None:
    told = json.dumps(FULL)[:-1] + "," + json.dumps({name: value})[1:]
    assert read_order(told.encode()) is None and said(told.encode()) is None
    batch = b'{"orders":[' + told.encode() + b"]}"
    assert read_orders(batch) is None


@settings(max_examples=300)
@given(st.binary(max_size=40), st.integers(0, 400))
def test_a_damaged_body_is_read_alike(damage: bytes, place: int) -> None:
    body = orjson.dumps(FULL)
    damaged = body[:place] + damage + body[place + len(damage) :]
    quick = read_order(damaged)
    assert quick is None or quick == said(damaged)


@settings(max_examples=400)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats() | st.text(max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=12,
    )
)
def test_quick_json_is_the_same_json(value: Any) -> None:
    body = json.dumps(value).encode()
    try:
        expected = parse_json(body)
    except Malformed:
        expected = Malformed
    try:
        assert quick_json(body) == expected
    except Malformed:
        assert expected is Malformed


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from([*FULL, "status"]), odd, max_size=3))
def test_what_is_published_is_what_is_read(changes: dict[str, Any]) -> None:
    """Whatever is read is published as allowed. Not the other way: JSON Schema cannot say that mixed case needs its
    checksum, nor that a float such as 1.0 is none of our numbers."""
    body = {**FULL, **changes}
    schema = {**DOCUMENT["components"]["schemas"]["PlaceOrder"], "components": DOCUMENT["components"]}
    if said(json.dumps(body).encode()) is not None:
        assert jsonschema_rs.is_valid(schema, body)


def test_duplicates_are_found_where_orjson_would_take_the_last() -> None:
    for body in (b'{"a":1,"a":2}', b'{"a":{"b":"x","b":"y"}}', b'[{"a":"","a":""}]', b'{"a":"1","a":null}'):
        for read in (quick_json, parse_json):
            try:
                read(body)
            except Malformed:
                continue
            raise AssertionError(f"{read.__name__} reads {body!r}")
