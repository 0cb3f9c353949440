"""One stack for all journeys; each journey brings its own market and leaves every process running."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.stack import Stack


@pytest.fixture(scope="session")
async def shared_stack() -> AsyncIterator[Stack]:
    directory = Path(tempfile.mkdtemp(prefix="deedbook-journeys-"))
    directory.chmod(0o711)  # PostgreSQL's account passes through where the tests run as root
    stack = Stack(directory)
    try:
        await stack.start()
        yield stack
    finally:
        await stack.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
async def stack(shared_stack: Stack) -> Stack:
    """The stack with every process running."""
    await shared_stack.all_run()
    return shared_stack
