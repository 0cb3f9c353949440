"""How answers are shown: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

WIDTH_IN_A_FILE = 140
Columns = Sequence[tuple[str, Callable[[Any], Any]]]


def as_wire(value: Any) -> Any:
    """An answer as JSON has it: amounts as text, names in camelCase."""
    from deedbook.client.reading import wire_name

    if is_dataclass(value) and not isinstance(value, type):
        return {wire_name(field.name): as_wire(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: as_wire(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_wire(item) for item in value]
    if isinstance(value, Decimal):
        return plain(value)
    return (
        value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else value
    )


def plain(amount: Decimal | None) -> str:
    """An amount for people: all its digits, and no more."""
    if amount is None:
        return "–"
    text = format(amount, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def show_one(value: Any, names: Sequence[str], *, as_json: bool) -> None:
    """One thing: some of its fields under each other, or all of it as JSON."""
    if as_json:
        say_json(as_wire(value))
        return
    from rich.table import Table

    table = Table(show_header=False, box=None)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name in names:
        told = getattr(value, name)
        table.add_row(f"[bold]{name.replace('_', ' ')}[/]", _text(told))
    _print(table)


def show_many(values: Iterable[Any], columns: Columns, *, as_json: bool, empty: str) -> None:
    """A list: a table, or JSON."""
    found = list(values)
    if as_json:
        say_json({"data": as_wire(found)})
        return
    if not found:
        sys.stdout.write(f"{empty}\n")
        return
    from rich.table import Table

    table = Table()
    for title, _ in columns:
        table.add_column(title, overflow="fold", no_wrap=title == columns[0][0])
    for value in found:
        table.add_row(*(_text(told(value)) for _, told in columns))
    _print(table)


def say_json(told: Any) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(told) + "\n")


@contextmanager
def waiting(for_what: str) -> Iterator[None]:
    """Something turns while a person waits; nothing does where nobody looks."""
    from rich.console import Console

    with Console(stderr=True).status(for_what):
        yield


def _text(told: Any) -> str:
    if isinstance(told, Decimal):
        return plain(told)
    if isinstance(told, datetime):
        return told.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(told, tuple | list):
        return ", ".join(map(_text, told)) or "–"
    return "–" if told in (None, "") else str(told)


def _print(table: Any) -> None:
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else WIDTH_IN_A_FILE).print(table)
