"""The API's world: every answer that is no success is checked for its shape, in every test."""

from collections.abc import AsyncIterator

import pytest

from deedbook.identity import Role
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from tests.api.office import Office
from tests.api.support import every_refusal_is_a_problem
from tests.compliance.support import open_desk
from tests.support.floor import Floor, open_floor
from tests.support.servers import PostgresServer
from tests.support.world import World, open_world


@pytest.fixture
async def world(world: World) -> World:
    world.http.event_hooks["response"].append(every_refusal_is_a_problem)
    return world


@pytest.fixture(scope="module")
async def shared(postgres: PostgresServer, valkey: EmbeddedValkey) -> AsyncIterator[World]:
    """One world for a module, where tests look only at what they made themselves."""
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url()) as opened:
        opened.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield opened
    await postgres.drop(dsn)


@pytest.fixture(scope="module")
async def shared_floor(
    postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil
) -> AsyncIterator[Floor]:
    """A floor whose API can ask a chain, of which only the accounts matter."""
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), SAPPHIRE_RPC_URL=anvil.url) as world:
        world.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield await open_floor(world)
    await postgres.drop(dsn)


@pytest.fixture
async def floor(shared_floor: Floor) -> AsyncIterator[Floor]:
    """The module's floor, with nothing in its book."""
    yield shared_floor
    await shared_floor.clear()


@pytest.fixture
async def office(shared: World) -> Office:
    return Office(shared, await open_desk(shared.db), await shared.user(Role.COMPLIANCE))
