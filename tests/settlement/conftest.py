"""Each test has a floor of its own."""

import pytest

from deedbook.infra.database import Database
from tests.settlement.support import Floor, open_floor


@pytest.fixture
async def floor(db: Database) -> Floor:
    return await open_floor(db)
