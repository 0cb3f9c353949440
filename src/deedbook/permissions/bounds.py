"""Limits on what comes in: the size and pace of a body, the depth and content of free-form JSON."""

import asyncio
import json
import math
from typing import Annotated, Any

from pydantic import AfterValidator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX = 1024 * 1024
BODY_TIMEOUT_S = 30.0
JSON_DEPTH_MAX = 32


class BodyLimit:
    """Reads each body whole before the application sees it, and refuses one that is too large or too slow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await _read(scope, receive)
        except TimeoutError:
            await _refuse(send, 408, "The request body took too long")
            return
        if body is None:
            await _refuse(send, 413, f"The request body is larger than {BODY_BYTES_MAX} bytes")
            return
        await self._app(scope, _replay(body, receive), send)


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    """The whole body, or None when it is larger than allowed."""
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > BODY_BYTES_MAX:
        return None
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_BYTES_MAX:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return first.pop() if first else await receive()

    return replayed


async def _refuse(send: Send, status: int, detail: str) -> None:
    body = json.dumps({"detail": detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _storable(value: Any, depth: int) -> None:
    if depth > JSON_DEPTH_MAX:
        raise ValueError(f"nested deeper than {JSON_DEPTH_MAX} levels")
    if isinstance(value, str):
        # A lone surrogate is legal JSON but no text: it could neither be stored nor answered.
        value.encode()
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("NaN and Infinity are not JSON")
    elif isinstance(value, dict):
        for key, item in value.items():
            key.encode()
            _storable(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _storable(item, depth + 1)


def _check(value: dict[str, Any]) -> dict[str, Any]:
    _storable(value, 1)
    return value


JsonObject = Annotated[dict[str, Any], AfterValidator(_check)]
"""A free-form object that can be stored and given back unchanged."""
