"""One stack for all journeys; each journey brings its own market and leaves every process running."""

from collections.abc import AsyncIterator

import pytest

from tests.support import servers
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
