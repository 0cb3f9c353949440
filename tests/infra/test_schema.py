"""The schema: the revision that processes check for is the newest migration, and another one stops them."""

import asyncpg
import pytest

from deedbook.infra import schema
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
