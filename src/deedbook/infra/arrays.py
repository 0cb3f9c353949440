"""Arrays as PostgreSQL writes them: `{1,2,NULL}`. The driver looks at every element of an array in Python; for the
few statements that carry thousands of values a second, one text per array costs a tenth of that."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID


def plain(values: Iterable[Any]) -> str:
    """An array of numbers, ids, booleans or moments: nothing in their text needs quoting."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def ids(values: Iterable[UUID]) -> str:
    """An array of ids, in the form that Python writes fastest."""
    return "{" + ",".join([value.hex for value in values]) + "}"


def quoted(values: Iterable[str | None]) -> str:
    """An array of any text."""
    return "{" + ",".join(["NULL" if text is None else _quote(text) for text in values]) + "}"


def hexed(values: Iterable[bytes | None]) -> str:
    """An array of bytes."""
    return "{" + ",".join(["NULL" if raw is None else f'"\\\\x{raw.hex()}"' for raw in values]) + "}"


def _quote(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'
