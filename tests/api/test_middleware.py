"""Around every request: ids, bounds on the body, headers for browsers, CORS (A-30)."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from deedbook.api import middleware
from deedbook.api.middleware import MAX_BODY_BYTES
from deedbook.infra.embedded import EmbeddedValkey
from tests.api.support import ROOT, every_refusal_is_a_problem, refused
from tests.support.world import World, open_world, registration

GIVEN = ["abcdefgh", "a-b.c_d-e", "0192f0a2-7c3e-7b1d-9a4e-3f2b1c0d9e8f", "x" * 64]
REPLACED = [
    "", "short", "x" * 65, "x" * 100_000, "a b c d e f", "evil\tvalue", 'a"b"c"d"', "<script>", "ünïcödé!",
]  # fmt: skip
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("name", ["X-Request-Id", "X-Correlation-Id"])
@pytest.mark.parametrize("given", GIVEN + REPLACED, ids=lambda value: ascii(value)[:20])
async def test_an_id_is_echoed_when_it_is_plain_and_replaced_when_not(
    shared: World, name: str, given: str
) -> None:
    answer = await shared.http.get("/time", headers={name.encode(): given.encode("latin-1", "replace")})
    assert (answer.headers[name] == given) is (given in GIVEN)


@pytest.mark.parametrize("given", [b"evil\r\nSet-Cookie: a=b", b"evil\nvalue", b"evil\x00value"])
async def test_an_id_is_replaced_when_it_would_break_out_of_its_header(shared: World, given: bytes) -> None:
    answer = await shared.http.get("/time", headers={b"x-request-id": given})
    assert "Set-Cookie" not in answer.headers and answer.headers["X-Request-Id"].isprintable()
    assert "evil" not in answer.headers["X-Request-Id"]


async def test_the_correlation_id_reaches_facts_and_jobs_when_the_client_gives_one(world: World) -> None:
    issuer = await world.issuer()
    headers = {"X-Correlation-Id": "journey-0001", "X-Request-Id": "request-0001"}
    made = await world.post("/markets/register", issuer, registration(), **headers)
    assert made.headers["X-Correlation-Id"] == "journey-0001"
    async with world.db.reading() as connection:
        told = await connection.fetch(
            "SELECT DISTINCT correlation_id FROM events WHERE stream_type = 'market'"
        )
    assert [row["correlation_id"] for row in told] == ["journey-0001"]


async def test_the_request_id_stands_in_when_there_is_no_correlation_id(shared: World) -> None:
    answer = await shared.http.get("/time", headers={"X-Request-Id": "request-0001"})
    assert answer.headers["X-Correlation-Id"] == "request-0001"


async def test_browsers_are_protected_when_anything_is_answered(shared: World) -> None:
    for path in ("/markets", "/nothing", "/me"):
        headers = (await shared.http.get(path)).headers
        assert (headers["X-Frame-Options"], headers["Referrer-Policy"]) == ("DENY", "no-referrer")
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert "Server" not in headers and "X-Powered-By" not in headers


NO_LENGTHS = [str(MAX_BODY_BYTES + 1), "9" * 30, "9" * 5000, "-1", "1e3", "", "٣", "1, 1"]


@pytest.mark.parametrize("announced", NO_LENGTHS, ids=ascii)
async def test_a_body_is_refused_unread_when_its_announced_length_is_too_large(
    shared: World, announced: str
) -> None:
    headers = {
        b"content-type": b"application/json",
        b"content-length": announced.encode("latin-1", "replace"),
    }
    refused(await shared.http.post("/auth/refresh", content=b"{}", headers=headers), 413, "body_too_large")


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/nonce", "/webhooks/entity-permissions"])
async def test_a_body_is_refused_when_its_chunks_grow_too_large(shared: World, path: str) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10 * MAX_BODY_BYTES:
            sent += 65_536
            yield b" " * 65_536

    answer = await shared.http.post(path, content=endless(), headers=JSON)
    refused(answer, 413, "body_too_large")
    assert answer.headers["Connection"] == "close"


async def test_a_body_is_taken_when_it_just_fits(shared: World) -> None:
    body = b'{"refreshToken":"' + b"x" * 43 + b'"}'
    padded = body + b" " * (MAX_BODY_BYTES - len(body))
    refused(await shared.http.post("/auth/refresh", content=padded, headers=JSON), 401, "unauthenticated")
    refused(
        await shared.http.post("/auth/refresh", content=padded + b" ", headers=JSON), 413, "body_too_large"
    )


async def _call(world: World, *messages: Message, pause_s: float = 0.0) -> int:
    """Call the app as a server would, with these messages from the client and pauses between them; the status."""
    told: list[Message] = []
    waiting = iter(messages)

    async def receive() -> Message:
        await asyncio.sleep(pause_s)
        for message in waiting:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        told.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/api/v1/auth/refresh",
        "raw_path": b"/api/v1/auth/refresh", "query_string": b"", "root_path": "", "server": ("localhost", 3000),
        "client": ("127.0.0.1", 1), "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip
    await asyncio.wait_for(world.app(scope, receive, send), 5)
    return int(told[0]["status"])


PART = {"type": "http.request", "body": b'{"refreshToken":', "more_body": True}


async def test_a_body_is_given_up_when_it_never_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_TIMEOUT_S", 0.2)
    assert await _call(world, PART) == 400
    assert await _call(world, PART, PART, PART, pause_s=0.15) == 400


async def test_a_body_is_given_up_when_the_client_goes_away(world: World) -> None:
    assert await _call(world, PART, {"type": "http.disconnect"}) == 400


async def test_nothing_is_read_when_the_caller_is_not_known(world: World) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    for path in ("/markets/register", "/documents", "/auth/logout", "/admin/jobs/a/b/retry"):
        refused(await world.http.post(path, content=never(), headers=JSON), 401, "unauthenticated")


@pytest.fixture
async def console(dsn: str, valkey: EmbeddedValkey) -> AsyncIterator[World]:
    """A world whose console lives at another origin."""
    async with open_world(
        dsn, valkey.url(), CORS_ORIGINS="https://console.test,https://other.test"
    ) as opened:
        opened.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield opened


async def test_the_console_may_call_when_its_origin_is_listed(console: World) -> None:
    asked = {"Origin": "https://console.test", "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "authorization, idempotency-key, content-type"}  # fmt: skip
    before = await console.http.options("/markets/register", headers=asked)
    assert (before.status_code, before.headers["Access-Control-Allow-Origin"]) == (
        204,
        "https://console.test",
    )
    after = await console.http.get("/me", headers={"Origin": "https://console.test"})
    assert (after.status_code, after.headers["Access-Control-Allow-Origin"]) == (401, "https://console.test")
    assert "Access-Control-Allow-Credentials" not in before.headers
    exposed = set(after.headers["Access-Control-Expose-Headers"].split(", "))
    assert exposed >= {"RateLimit", "ETag", "Idempotent-Replayed"}


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "null",
        "https://console.test.evil.test",
        "http://console.test",
        "https://console.test:444",
    ],
)
async def test_a_foreign_page_may_not_call_when_its_origin_is_not_listed(console: World, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    before = await console.http.options("/markets/register", headers=asked)
    after = await console.http.get("/markets", headers={"Origin": origin})
    assert (
        "Access-Control-Allow-Origin" not in before.headers
        and "Access-Control-Allow-Origin" not in after.headers
    )


async def test_no_page_may_call_when_no_origin_is_listed(shared: World) -> None:
    answer = await shared.http.get(f"{ROOT}/api/v1/markets", headers={"Origin": "https://console.test"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
