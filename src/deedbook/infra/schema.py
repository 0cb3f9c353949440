"""The database's schema: brought up to date by Alembic, and checked before anything works on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deedbook.kernel.errors import Unavailable

if TYPE_CHECKING:
    from alembic.config import Config

REVISION = "0020"
"""The newest migration; a test compares it with Alembic's. Every process checks against it at start, and
loading Alembic for that would cost each of them most of a second."""


class SchemaOutOfDate(Unavailable):
    code, title = "schema_out_of_date", "The database's schema is not the one this version needs"


def migrations_directory() -> Path:
    """Beside the clone, or inside the installed package."""
    clone = Path(__file__).parents[3] / "migrations"
    return clone if (clone / "env.py").is_file() else Path(__file__).parents[1] / "_migrations"


def _config(dsn: str = "") -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_directory()))
    config.set_main_option("sqlalchemy.url", dsn.replace("%", "%%"))
    return config


def migrate(dsn: str) -> None:
    """Bring the schema up to date. Two at once do no harm: the second waits, then finds nothing to do."""
    from alembic import command

    command.upgrade(_config(dsn), "head")


def newest_migration() -> str | None:
    """The revision at the head of the migrations."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head()


async def require_current(connection: Any) -> None:
    """Check the schema.

    Raises:
        SchemaOutOfDate: says what it is, and what to run.
    """
    exists = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
    current = await connection.fetchval("SELECT version_num FROM alembic_version") if exists else None
    if current != REVISION:
        raise SchemaOutOfDate(
            f"the schema is at {current or 'nothing'}, and {REVISION} is needed: run `deedbook migrate`"
        )
