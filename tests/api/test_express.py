"""The way of hot requests past the framework: what is told there is what is told on the way of all others."""

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import orjson
import pytest

from deedbook import truths
from deedbook.api.hot import Express
from tests.api.loopback import serving, speak
from tests.support.floor import Floor
from tests.support.world import User

ORDERS = "/api/v1/trading/orders"
Parts = tuple[int, dict[str, str], bytes]


@pytest.fixture
async def address(floor: Floor) -> AsyncIterator[str]:
    async with serving(floor.world) as told:
        yield told


@pytest.fixture
def taken(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were answered on the express way."""
    seen: list[str] = []
    express: Express = floor.world.app.state.express
    answer = express.answer

    async def noted(scope: dict[str, object], named: dict[bytes, bytes], body: bytes) -> object:
        seen.append(f"{scope['method']} {scope['path']}")
        return await answer(scope, named, body)

    monkeypatch.setattr(express, "answer", noted)
    return seen


def request(user: User | None, body: bytes, path: str = ORDERS, method: str = "POST", *headers: str) -> bytes:
    told = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers]
    told += [f"{name}: {value}" for name, value in user.headers.items()] if user else []
    told += (
        []
        if any(header.startswith("Content-Type") for header in headers)
        else ["Content-Type: application/json"]
    )
    return ("\r\n".join(told) + "\r\n\r\n").encode() + body


def read(answer: bytes) -> Parts:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert len({line.partition(":")[0] for line in lines}) == len(lines), "a header stands there twice"
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body


CASES = {
    "good": (ORDERS, "POST", {}),
    "replayed": (ORDERS, "POST", {"Idempotency-Key": "once"}),
    "bad key": (ORDERS, "POST", {"Idempotency-Key": "a\tb"}),
    "bad field": (ORDERS, "POST", {}),
    "no JSON": (ORDERS, "POST", {}),
    "no body": (ORDERS, "POST", {}),
    "wrong type": (ORDERS, "POST", {"Content-Type": "text/plain"}),
    "unknown parameter": (ORDERS + "?a=1", "POST", {}),
    "stranger": (ORDERS, "POST", {}),
    "batch": (ORDERS + "/batch", "POST", {}),
    "cancel nothing": (f"{ORDERS}/{uuid4()}", "DELETE", {}),
    "cancel by no id": (f"{ORDERS}/not-an-id", "DELETE", {}),
    "replace nothing": (f"{ORDERS}/{uuid4()}/replace", "POST", {}),
}


def body_of(floor: Floor, user: User, kind: str) -> bytes:
    order = floor.order(user)
    bodies = {
        "bad field": {**order, "quantity": "many"},
        "batch": {"orders": [order, {**floor.order(user), "price": "no"}]},
    }
    if kind == "no JSON":
        return b"{"
    return (
        b""
        if kind in ("no body", "cancel nothing", "cancel by no id")
        else orjson.dumps(bodies.get(kind, order))
    )


def _shape(parts: Parts) -> tuple[int, set[str], str]:
    """An answer without what is new in each."""
    status, headers, body = parts
    ids = r'[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]{64}|"o-[0-9]+"|\d{4}-\d\d-\d\dT[^"]*|"expiry":\d+'
    return status, set(headers), re.sub(ids, "…", body.decode())


@pytest.mark.parametrize("kind", CASES)
async def test_the_answer_is_the_same_on_the_express_way_and_on_the_way_of_all_others(
    floor: Floor, address: str, taken: list[str], kind: str
) -> None:
    path, method, headers = CASES[kind]
    user = None if kind == "stranger" else await floor.investor("500")
    owner = user or await floor.investor()
    told = []
    for way in ("express", "others"):
        body = body_of(floor, owner, kind)
        lines = [f"{name}: {value.replace('once', way)}" for name, value in headers.items()]
        whole = request(user, body, path, method, *lines, f"X-Request-Id: {way}-request")
        # What comes in two pieces is not express.
        pieces = (
            (whole,) if way == "express" else (whole[:20], whole[20:-1] if body else whole[20:], whole[-1:])
        )
        if way == "others" and not body:
            pieces = (whole.replace(b"Host:", b"Expect: 100-continue\r\nHost:"),)
        answer = await speak(address, *pieces, pause_s=0.05 if len(pieces) > 1 else 0.0)
        told.append(_shape(read(answer.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b""))))
        if kind == "replayed":
            again = read(await speak(address, request(user, body, path, method, *lines)))
            assert (again[0], again[1].get("idempotent-replayed")) == (201, "true"), again
    assert told[0] == tuple(
        part.replace("others-request", "express-request") if isinstance(part, str) else part
        for part in told[1]
    )
    assert taken[0] == f"{method} {path.partition('?')[0]}" and len(taken) == (3 if kind == "replayed" else 1)


@pytest.mark.parametrize(
    "line",
    ["Origin: https://console.test", "Expect: 100-continue", "Upgrade: h2c\r\nConnection: Upgrade"],
)
async def test_what_is_unusual_goes_the_way_of_all_others(
    floor: Floor, address: str, taken: list[str], line: str
) -> None:
    user = await floor.investor("500")
    answer = await speak(address, request(user, orjson.dumps(floor.order(user)), ORDERS, "POST", line))
    assert any(status in answer for status in (b" 201 ", b" 100 ", b" 422 ")), answer
    assert not taken


async def test_an_order_is_taken_when_each_byte_of_it_is_a_chunk(floor: Floor, address: str) -> None:
    user = await floor.investor("500")
    body = orjson.dumps(floor.order(user)) + b" " * 20_000
    head, _, rest = request(user, b"", ORDERS).partition(b"Content-Length: 0\r\n")
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    answer = await speak(address, head + b"Transfer-Encoding: chunked\r\n" + rest + chunks)
    assert b" 201 " in answer, answer


async def test_requests_are_answered_in_their_order_when_they_come_at_once(
    floor: Floor, address: str
) -> None:
    user = await floor.investor("500")
    sent = [
        request(user, orjson.dumps(floor.order(user)), ORDERS, "POST", f"X-Request-Id: order-{n:04}")
        for n in range(4)
    ]
    time = b"GET /api/v1/time HTTP/1.1\r\nHost: x\r\nX-Request-Id: time-0000\r\n\r\n"
    last = request(
        user, orjson.dumps(floor.order(user)), ORDERS, "POST", "X-Request-Id: order-last", "Connection: close"
    )
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"".join([*sent, time, last]))
    told = await asyncio.wait_for(reader.read(-1), 10)
    writer.close()
    ids = [f"order-{n:04}" for n in range(4)] + ["time-0000", "order-last"]
    assert [found.decode() for found in re.findall(rb"x-request-id: ([a-z0-9-]+)", told)] == ids
    assert told.count(b" 201 Created") == 5 and told.count(b"connection: close") == 1


@pytest.mark.parametrize("between", [b"", b"GET /api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_an_order_has_its_own_answer_when_nonsense_follows_it(
    floor: Floor, address: str, between: bytes
) -> None:
    user = await floor.investor("600")  # one hundred for each, should all arrive
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request(user, orjson.dumps(floor.order(user))) + between + b"NONSENSE\r\n\r\n")
    told = await asyncio.wait_for(reader.read(-1), 10)
    writer.close()
    assert (
        told.startswith(b"HTTP/1.1 201 ") and b" 400 " not in told and told.count(b"connection: close") == 1
    )
    assert told.count(b" 200 OK") == bool(between)


async def test_a_request_is_answered_once_when_its_sender_is_gone(floor: Floor, address: str) -> None:
    user = await floor.investor("600")  # one hundred for each, should all arrive
    host, _, port = address.removeprefix("http://").partition(":")
    for _ in range(5):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(request(user, orjson.dumps(floor.order(user))))
        writer.transport.abort()
    answer = await speak(address, request(user, orjson.dumps(floor.order(user))))
    assert b" 201 " in answer
    broken = [truth.name for truth in await truths.check_books(floor.world.db) if not truth.holds]
    assert not [name for name in broken if "live market" not in name]


async def test_a_fault_of_ours_is_told_as_one(
    floor: Floor, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await floor.investor("500")

    async def broken(*asked: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(floor.world.app.state.entry, "place", broken)
    status, headers, body = read(await speak(address, request(user, orjson.dumps(floor.order(user)))))
    assert status == 500 and orjson.loads(body)["code"] == "internal_error" and b"secret" not in body
    assert headers["x-request-id"] == orjson.loads(body)["requestId"]
    monkeypatch.undo()
    assert b" 201 " in await speak(address, request(user, orjson.dumps(floor.order(user))))
