"""Asking outside systems over HTTP: whole answers, never larger than a stated size, never later than a stated time.

A timeout of the HTTP client alone bounds each piece of an answer; whoever sends a byte a second would hold
us for days.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson


class NoAnswer(Exception):
    """There is no usable answer; the message says why and names no address, which may hold a key."""


class AnswerTooLarge(NoAnswer):
    """It was cut off at the stated size."""


@dataclass(frozen=True)
class Answer:
    """An answer that came whole."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON, strictly: no NaN, no broken UTF-8, no depth without end.

        Raises:
            NoAnswer: it is no JSON.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise NoAnswer(f"what came with status {self.status} is no JSON") from None


async def ask(
    http: httpx2.AsyncClient, method: str, url: str, *, within_s: float, at_most: int, **request: Any
) -> Answer:
    """Send a request and read its answer.

    Raises:
        NoAnswer: none came in time, or one of more than `at_most` bytes.
    """
    try:
        async with asyncio.timeout(within_s), http.stream(method, url, **request) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > at_most:
                    raise AnswerTooLarge(f"the answer has more than {at_most} bytes")
            return Answer(response.status_code, bytes(body))
    except TimeoutError:
        raise NoAnswer(f"no answer in {within_s:.1f} s") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise NoAnswer(f"no answer: {type(error).__name__}") from None
