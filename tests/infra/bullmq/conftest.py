"""Servers, queues and workers that are gone when the test is over."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from deedbook.infra.bullmq import JobQueue, connect, open_queue
from tests.infra.bullmq.harness import ValkeyServer, Workers

_numbers = count(1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """The server of the tests that leave it alone."""
    valkey = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    valkey.start()
    yield valkey
    valkey.kill()


@pytest.fixture
async def queue(server: ValkeyServer) -> AsyncIterator[JobQueue]:
    """A queue that no other test knows."""
    opened = open_queue(f"queue-{next(_numbers)}", connect(server.url))
    yield opened
    await opened.close()


@pytest.fixture
async def workers(server: ValkeyServer) -> AsyncIterator[Workers]:
    """Workers for `queue`."""
    staff = Workers(server.url)
    yield staff
    await staff.close()


@pytest.fixture
def mortal_server(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A server for the tests that kill, freeze or empty it."""
    valkey = ValkeyServer(tmp_path)
    valkey.start()
    yield valkey
    valkey.kill()


@pytest.fixture
async def mortal_queue(mortal_server: ValkeyServer) -> AsyncIterator[JobQueue]:
    """A queue on `mortal_server`."""
    opened = open_queue("mortal", connect(mortal_server.url))
    yield opened
    await opened.close()


@pytest.fixture
async def mortal_workers(mortal_server: ValkeyServer, mortal_queue: JobQueue) -> AsyncIterator[Workers]:
    """Workers for `mortal_queue`."""
    staff = Workers(mortal_server.url)
    yield staff
    await staff.close()
