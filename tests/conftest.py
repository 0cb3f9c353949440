"""Fixtures that many rooms share: real servers once, a database of its own for each test."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings
from redis.asyncio import Redis

import deedbook.integrations.sapphire.accounts  # noqa: F401 - first, so that its guard holds for all tests
from deedbook.infra.bullmq_client import connect
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from tests.support import servers
from tests.support.servers import PostgresServer
from tests.support.waiting import PATIENCE_S
from tests.support.workers import longest_first
from tests.support.world import World, open_world

# How long an example takes says nothing here: a busy machine may lay any of them aside for longer than is usual.
settings.register_profile("deedbook", deadline=None)
settings.load_profile("deedbook")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    from tests.support.sharing import ByFile  # only `pytest -n` needs it

    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=longest_first)


@pytest.fixture(scope="session")
async def postgres() -> AsyncIterator[PostgresServer]:
    with servers.open_directory() as directory:
        async with servers.postgres(directory) as server:
            prepared = PostgresServer(server)
            await prepared.prepare()
            yield prepared


@pytest.fixture(scope="session")
async def valkey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedValkey]:
    async with servers.valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
async def anvil(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedAnvil]:
    async with servers.passing_anvil(tmp_path_factory.mktemp("anvil")) as server:
        yield server


@pytest.fixture
async def dsn(postgres: PostgresServer) -> AsyncIterator[str]:
    """The connection string of a database that no other test sees."""
    made = await postgres.new_database()
    yield made
    await postgres.drop(made)


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[Database]:
    database = await Database.connect(dsn, acquire_timeout_s=PATIENCE_S)
    yield database
    await database.close()


@pytest.fixture
async def redis(valkey: EmbeddedValkey) -> AsyncIterator[Redis]:
    """An empty Valkey."""
    client = connect(valkey.url(), timeout_s=PATIENCE_S)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def world(dsn: str, redis: Redis, valkey: EmbeddedValkey) -> AsyncIterator[World]:
    """The API over real PostgreSQL and Valkey, with a fake permission service."""
    async with open_world(dsn, valkey.url()) as opened:
        yield opened
