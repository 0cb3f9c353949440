"""One founded platform on one chain for the folder; each test issues a market of its own on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire.client import SapphireClient
from tests.support.platform import Platform, open_platform
from tests.support.servers import PostgresServer
from tests.support.waiting import PATIENCE_S


@pytest.fixture(scope="package")
async def founded(postgres: PostgresServer, anvil: EmbeddedAnvil) -> AsyncIterator[Platform]:
    """A platform whose lane is moved all the time."""
    dsn = await postgres.new_database()
    db = await Database.connect(dsn, acquire_timeout_s=PATIENCE_S)
    node = SapphireClient(anvil.url)
    platform = await open_platform(db, node, anvil)
    await platform.found()
    async with moving(platform):
        yield platform
    await node.close()
    await db.close()
    await postgres.drop(dsn)


@pytest.fixture
async def node(anvil: EmbeddedAnvil) -> AsyncIterator[SapphireClient]:
    client = SapphireClient(anvil.url)
    yield client
    await client.close()


@asynccontextmanager
async def moving(platform: Platform) -> AsyncIterator[None]:
    """A worker that moves the lane."""

    async def move() -> None:
        while True:
            await platform.step()
            await asyncio.sleep(0.02)

    task = asyncio.create_task(move())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
