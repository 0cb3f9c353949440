"""Ids: one spelling each, and in the order of their making."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbook.kernel.ids import new_uuid, parse_uuid

ONE = "0192f0a2-7c3e-7b1d-9a4e-3f2b1c0d9e8f"


def test_new_ids_are_ordered_and_unique_when_made_one_after_another() -> None:
    made = [new_uuid() for _ in range(2000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}


def test_parse_reads_the_canonical_form_when_given_either_case() -> None:
    assert parse_uuid(ONE) == UUID(ONE) == parse_uuid(ONE.upper())


@pytest.mark.parametrize(
    "text",
    [
        "", ONE[:-1], ONE + "0", ONE.replace("-", ""), "{" + ONE + "}", "urn:uuid:" + ONE, " " + ONE[1:],
        ONE[:-1] + "\n", ONE[:-1] + "g", ONE[:-1] + "١", ONE.replace("-", "_"), ONE[:-1] + "\x00",
        "../../../../../../../../../etc/passwd", "0192f0a27c3e-7b1d-9a4e-3f2b-1c0d9e8f",
    ],
    ids=repr,
)  # fmt: skip
def test_parse_gives_none_when_the_text_is_another_spelling(text: str) -> None:
    assert parse_uuid(text) is None


@given(st.uuids())
def test_parse_gives_the_same_id_when_reading_its_own_text(value: UUID) -> None:
    assert parse_uuid(str(value)) == value


@given(st.text(max_size=40))
def test_parse_never_raises_when_the_text_is_anything(text: str) -> None:
    parsed = parse_uuid(text)
    assert parsed is None or str(parsed) == text.lower()


def test_ids_never_meet_when_made_at_random() -> None:
    assert len({uuid4() for _ in range(100)} | {new_uuid() for _ in range(100)}) == 200
