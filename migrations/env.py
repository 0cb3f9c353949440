"""Alembic's entry: hand-written SQL, run through psycopg, one migrator at a time.

`deedbook migrate` calls it with the connection string; `alembic upgrade head` works too when
`DATABASE_URL` is set.
"""

import os

from alembic import context
from sqlalchemy import create_engine, text

MIGRATION_LOCK = 0x0DEEDB00


def database_url() -> str:
    url = context.config.get_main_option("sqlalchemy.url") or os.environ.get("DATABASE_URL", "")
    if not url:
        raise SystemExit("set DATABASE_URL, or run `deedbook migrate`")
    return "postgresql+psycopg://" + url.split("://", 1)[1]


engine = create_engine(database_url())
with engine.connect() as connection:
    # Two migrators starting together: the second waits here and then finds nothing to do.
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": MIGRATION_LOCK})
    connection.commit()
engine.dispose()
