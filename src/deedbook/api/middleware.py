"""Around every request: ids, time taken, bounds on the body, headers that protect browsers, and the last answer
where something of ours broke. Plain ASGI, for speed.
"""

import asyncio
import re
import time
from collections.abc import Container, Iterable, Mapping, Set
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

import structlog
import uuid_utils
from prometheus_client import Histogram
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deedbook.api.errors import problem
from deedbook.infra.database import CORRELATION_ID
from deedbook.infra.telemetry import HTTP_LATENCY, REQUEST_ID
from deedbook.kernel.clock import to_wire
from deedbook.kernel.errors import InternalError, Malformed, TooLarge, Unavailable

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 1024 * 1024
MAX_NOTED_PATH = 512
BODY_TIMEOUT_S = 20.0
_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_LENGTH = re.compile(rb"[0-9]{1,12}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""What every answer has, unless it says otherwise itself."""


def as_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as they go on the wire."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


_NAMES, _LINES = frozenset(name for name, _ in _HEADERS), as_lines(_HEADERS)


class Marks(NamedTuple):
    """By what a request is known. A client may name its request and correlation ids; bad ones are replaced."""

    request_id: str
    correlation_id: str

    @classmethod
    def of(cls, named: Mapping[bytes, bytes]) -> "Marks":
        request_id = _id(named.get(b"x-request-id"))
        return cls(request_id, _id(named.get(b"x-correlation-id"), request_id))

    def headers(self, scope: Scope, there: Container[bytes]) -> list[tuple[bytes, bytes]]:
        """What an answer has besides what is `there`: the ids, what protects browsers, how the caller stands."""
        told = self._ids()
        told += [header for header in _HEADERS if header[0] not in there]
        standing = scope["state"].get("standing")
        if standing is not None:
            told += standing.headers()
        if "cut_short" in scope["state"]:
            told.append((b"connection", b"close"))
        return told

    def head(self, scope: Scope, there: Set[bytes]) -> bytes:
        """The same as it goes on the wire."""
        if not there.isdisjoint(_NAMES):
            return as_lines(self.headers(scope, there))
        standing = scope["state"].get("standing")
        return as_lines([*self._ids(), *(standing.headers() if standing is not None else ())]) + _LINES

    def _ids(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"x-request-id", self.request_id.encode()),
            (b"x-correlation-id", self.correlation_id.encode()),
        ]


class Envelope:
    """Wraps the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = named_headers(scope["headers"])
        marks = Marks.of(named)
        scope.setdefault("state", {})["request_id"] = marks.request_id
        token = CORRELATION_ID.set(marks.correlation_id)
        request_token = REQUEST_ID.set(marks.request_id)
        started, status, begun = time.perf_counter(), 500, False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                told = message.setdefault("headers", [])
                told += marks.headers(scope, {name for name, _ in told})
            await send(message)

        try:
            await self._limited(scope, receive, send_with_headers, named)
        except Exception as error:
            answer = broken(Request(scope), error)
            if begun:
                raise
            await answer(scope, receive, send_with_headers)
        finally:
            CORRELATION_ID.reset(token)
            REQUEST_ID.reset(request_token)
            observe(scope, status, started)

    async def _limited(self, scope: Scope, receive: Receive, send: Send, named: dict[bytes, bytes]) -> None:
        announced = named.get(b"content-length", b"0")
        if not _LENGTH.fullmatch(announced) or int(announced) > MAX_BODY_BYTES:
            await problem(Request(scope), _too_large())(scope, receive, send)
            return
        received, complete = 0, False
        deadline = asyncio.get_running_loop().time() + BODY_TIMEOUT_S

        async def receive_bounded() -> Message:
            nonlocal received, complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                scope["state"]["cut_short"] = True
                raise Malformed(f"the body did not arrive within {BODY_TIMEOUT_S:.0f} s") from None
            if message["type"] == "http.disconnect":
                raise Malformed("the connection ended before the body did")
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                scope["state"]["cut_short"] = True
                raise _too_large()
            complete = not message.get("more_body", False)
            return message

        await self._app(scope, receive_bounded, send)


async def _full(scope: Scope, receive: Receive, send: Send) -> None:
    scope["state"]["cut_short"] = True
    refusal = Unavailable("as many ask as can be answered at once; try again", retry_after_s=1)
    await problem(Request(scope), refusal)(scope, receive, send)


FULL = Envelope(_full)
"""What answers when as many ask as can be answered at once."""


def broken(request: Request, error: Exception) -> Response:
    """The answer where something of ours broke."""
    log.error("request_failed", exc_info=error, path=request.scope["path"][:512])
    return problem(
        request, InternalError("this is our fault, and it has been logged; look before you repeat it")
    )


def observe(scope: Scope, status: int, started: float) -> None:
    """Count how long a request took that began at `started`, on the clock of performance; and note it for the owner of
    the key that was shown."""
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    took_s = time.perf_counter() - started
    _latency(method, route, status).observe(took_s)
    state = scope["state"]
    if "key_id" in state:
        request = {
            "at": to_wire(datetime.now(UTC)),
            "method": method,
            "path": scope["path"][:MAX_NOTED_PATH],
            "status": status,
            "tookMs": round(took_s * 1000),
            "requestId": state["request_id"],
        }
        scope["app"].state.key_log.note(state["key_id"], request)


class Cors(CORSMiddleware):
    """CORS where a browser does the refusing: a pre-flight that is not allowed lacks the headers that allow it.

    Starlette would answer 400 in plain text, the one refusal without our shape.
    """

    def preflight_response(self, request_headers: Headers) -> Response:
        headers = dict(super().preflight_response(request_headers).headers)
        kept = {
            name: value for name, value in headers.items() if name.startswith(("access-control-", "vary"))
        }
        return Response(status_code=204, headers=kept)


def _too_large() -> TooLarge:
    return TooLarge(f"a body has at most {MAX_BODY_BYTES} bytes")


def named_headers(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by their names; of those that come twice, the first."""
    return dict(reversed(headers))


@lru_cache(maxsize=1024)
def _latency(method: str, route: str, status: int) -> Histogram:
    """Where the time of such requests is counted: looking for it costs as much as counting."""
    return HTTP_LATENCY.labels(method, route, str(status))


def _id(given: bytes | None, otherwise: str | None = None) -> str:
    if given is not None and _ID.fullmatch(given):
        return given.decode()
    return otherwise or str(uuid_utils.uuid7())
