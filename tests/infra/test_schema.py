"""The schema: the revision that processes check for is the newest migration, and another one stops them."""

import asyncpg
import pytest

from deedbook.infra import schema
from deedbook.infra.database import Database
from deedbook.infra.schema import SchemaOutOfDate
from tests.support.servers import PostgresServer


def test_revision_is_the_newest_migration() -> None:
    assert schema.newest_migration() == schema.REVISION


async def test_migrating_twice_changes_nothing(dsn: str) -> None:
    schema.migrate(dsn)
    connection = await asyncpg.connect(dsn)
    await schema.require_current(connection)
    await connection.close()


async def test_start_is_refused_when_the_schema_is_another(dsn: str, postgres: PostgresServer) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(SchemaOutOfDate, match="deedbook migrate"):
        await schema.require_current(connection)
    await connection.execute("DROP TABLE alembic_version")
    with pytest.raises(SchemaOutOfDate, match="nothing"):
        await schema.require_current(connection)
    await connection.close()


async def test_the_published_indexes_of_orders_and_trades_have_their_names(db: Database) -> None:
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT indexname, tablename FROM pg_indexes WHERE schemaname = 'public'"
        )
    found = {(row["tablename"], row["indexname"]) for row in rows}
    assert found >= {
        ("orders", "idx_orders_pair_status"),
        ("orders", "idx_orders_status"),
        ("trades", "idx_trades_pair"),
    }
