"""A floor behind a real server, and a matcher at work on it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from tests.api.live.support import matching
from tests.api.loopback import serving
from tests.support.floor import Floor, open_floor
from tests.support.servers import PostgresServer
from tests.support.world import open_world


@dataclass
class Stand:
    """Where a test listens."""

    floor: Floor
    address: str

    @property
    def market(self) -> str:
        return self.floor.spec.symbol


@pytest.fixture
async def stand(
    postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil
) -> AsyncIterator[Stand]:
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), SAPPHIRE_RPC_URL=anvil.url) as world:
        await world.resources.redis.flushall()
        floor = await open_floor(world)
        async with serving(world) as address, matching(floor):
            yield Stand(floor, address)
    await postgres.drop(dsn)
