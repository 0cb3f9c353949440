"""Tables as CSV (RFC 4180) for spreadsheets. What a stranger typed never becomes a formula there."""

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from deedbook.kernel.clock import to_wire

Cell = str | int | UUID | datetime | None

_FORMULA = tuple("=+-@＝＋－＠")
"""How a formula begins, also in the full-width forms that spreadsheets take (OWASP, CSV Injection)."""
_SKIPPED = tuple("\t\r\n")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_QUOTED = re.compile(r'[",\r\n]')


def csv_line(cells: Sequence[Cell]) -> str:
    """One line, ending in CR LF, for rows that arrive one by one."""
    return ",".join(_cell(cell) for cell in cells) + "\r\n"


def _cell(value: Cell) -> str:
    text = _inert(_text(value))
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def _text(value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return to_wire(value)
        case _:
            return str(value)


def _inert(text: str) -> str:
    """With an apostrophe before what a spreadsheet might run; plain numbers stay numbers."""
    if _NUMBER.fullmatch(text) or not (text.lstrip().startswith(_FORMULA) or text.startswith(_SKIPPED)):
        return text
    return "'" + text
