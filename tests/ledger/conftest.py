"""Books to write in."""

import pytest

from deedbook.infra.database import Database
from tests.ledger.support import Books, open_books


@pytest.fixture
async def books(db: Database) -> Books:
    return await open_books(db)
