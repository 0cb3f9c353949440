"""A truth, and how it is proven: a query returns what breaks it, so no row is a proof and any row a finding."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from deedbook.infra.database import Database

MAX_FINDINGS = 5


@dataclass(frozen=True)
class Truth:
    """A truth and what breaks it; nothing does when `findings` is empty."""

    name: str
    findings: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.findings


@asynccontextmanager
async def one_moment(db: Database) -> AsyncIterator[Any]:
    """A connection that sees one moment of the database however long it looks, with room to add up a large ledger."""
    async with (
        db.reading() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute("SET LOCAL work_mem = '128MB'")
        yield connection


async def prove(connection: Any, queries: Mapping[str, str]) -> list[Truth]:
    """Each query's truth, with the first of what breaks it."""
    truths = []
    for name, query in queries.items():
        rows = await connection.fetch(f"SELECT * FROM ({query}) AS found LIMIT {MAX_FINDINGS}")
        truths.append(Truth(name, tuple(str(row[0]) for row in rows)))
    return truths
