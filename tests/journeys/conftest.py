"""One stack for all journeys; each journey brings its own market and leaves every process running."""

import os
import signal
import time
from collections.abc import AsyncIterator

import pytest

from deedbook.infra.embedded import Server
from deedbook.infra.embedded.pidfile import wait_until
from tests.support import servers
from tests.support.counter import Counter
from tests.support.stack import Stack


@pytest.fixture(scope="session")
async def shared_stack() -> AsyncIterator[Stack]:
    with servers.open_directory() as directory:
        stack = Stack(directory)
        try:
            await stack.start()
            yield stack
        finally:
            await stack.stop()


@pytest.fixture
async def stack(shared_stack: Stack) -> Stack:
    """The stack with every process running."""
    await shared_stack.all_run()
    return shared_stack


@pytest.fixture(scope="session")
async def shared_counter(shared_stack: Stack) -> Counter:
    await shared_stack.all_run()
    return await Counter.open(shared_stack)


@pytest.fixture
async def counter(stack: Stack, shared_counter: Counter) -> Counter:
    """The counter of that stack, with a market and a bank of its own."""
    return shared_counter


async def kill(*killed: Server) -> None:
    """`kill -9` of servers; their data stays."""
    for server in killed:
        os.kill(server.pid, signal.SIGKILL)
    for server in killed:
        await wait_until(lambda server=server: server.poll() is not None, time.monotonic() + 10)  # type: ignore[misc]
