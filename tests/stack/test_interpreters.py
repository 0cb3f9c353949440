"""`.venv` is made of the fastest Python that fits, and of no other."""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def interpreters(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("interpreters")


def python(folder: Path, name: str, seconds: float | None) -> str:
    """A program that says it measured so much, or refuses."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    says = "exit 1" if seconds is None else f"echo {program} {seconds}"
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("others", "chosen"),
    [
        ({"python3.12": 0.5}, "python3.12"),
        ({"python3.11": 0.7, "python3.12": 0.5, "python3.13": 0.6}, "python3.12"),
        ({"python3.12": 0.99}, "here"),
        ({"python3.12": None}, "here"),
        ({"python3.10": 0.1, "pypy3": 0.1}, "here"),
        ({}, "here"),
    ],
    ids=["faster", "the fastest", "hardly faster", "unfit", "another name", "alone"],
)
def test_the_fastest_is_taken_if_clearly_faster(
    interpreters: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    others: dict[str, float | None],
    chosen: str,
) -> None:
    here = python(tmp_path / "here", "here", 1.0)
    for name, seconds in others.items():
        python(tmp_path / "path", name, seconds)
    monkeypatch.setattr(sys, "executable", here)
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}/bin/of/nobody")
    assert Path(interpreters.fastest()).name == chosen


def test_a_real_python_measures_itself_and_tells_whose_it_is(
    interpreters: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert interpreters.fastest() == os.path.realpath(sys._base_executable)  # type: ignore[attr-defined]


def test_what_an_environment_was_made_of_is_read_from_it(interpreters: ModuleType, tmp_path: Path) -> None:
    assert interpreters.made_of(tmp_path) == ""
    (tmp_path / "pyvenv.cfg").write_text("home = /opt/python/bin\nimplementation = CPython\n")
    assert interpreters.made_of(tmp_path) == "/opt/python/bin"
