"""A truth, and how it is proven: a query returns what breaks it, so no row is a proof and any row a finding."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_FINDINGS = 5


@dataclass(frozen=True)
class Truth:
    """A truth and what breaks it; nothing does when `findings` is empty."""

    name: str
    findings: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.findings


async def prove(connection: Any, queries: Mapping[str, str]) -> list[Truth]:
    """Each query's truth, with the first of what breaks it."""
    truths = []
    for name, query in queries.items():
        rows = await connection.fetch(f"SELECT * FROM ({query}) AS found LIMIT {MAX_FINDINGS}")
        truths.append(Truth(name, tuple(str(row[0]) for row in rows)))
    return truths
