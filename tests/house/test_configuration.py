"""The page of variables and the settings say the same."""

import os
import re

import pytest

from deedbook.infra.settings import Settings, SettingsError, load_settings
from deedbook.stack.ports import Ports
from tests.support.servers import ROOT

SETTINGS = {**Settings.model_fields, **Ports.model_fields}
READ_ELSEWHERE = {"DEEDBOOK_HOME", "DEEDBOOK_ANVIL"} | {
    f"DEEDBOOK_{name}" for name in ("URL", "PROFILE", "PROFILES", "KEY", "API_KEY")
}
"""Where data lies, and which program is started: they are needed before there are settings. And who a person is at the
command line, where there are none."""
KNOWN = set(SETTINGS) | READ_ELSEWHERE
_NAME = re.compile(r"`([A-Z_]{2,})`")


def rows() -> list[list[str]]:
    """The table's cells, line by line."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    return [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]


def names_in(cell: str) -> list[str]:
    """The variables of a row. One that begins with an underscore shares the beginning of the row's first."""
    first, *others = _NAME.findall(cell)
    found = [first]
    for name in others:
        beginnings = [first[: place.start()] for place in re.finditer("_", first)]
        full = [begin + name for begin in beginnings if begin + name in KNOWN]
        found.append(full[0] if name.startswith("_") and full else name)
    return found


def test_every_variable_is_on_the_page_once_and_nothing_else_is() -> None:
    told = [name for row in rows() for name in names_in(row[0])]
    assert sorted(told) == sorted(KNOWN)


def test_what_must_be_set_in_production_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in set(os.environ) & KNOWN:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DEEDBOOK_ENV", "production")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    wanted = set(
        re.findall(r"([A-Z_]+) (?:must be set in production|is the local chain's)", str(refused.value))
    )
    marked = {name for row in rows() for name in re.findall(r"`([A-Z_]+)` ●", row[0])}
    assert marked == wanted


def test_defaults_are_those_of_the_settings() -> None:
    """Where the page gives a plain figure or word."""
    for row in rows():
        told = [value.strip(" `").replace(",", "") for value in row[1].split(", ")]
        names = names_in(row[0])
        if len(told) != len(names):
            continue
        for name, value in zip(names, told, strict=True):
            default = SETTINGS[name].default if name in SETTINGS else None
            if re.fullmatch(r"[0-9.]+|true|false", value):
                assert str(default).lower().removesuffix(".0") == value, f"{name} is {default}, not {value}"


def test_no_process_reads_a_variable_that_is_not_on_the_page() -> None:
    """Only names of ours; what the system gives, such as PATH, is not configuration of ours."""
    read = set()
    for file in (ROOT / "src" / "deedbook").rglob("*.py"):
        read |= set(re.findall(r"""environ(?:\.get\(|\[)["']([A-Z_]+)["']""", file.read_text()))
    assert read - KNOWN <= {"PATH"}
