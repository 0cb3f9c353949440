"""Each test has a house of its own."""

import pytest

from deedbook.infra.database import Database
from tests.custody.support import House, open_house


@pytest.fixture
async def house(db: Database) -> House:
    return await open_house(db)
