"""The record as a file for regulators: CSV that no spreadsheet runs, or JSON."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, Literal

import orjson

from deedbook.kernel.clock import to_wire
from deedbook.kernel.tabular import csv_line

Form = Literal["csv", "json"]
_TEXTS = {
    "eventId": "event_id",
    "action": "action",
    "actorType": "actor_type",
    "actorId": "actor_id",
    "entityType": "entity_type",
    "entityId": "entity_id",
}
_DOCUMENTS = ("before", "after", "details")
COLUMNS = ("createdAt", *_TEXTS, *_DOCUMENTS, "correlationId")


def exported(rows: AsyncIterable[dict[str, Any]], form: Form) -> AsyncIterator[str]:
    """The text of the file, piece by piece."""
    return _csv(rows) if form == "csv" else _json(rows)


async def _csv(rows: AsyncIterable[dict[str, Any]]) -> AsyncIterator[str]:
    yield csv_line(COLUMNS)
    async for row in rows:
        documents = [None if row[name] is None else orjson.dumps(row[name]).decode() for name in _DOCUMENTS]
        texts = [row[column] for column in _TEXTS.values()]
        yield csv_line([row["created_at"], *texts, *documents, row["correlation_id"]])


async def _json(rows: AsyncIterable[dict[str, Any]]) -> AsyncIterator[str]:
    yield '{"data":['
    separator = ""
    async for row in rows:
        told: dict[str, Any] = {"createdAt": to_wire(row["created_at"])}
        told |= {name: _as_text(row[column]) for name, column in _TEXTS.items()}
        told |= {name: row[name] for name in _DOCUMENTS}
        yield separator + orjson.dumps({**told, "correlationId": row["correlation_id"]}).decode()
        separator = ","
    yield "]}"


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)
