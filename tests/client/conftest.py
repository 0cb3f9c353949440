"""A floor on which programs trade: the API in this process, over real PostgreSQL, Valkey and a node."""

from collections.abc import AsyncIterator

import pytest

from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from tests.support.floor import Floor, open_floor
from tests.support.servers import PostgresServer
from tests.support.world import open_world


@pytest.fixture(scope="module")
async def shared_floor(
    postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil
) -> AsyncIterator[Floor]:
    """One pair for a module."""
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), SAPPHIRE_RPC_URL=anvil.url) as world:
        yield await open_floor(world)
    await postgres.drop(dsn)


@pytest.fixture
async def floor(shared_floor: Floor) -> AsyncIterator[Floor]:
    """The module's pair, with nothing in its book."""
    yield shared_floor
    await shared_floor.clear()
