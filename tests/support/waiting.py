"""Waiting for what should come true, and saying what did not."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE_S = 15.0
"""For connections of tests: where many servers share two processors, one may take seconds to be made."""


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


@asynccontextmanager
async def under_way(work: Coroutine[Any, Any, T]) -> AsyncIterator["asyncio.Task[T]"]:
    """Work that goes on while this lasts, and no longer."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
