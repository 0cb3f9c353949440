"""What tests of the relay and of the sweeper stand on."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from deedbook.infra.bullmq import JobQueue, connect, open_queue
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.kernel.jobs import QUEUES


@pytest.fixture
async def queues(redis: Redis, valkey: EmbeddedValkey) -> AsyncIterator[dict[str, JobQueue]]:
    client = connect(valkey.url())
    yield {spec.name: open_queue(spec.name, client) for spec in QUEUES}
    await client.aclose()
