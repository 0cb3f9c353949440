"""Default terms of a pair: whole in quote units for every pair of tokens, or refused (rulings 6)."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbook.kernel.amounts import to_units
from deedbook.kernel.ids import TokenId
from deedbook.tokens.terms import Token, TokenType
from deedbook.trading.errors import PairNotWhole
from deedbook.trading.model import default_terms, require_whole
from deedbook.trading.terms import PairTerms

places = st.integers(0, 18)


def token(symbol: str, decimals: int, **more: Any) -> Token:
    return Token(TokenId(uuid4()), symbol, symbol, TokenType.RWA, decimals, None, None, 31337, **more)


@pytest.mark.parametrize(
    ("base", "quote", "tick", "lot"),
    [
        (18, 6, "0.01", "0.0001"),
        (6, 6, "0.01", "0.0001"),
        (2, 6, "0.01", "0.01"),
        (0, 6, "0.01", "1"),
        (18, 5, "0.1", "0.0001"),
        (18, 4, "1", "0.0001"),
        (18, 2, "1", "0.01"),
        (18, 0, "1", "1"),
        (0, 0, "1", "1"),
    ],
)
def test_terms_are_the_finest_that_stay_whole_when_tokens_have_these_places(
    base: int, quote: int, tick: str, lot: str
) -> None:
    terms = default_terms(token("LUXAPT", base), token("USDC", quote))
    assert (terms.symbol, terms.tick_size, terms.lot_size, terms.fee_bps) == ("LUXAPT-USDC", tick, lot, 25)


@given(places, places, st.integers(1, 10**6), st.integers(1, 10**6))
def test_every_trade_costs_whole_units_when_terms_are_the_default(
    base: int, quote: int, ticks: int, lots: int
) -> None:
    terms = default_terms(token("A", base), token("Q", quote))
    price, size = ticks * to_units(terms.tick_size, 18), lots * to_units(terms.lot_size, 18)
    assert size % 10 ** (18 - base) == 0
    assert price * size % 10 ** (36 - quote) == 0


@pytest.mark.parametrize(
    ("tick", "lot", "base"),
    [
        ("0", "1", 18),
        ("1", "0", 18),
        ("0.0001", "0.001", 18),
        ("0.01", "0.0001", 2),
        ("0.000000000000000001", "1", 18),
    ],
)
def test_a_pair_is_refused_when_a_lot_at_a_tick_is_a_fraction(tick: str, lot: str, base: int) -> None:
    with pytest.raises(PairNotWhole):
        require_whole(PairTerms("A-USDC", tick, lot, 25), token("A", base), token("USDC", 6))
