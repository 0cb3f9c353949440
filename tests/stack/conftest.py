"""A terminal beside which the stack runs, for tests that paste what a page shows."""

from collections.abc import AsyncIterator

import pytest

from tests.support.running import Terminal


@pytest.fixture
async def running() -> AsyncIterator[Terminal]:
    terminal = Terminal.new()
    try:
        await terminal.up()
        yield terminal
    finally:
        terminal.close()
