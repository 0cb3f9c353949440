"""Refusals: every code once, in one spelling, with a kind that has a status."""

import re

import pytest

import deedbook.api.app  # noqa: F401 - every refusal that the API can give is declared once this is imported
from deedbook.api.errors import STATUS, status_of
from deedbook.kernel.errors import FieldError, Invalid, Kind, Refusal


def _tree(root: type[Refusal]) -> list[type[Refusal]]:
    return [root, *(below for child in root.__subclasses__() for below in _tree(child))]


def _is_raised(refusal: type[Refusal]) -> bool:
    """Not one that only stands for those below it."""
    return "code" in vars(refusal) or not refusal.__subclasses__()


ALL = [
    refusal
    for refusal in _tree(Refusal)[1:]
    if refusal.__module__.startswith("deedbook.") and _is_raised(refusal)
]


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.__name__)
def test_a_refusal_says_what_it_is_when_it_is_declared(refusal: type[Refusal]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", refusal.code)
    assert isinstance(refusal.kind, Kind)
    assert refusal.title.strip()
    assert 400 <= status_of(refusal) <= 503


def test_codes_are_unique_when_all_rooms_are_loaded() -> None:
    codes = [refusal.code for refusal in ALL]
    assert sorted(codes) == sorted(set(codes))
    assert set(codes) <= Refusal.registry.keys()


def test_a_refusal_is_not_declared_when_its_code_is_taken() -> None:
    with pytest.raises(AssertionError, match="share the code"):
        type("Twin", (Refusal,), {"code": "not_found", "kind": Kind.ABSENT, "title": "Twin"})


def test_every_kind_has_a_status_when_the_table_is_read() -> None:
    assert set(STATUS) == set(Kind)


def test_a_refusal_speaks_by_its_title_when_it_has_no_detail() -> None:
    assert Invalid().detail == Invalid.title
    told = Invalid("look here", errors=(FieldError("/a", "bad", "no"),), retry_after_s=2, extra={"x": "y"})
    assert (str(told), told.errors[0].pointer, told.retry_after_s, told.extra) == (
        "look here",
        "/a",
        2,
        {"x": "y"},
    )
