"""Around every request: ids, time taken, body limit, headers that protect browsers. Plain ASGI, for speed."""

import re
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deedbook.api.errors import problem
from deedbook.infra.database import CORRELATION_ID
from deedbook.infra.telemetry import HTTP_LATENCY
from deedbook.kernel.errors import TooLarge
from deedbook.kernel.ids import new_uuid

MAX_BODY_BYTES = 1024 * 1024
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Envelope:
    """Wraps the whole app. A client may name its request and correlation ids; bad ones are replaced."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _id(headers.get("x-request-id"))
        correlation_id = _id(headers.get("x-correlation-id"), request_id)
        scope.setdefault("state", {})["request_id"] = request_id
        token = CORRELATION_ID.set(correlation_id)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started, status = time.perf_counter(), 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                out["X-Request-Id"], out["X-Correlation-Id"] = request_id, correlation_id
                for name, value in _HEADERS.items():
                    out.setdefault(name, value)
                standing = scope["state"].get("standing")
                if standing is not None:
                    for name, value in standing.headers().items():
                        out[name] = value
            await send(message)

        try:
            await self._limited(scope, receive, send_with_headers, headers)
        finally:
            CORRELATION_ID.reset(token)
            structlog.contextvars.unbind_contextvars("request_id")
            route = getattr(scope.get("route"), "path", "unmatched")
            HTTP_LATENCY.labels(scope["method"][:10], route, str(status)).observe(
                time.perf_counter() - started
            )

    async def _limited(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > MAX_BODY_BYTES:
            await problem(Request(scope), _too_large())(scope, receive, send)
            return
        received = 0

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise _too_large()
            return message

        await self._app(scope, receive_bounded, send)


def _too_large() -> TooLarge:
    return TooLarge(f"a body has at most {MAX_BODY_BYTES} bytes")


def _id(given: str | None, otherwise: str | None = None) -> str:
    if given is not None and _ID.fullmatch(given):
        return given
    return otherwise or str(new_uuid())
