"""What arrives as bytes: odd framing and headers, over a real socket (I-04, I-05, A-16). Never 5xx, never a hang."""

import asyncio
import gc
from collections.abc import AsyncIterator

import httpx2
import orjson
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from deedbook.api import middleware, protocol
from deedbook.infra.embedded import EmbeddedValkey
from tests.api.loopback import serving, speak
from tests.support.servers import PostgresServer
from tests.support.waiting import eventually
from tests.support.world import World, open_world


@pytest.fixture(scope="module")
async def served(postgres: PostgresServer, valkey: EmbeddedValkey) -> AsyncIterator[tuple[World, str]]:
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url()) as world, serving(world) as address:
        yield world, address
    await postgres.drop(dsn)


POST = b"POST /api/v1/auth/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\n"
REQUESTS: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "plain": (GET + b"\r\n", (200,)),
    "two lengths that differ": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", (400,)),
    "length and chunks": (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400,)),
    "length not a number": (POST + b"Content-Length: ten\r\n\r\n{}", (400,)),
    "length negative": (POST + b"Content-Length: -1\r\n\r\n{}", (400,)),
    "length absurd": (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", (400, 413)),
    "length too large": (POST + b"Content-Length: 2000000\r\n\r\n", (413,)),
    "chunk size wrong": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", (400,)),
    "chunked and good": (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", (422,)),
    "chunk extension": (POST + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\n\r\n", (400, 422)),
    "header of 100 kB": (GET + b"X-Big: " + b"x" * 100_000 + b"\r\n\r\n", (200, 400, 431)),
    "10 000 cookies": (GET + b"Cookie: a=b\r\n" * 10_000 + b"\r\n", (200, 400, 431)),
    "header split": (GET + b"X-Request-Id: evil\r\n injected: yes\r\n\r\n", (200, 400)),
    "NUL in a header": (GET + b"X-Request-Id: a\x00b\r\n\r\n", (400,)),
    "bare CR in a header": (GET + b"X-Request-Id: a\rSet-Cookie: b\r\n\r\n", (200, 400)),
    "no header name": (GET + b": x\r\n\r\n", (200, 400)),
    "space before the colon": (GET + b"X-A : x\r\n\r\n", (200, 400)),
    "huge Range": (GET + b"Range: bytes=" + b"0-1," * 5000 + b"\r\n\r\n", (200,)),
    "no Host": (b"GET /api/v1/time HTTP/1.1\r\n\r\n", (200, 400)),
    "bad Host": (b"GET /api/v1/nothing HTTP/1.1\r\nHost: [::1\r\n\r\n", (400, 404)),
    "Host with a path": (b"GET /api/v1/nothing HTTP/1.1\r\nHost: evil.test/x?y=\r\n\r\n", (400, 404)),
    "two Hosts": (GET + b"Host: evil.test\r\n\r\n", (200, 400)),
    "query of raw bytes": (b"GET /api/v1/markets?text=\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", (200, 400, 422)),
    "query of odd escapes": (
        b"GET /api/v1/markets?text=%ff%fe&limit=%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        (400, 422),
    ),
    "path of raw bytes": (b"GET /api/v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", (400, 404)),
    "path of odd escapes": (b"GET /api/v1/%ff%00%zz HTTP/1.1\r\nHost: x\r\n\r\n", (400, 404)),
    "absolute address": (b"GET http://evil.test/api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n", (200, 400, 404)),
    "asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", (200, 400, 404, 405)),
    "unknown method": (b"HACK /api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n", (400, 405)),
    "TRACE": (b"TRACE /api/v1/time HTTP/1.1\r\nHost: x\r\n\r\n", (400, 405)),
    "HTTP/9.9": (b"GET /api/v1/time HTTP/9.9\r\nHost: x\r\n\r\n", (200, 400, 505)),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello\r\n\r\n", (400,)),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 404, 405)),
    "upgrade": (GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", (200, 400, 403, 404, 426)),
}


@pytest.mark.parametrize("kind", REQUESTS)
async def test_bytes_are_answered_without_fault_when_they_are_odd(
    served: tuple[World, str], kind: str
) -> None:
    request, statuses = REQUESTS[kind]
    answer = await speak(served[1], request)
    status = int(answer.split(b" ", 2)[1]) if answer else 400  # some servers close without a word
    assert status in statuses, answer[:300]
    assert b"Set-Cookie" not in answer and b"injected" not in answer
    assert b" 200 " in await speak(served[1], GET + b"\r\n")


async def test_a_body_without_end_is_cut_when_it_is_too_large(served: tuple[World, str]) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    answer = await speak(served[1], POST + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 20)
    assert answer == b"" or (b" 413 " in answer and b"connection: close" in answer.lower())


async def test_a_body_without_end_is_given_up_when_it_trickles(
    served: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "BODY_TIMEOUT_S", 0.3)
    for head in (b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"Content-Length: 100\r\n\r\n{"):
        answer = await speak(served[1], POST + head)
        assert b" 400 " in answer and b"connection: close" in answer.lower()


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
FOREVER = {
    "headers": (GET, b"X-A: b\r\n"),
    "one header": (GET + b"X-A: ", b"b"),
    "an address": (b"GET /api/v1/time?", b"b"),
    "empty lines": (b"", b"\r\n"),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-A: b\r\n"),
    "one trailer": (CHUNKED + b"2\r\n{}\r\n0\r\nX-A: ", b"b"),
    "a chunk extension": (CHUNKED + b"2;", b"b"),
}


@pytest.mark.parametrize("kind", FOREVER)
async def test_who_sends_without_end_is_let_go_before_it_is_kept(
    served: tuple[World, str], kind: str
) -> None:
    begun, more = FOREVER[kind]
    writer = (await _open(served[1]))[1]
    writer.write(begun)
    with pytest.raises(ConnectionError):
        await _pour(writer, more * 8192, 16 * 1024 * 1024)  # more than the buffers between take
    writer.transport.abort()
    assert b" 200 " in await speak(served[1], GET + b"\r\n")


async def test_the_last_of_too_many_at_once_goes_without_an_answer(served: tuple[World, str]) -> None:
    reader, writer = await _open(served[1])
    writer.write((GET + b"\r\n") * (protocol.MAX_WAITING + 100))
    told = await asyncio.wait_for(reader.read(-1), 20)
    writer.transport.abort()
    answers = told.count(b"HTTP/1.1 200 OK")
    assert protocol.MAX_WAITING < answers < protocol.MAX_WAITING + 100 and b" 400 " not in told
    assert told.count(b"connection: close") == 1


@pytest.mark.parametrize("path", ["time", "trading/orders"])
async def test_who_comes_when_the_server_is_full_is_told_when_to_come_again(world: World, path: str) -> None:
    """L-02 and INV-15: past what it takes, a refusal is one like all others."""
    method = b"GET" if path == "time" else b"POST"
    request = method + f" /api/v1/{path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: who-asks\r\n\r\n".encode()
    async with serving(world, most=1) as address:
        head, _, body = (await speak(address, request)).partition(b"\r\n\r\n")

    lines = head.lower().split(b"\r\n")
    assert lines[0].startswith(b"http/1.1 503")
    for line in (b"retry-after: 1", b"connection: close", b"x-request-id: who-asks"):
        assert line in lines
    assert b"content-type: application/problem+json" in lines
    assert (orjson.loads(body)["code"], orjson.loads(body)["retryAfterMs"]) == ("unavailable", 1000)


async def test_a_trailer_is_no_header(served: tuple[World, str]) -> None:
    user = await served[0].user()
    signed_in = "".join(f"{name}: {value}\r\n" for name, value in user.headers.items()).encode()
    head = b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    assert b" 200 " in await speak(served[1], head + signed_in + b"\r\n0\r\n\r\n")
    assert b" 401 " in await speak(served[1], head + b"\r\n0\r\n" + signed_in + b"\r\n")


SILENT = {
    "nothing": (b"", b""),
    "half a head": (GET, b""),
    "a head that trickles": (GET, b"X-A: b\r\n"),
    "empty lines that trickle": (GET + b"\r\n", b"\r\n"),
    "a body that nobody waits for": (
        POST.replace(b"auth/refresh", b"nothing") + b"Content-Length: 9999\r\n\r\n{",
        b" ",
    ),
}


@pytest.mark.parametrize("kind", SILENT)
async def test_who_keeps_us_waiting_is_let_go(
    served: tuple[World, str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(protocol, "IDLE_S", 0.4)
    begun, more = SILENT[kind]
    async with serving(served[0]) as address, asyncio.timeout(10):
        reader, writer = await _open(address)
        writer.write(begun)
        gone = asyncio.create_task(reader.read(-1))
        while not gone.done():
            writer.write(more)
            await asyncio.sleep(0.05)
        await asyncio.gather(gone, return_exceptions=True)
        writer.transport.abort()


async def test_nothing_is_kept_of_a_websocket_that_is_over(world: World) -> None:
    def kept() -> int:
        gc.collect()
        return sum(type(found) is protocol.Http for found in gc.get_objects())

    async def none_are_kept() -> bool:
        return kept() < before + 10

    async with serving(world) as address:
        before = kept()
        for _ in range(20):
            async with connect(address.replace("http", "ws") + "/api/v1/ws"):
                pass
        await eventually(none_are_kept, "what served the WebSockets is forgotten", every_s=0.2)


async def test_who_takes_nothing_of_what_is_sent_is_let_go(
    served: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "IDLE_S", 0.4)
    async with serving(served[0]) as address, asyncio.timeout(20):
        writer = (await _open(address, limit=1024))[1]
        asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        with pytest.raises(ConnectionError):
            await _pour(writer, asked, 10**9, pause_s=0.01)
        writer.transport.abort()


async def _pour(writer: asyncio.StreamWriter, piece: bytes, most: int, pause_s: float = 0.0) -> None:
    for _ in range(most // len(piece)):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause_s)


async def _open(address: str, **more: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port), **more)


async def test_an_early_refusal_is_heard_when_the_body_is_still_on_its_way(served: tuple[World, str]) -> None:
    async with httpx2.AsyncClient(base_url=served[1]) as http:
        for path, size, status in (
            ("documents", 900_000, 401),
            ("documents", 3_000_000, 413),
            ("time", 900_000, 405),
        ):
            answer = await http.post(f"/api/v1/{path}", content=b"x" * size)
            assert (answer.status_code, answer.headers["Content-Type"]) == (
                status,
                "application/problem+json",
            )
        assert (await http.get("/api/v1/time")).status_code == 200


async def test_the_limit_holds_when_a_neighbour_turns_its_forwarded_address(
    valkey: EmbeddedValkey, redis: Redis, dsn: str
) -> None:
    await redis.flushall()
    told = []
    async with (
        open_world(dsn, valkey.url(), RATE_LIMIT_READS=5) as world,
        serving(world) as address,
        httpx2.AsyncClient(base_url=address) as http,
    ):
        for number in range(8):
            answer = await http.get("/api/v1/time", headers={"X-Forwarded-For": f"{number}.1.1.1"})
            told.append(answer.status_code)
    assert told == [200] * 5 + [429] * 3
