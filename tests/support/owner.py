"""The owner of the tables: for what the application itself may not do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from deedbook.infra.database import APPLICATION_ROLE, Database


@asynccontextmanager
async def as_owner(db: Database) -> AsyncIterator[Any]:
    """A connection with the rights of the one who migrated; the triggers stand in its way all the same."""
    async with db.pool.acquire() as connection:
        await connection.execute("RESET ROLE")
        try:
            yield connection
        finally:
            await connection.execute(f"SET ROLE {APPLICATION_ROLE}")
