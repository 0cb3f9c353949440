"""Amounts are read on the chain exactly as they are read off it."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from deedbook.kernel.amounts import MalformedAmount, to_units

from .evm import CallRefused, Contract, Evm, Refusal

CASES = 600
MALFORMED = [
    "",
    ".",
    "0.",
    ".5",
    "00",
    "01",
    "00.1",
    "-1",
    "+1",
    "1e6",
    "0x10",
    " 1",
    "1 ",
    "1\n",
    "1,5",
    "1_000",
    "1.2.3",
    "1..2",
    "1.0.",
    "1./",
    "1.:",
    "/1",
    ":1",
    # An Arabic digit one, which Python's own int() would take.
    "\u0661",
    "1" * 21,
    "0." + "0" * 19,
    "0." + "1" * 19,
    "9" * 100,
    "1\0",
]
READABLE = [
    "0",
    "0.0",
    "1",
    "10",
    "1.50",
    "0.000001",
    "0.0000010",
    "99999999999999999999",
    "1.000000000000000000",
]
BOUNDARIES = [("99999999999999999999.999999999999999999", 18), ("1", 38), ("1", 39), ("0", 255), ("1.1", 38)]


@pytest.fixture(scope="module")
def reader(evm: Evm) -> Contract:
    return evm.deploy(evm.wallet(), "DecimalsReader")


def _on_chain(reader: Contract, text: str, decimals: int) -> int | None:
    try:
        return int(reader.read("toUnits", text, decimals))
    except CallRefused as refused:
        if refused.refusal != Refusal("MalformedAmount"):
            raise
        return None


def _off_chain(text: str, decimals: int) -> int | None:
    try:
        return to_units(text, decimals)
    except MalformedAmount:
        return None


def _texts(seed: int) -> Iterator[tuple[str, int]]:
    """Mostly amounts, some of them bent in one place."""
    chance = random.Random(seed)
    for _ in range(CASES):
        whole = str(chance.randrange(10 ** chance.randrange(1, 23)))
        fraction = "".join(chance.choice("0123456789000") for _ in range(chance.randrange(0, 20)))
        text = whole + (f".{fraction}" if fraction or chance.random() < 0.1 else "")
        if chance.random() < 0.25:
            at = chance.randrange(len(text) + 1)
            text = text[:at] + chance.choice("0.,-+e /:x\x00") + text[at + chance.randrange(2) :]
        yield text, chance.choice([0, 2, 6, 8, 18, 18, 30, 77])


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_no_amount_is_refused(reader: Contract, text: str) -> None:
    assert _off_chain(text, 18) is None
    assert _on_chain(reader, text, 18) is None


@pytest.mark.parametrize("text", READABLE)
def test_an_amount_is_read_to_the_last_unit(reader: Contract, text: str) -> None:
    assert _off_chain(text, 6) is not None
    assert _on_chain(reader, text, 6) == _off_chain(text, 6)


@pytest.mark.parametrize(("text", "decimals"), BOUNDARIES)
def test_the_bounds_are_the_same(reader: Contract, text: str, decimals: int) -> None:
    assert _on_chain(reader, text, decimals) == _off_chain(text, decimals)


def test_an_amount_finer_than_the_token_is_refused_but_zeros_are_not_finer(reader: Contract) -> None:
    assert _on_chain(reader, "1.0000001", 6) is None
    assert _on_chain(reader, "1.000000000", 6) == 1_000_000
    assert _on_chain(reader, "5.0", 0) == 5
    assert _on_chain(reader, "5.1", 0) is None


def test_random_texts_are_read_alike_on_and_off_the_chain(reader: Contract) -> None:
    verdicts = [0, 0]
    for text, decimals in _texts(seed=20):
        expected = _off_chain(text, decimals)
        assert _on_chain(reader, text, decimals) == expected, (text, decimals)
        verdicts[expected is None] += 1
    assert min(verdicts) >= CASES // 10, "both verdicts must be tried"
