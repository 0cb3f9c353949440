"""One database for the tests of a module: each test looks at markets of its own only."""

from collections.abc import AsyncIterator

import pytest

from deedbook.infra.database import Database
from tests.support.servers import PostgresServer
from tests.support.waiting import PATIENCE_S


@pytest.fixture(scope="module")
async def db(postgres: PostgresServer) -> AsyncIterator[Database]:
    made = await postgres.new_database()
    database = await Database.connect(made, acquire_timeout_s=PATIENCE_S)
    yield database
    await database.close()
    await postgres.drop(made)
