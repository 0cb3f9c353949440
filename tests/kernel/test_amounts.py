"""Amounts: the grammar, exactly, and text to units and back without losing one of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbook.kernel.amounts import MAX_UNITS, MalformedAmount, is_amount, to_text, to_units

NO_AMOUNTS = [
    "NaN", "sNaN", "Infinity", "-0", "-1", "+1", "1e400", "1E+2", "1e-400", "0x10", "1_000", "", " 1", "1 ",
    "1\n", "\n1", "1\x00", "1..5", "1.", ".5", "00001", "01.5", "١٢", "１２", "1,5", "1.0000000000000000001",
    str(10**20), "9" * 400, str(2**256), str(2**256 + 1), "1.5.5", "1\u00a0", "½", "0b1", "1e5", "--1", "∞",
]  # fmt: skip

decimals = st.integers(0, 18)


@pytest.mark.parametrize("text", NO_AMOUNTS, ids=repr)
def test_to_units_refuses_when_the_text_is_no_amount(text: str) -> None:
    assert not is_amount(text)
    with pytest.raises(MalformedAmount):
        to_units(text, 18)


@pytest.mark.parametrize(
    ("text", "places", "units"),
    [
        ("0", 0, 0),
        ("0.0", 6, 0),
        ("1", 6, 1_000_000),
        ("12.5", 6, 12_500_000),
        ("12.500000000000000000", 1, 125),
        ("0.000000000000000001", 18, 1),
        ("99999999999999999999", 0, 10**20 - 1),
        ("99999999999999999999.999999999999999999", 18, 10**38 - 1),
    ],
)
def test_to_units_is_exact_when_the_text_is_an_amount(text: str, places: int, units: int) -> None:
    assert to_units(text, places) == units


@pytest.mark.parametrize(("text", "places"), [("0.1", 0), ("1.0000001", 6), ("0.000000000000000001", 17)])
def test_to_units_refuses_when_the_amount_is_finer_than_the_token(text: str, places: int) -> None:
    with pytest.raises(MalformedAmount, match="decimal places"):
        to_units(text, places)


def test_to_units_refuses_when_the_amount_is_beyond_the_bound() -> None:
    assert to_units("10000000000000000000", 19) == 10**38 == MAX_UNITS
    with pytest.raises(MalformedAmount, match="too large"):
        to_units("10000000000000000000.1", 19)


@given(st.integers(0, 10**38 - 1), decimals)
def test_text_gives_the_same_units_again_when_parsed(units: int, places: int) -> None:
    text = to_text(units, places)
    if is_amount(text):  # with few decimals a large number has more digits than the grammar takes
        assert to_units(text, places) == units
    else:
        assert units >= 10 ** (20 + places)


@given(st.from_regex(r"(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?", fullmatch=True))
def test_text_is_the_shortest_form_when_an_amount_is_parsed_and_written(text: str) -> None:
    written = to_text(to_units(text, 18), 18)
    assert written == (text.rstrip("0").rstrip(".") if "." in text else text)
    assert to_text(to_units(written, 18), 18) == written


@given(st.text(max_size=45))
def test_parsing_ends_in_an_amount_or_a_refusal_when_the_text_is_anything(text: str) -> None:
    try:
        units = to_units(text, 18)
    except MalformedAmount:
        return
    assert is_amount(text)
    assert 0 <= units <= MAX_UNITS


@pytest.mark.parametrize(
    ("units", "places", "text"), [(-5, 1, "-0.5"), (-100, 2, "-1"), (7, 0, "7"), (7, 2, "0.07")]
)
def test_to_text_writes_plain_decimals_when_given_units(units: int, places: int, text: str) -> None:
    assert to_text(units, places) == text
