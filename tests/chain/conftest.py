"""Each test has a chain in memory, a key of its own and an empty lane."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from deedbook.infra.database import Database
from tests.chain.support import FakeLane, new_signer
from tests.support.fake_chain import FakeChain
from tests.support.servers import PostgresServer

TABLES = (
    "chain_attempts",
    "chain_transactions",
    "chain_wallets",
    "chain_contracts",
    "chain_network",
    "chain_cursors",
    "chain_blocks",
    "blockchain_events",
)


@pytest.fixture(scope="package")
async def shared_dsn(postgres: PostgresServer) -> AsyncIterator[str]:
    """One database for the folder: emptying five tables takes less time than making a database."""
    made = await postgres.new_database()
    yield made
    await postgres.drop(made)


@pytest.fixture
async def dsn(shared_dsn: str) -> str:
    connection = await asyncpg.connect(shared_dsn)
    try:
        for table in TABLES:
            await connection.execute(f"DELETE FROM {table}")
    finally:
        await connection.close()
    return shared_dsn


@pytest.fixture
def node() -> FakeChain:
    return FakeChain()


@pytest.fixture
async def lane(db: Database, node: FakeChain) -> FakeLane:
    """A lane that has seen its chain once."""
    made = FakeLane(db, node, new_signer())
    await made.begin()
    return made
