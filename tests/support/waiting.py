"""Waiting for what should come true, and saying what did not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    found: Callable[[], Awaitable[T]], what: str, *, within_s: float = 10.0, every_s: float = 0.02
) -> T:
    """The first answer that counts as true."""
    deadline = time.monotonic() + within_s
    while True:
        answer = await found()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"after {within_s:.0f} s: {what}; last seen: {answer!r}"
        await asyncio.sleep(every_s)
