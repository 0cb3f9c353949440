"""CSV: read back as written, and never a formula."""

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbook.kernel.tabular import Cell, csv_line

FORMULAS = [
    "=HYPERLINK(\"http://evil.test\",\"click\")", "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1", "\n=1", " =1+1",
    "－1+1", "＝1+1", "-", "+", "=", "-1e5", "+1,000", "--1", "-.5", "\u00a0=1", "-1\n=1",
]  # fmt: skip
PLAIN = ["-0.5", "-12", "+7", "0", "1.50", "10" * 30, "a=b", "x@y.test", "1-2", "", "Grüße", "'quoted"]


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("text", FORMULAS, ids=repr)
def test_cell_is_text_when_it_would_be_a_formula(text: str) -> None:
    assert read(csv_line(["before", text, "after"])) == [["before", "'" + text, "after"]]


@pytest.mark.parametrize("text", PLAIN, ids=repr)
def test_cell_stays_as_it_is_when_it_is_harmless(text: str) -> None:
    assert read(csv_line(["before", text])) == [["before", text]]


def test_header_comes_first_when_there_are_rows() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    header: list[Cell] = ["one", "=two", "three"]
    rows: list[list[Cell]] = [
        header,
        ["a,b", 'say "x"', None],
        [-5, UUID(int=1), moment],
        [True, False, 2**200],
    ]
    assert [csv_line(row) for row in rows] == [
        "one,'=two,three\r\n",
        '"a,b","say ""x""",\r\n',
        "-5,00000000-0000-0000-0000-000000000001,2026-01-02T03:04:05.000006Z\r\n",
        f"true,false,{2**200}\r\n",
    ]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), min_size=2))
def test_cells_are_read_back_when_they_hold_anything(cells: list[str]) -> None:
    (back,) = read(csv_line(cells))
    assert [text.removeprefix("'") for text in back] == [text.removeprefix("'") for text in cells]
    assert not any(text.lstrip().startswith(("=", "@", "＝", "＋", "－", "＠")) for text in back)
