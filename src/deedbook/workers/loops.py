"""The shape that all our loops share: step, wait, survive, stop when told."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog

from deedbook.kernel.errors import Unavailable

log = structlog.get_logger(__name__)

MAX_PAUSE_S = 5.0


def stop_on_signals() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    return stopping


async def wait(stopping: asyncio.Event, seconds: float) -> None:
    """Sleep, but not past the end."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return


async def repeat(
    name: str, stopping: asyncio.Event, step: Callable[[], Awaitable[bool]], *, busy_s: float, idle_s: float
) -> None:
    """Run `step` until stopped: again after `busy_s` when it did something, else after `idle_s`.

    What is unavailable is awaited, longer each time up to 5 s. A bug is logged and the loop goes on: a
    relay that ends at its first surprise is worse than one that says so every few seconds.
    """
    pause_s = idle_s
    while not stopping.is_set():
        try:
            pause_s = busy_s if await step() else idle_s
        except Unavailable as error:
            pause_s = min(max(pause_s * 2, 0.2), MAX_PAUSE_S)
            log.warning("loop_waits", loop=name, error=error.detail, pause_s=pause_s)
        except Exception:
            pause_s = min(max(pause_s * 2, 0.5), MAX_PAUSE_S)
            log.exception("loop_failed", loop=name)
        await wait(stopping, pause_s)
