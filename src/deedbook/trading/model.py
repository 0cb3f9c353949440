"""Rules of pairs. Pure."""

from deedbook.kernel.amounts import to_text, to_units
from deedbook.tokens.terms import Token
from deedbook.trading.errors import PairNotWhole
from deedbook.trading.terms import QUOTE_SYMBOL, PairTerms

DEFAULT_FEE_BPS = 25
_TICK_PLACES = 2
_LOT_PLACES = 4


def default_terms(base: Token, quote: Token) -> PairTerms:
    """Tick 0.01 and lot 0.0001, coarser where a token has fewer places; always whole in quote units.

    Raises:
        PairNotWhole: no default fits these tokens.
    """
    lot_places = min(_LOT_PLACES, base.decimals)
    tick_places = min(_TICK_PLACES, quote.decimals - lot_places)
    if tick_places < 0:
        lot_places, tick_places = max(lot_places + tick_places, 0), 0
    terms = PairTerms(
        symbol=f"{base.symbol}-{quote.symbol}",
        tick_size=to_text(1, tick_places),
        lot_size=to_text(1, lot_places),
        fee_bps=DEFAULT_FEE_BPS,
    )
    require_whole(terms, base, quote)
    return terms


def require_whole(terms: PairTerms, base: Token, quote: Token) -> None:
    """One lot at one tick must cost a whole number of the quote token's smallest unit.

    Raises:
        PairNotWhole: it does not.
    """
    tick = to_units(terms.tick_size, 18)
    lot = to_units(terms.lot_size, 18)
    if tick == 0 or lot == 0 or lot % 10 ** (18 - base.decimals):
        raise PairNotWhole("the lot is finer than the base token")
    if (tick * lot) % 10 ** (36 - quote.decimals):
        raise PairNotWhole(f"{terms.tick_size} × {terms.lot_size} is finer than one unit of {QUOTE_SYMBOL}")
