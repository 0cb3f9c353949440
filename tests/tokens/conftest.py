"""One founded platform on one chain for the folder; each test issues a market of its own on it."""

from collections.abc import AsyncIterator

import pytest

from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire.client import SapphireClient
from tests.support.platform import Platform, moving, open_platform
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
