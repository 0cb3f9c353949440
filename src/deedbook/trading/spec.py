"""What a pair trades by, in whole numbers: ticks and lots inside, base units in the ledger, text at the border.

One lot at one tick is a whole number of the quote token's units by construction of the pair, so that nothing
is ever rounded but fees, and those in one stated way.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

from deedbook.kernel.amounts import to_text, to_units
from deedbook.kernel.ids import PairId, TokenId
from deedbook.ledger import AccountId
from deedbook.trading.terms import FeeMode, PairStatus

PLACES = 18
BPS = 10_000


@dataclass(frozen=True)
class PairSpec:
    """A pair as admission, matching and execution need it.

    `tick` and `lot` are the text values times 10^18; `lot_units` is one lot in base units of the base token,
    `unit_quote` one lot at one tick in base units of the quote token. `congested`: too many trades wait for the chain.
    """

    pair_id: PairId
    symbol: str
    status: PairStatus
    base_token_id: TokenId
    quote_token_id: TokenId
    base_decimals: int
    quote_decimals: int
    base_is_rwa: bool
    tick: int
    lot: int
    lot_units: int
    unit_quote: int
    fee_bps: int
    fee_mode: FeeMode
    fee_account_id: AccountId
    min_quantity_lots: int
    max_quantity_lots: int
    min_notional: int
    max_open_orders: int
    protection_bps: int
    max_backlog: int
    congested: bool = False

    @cached_property
    def pair_text(self) -> str:
        """The id as it is written."""
        return str(self.pair_id)

    def price_text(self, ticks: int) -> str:
        return _text(ticks * self.tick)

    def size_text(self, lots: int) -> str:
        return _text(lots * self.lot)

    def notional(self, ticks: int, lots: int) -> int:
        """In base units of the quote token, exactly."""
        return ticks * lots * self.unit_quote

    def quote_text(self, units: int) -> str:
        return to_text(units, self.quote_decimals)

    def base_text(self, units: int) -> str:
        return to_text(units, self.base_decimals)

    def fee_text(self, units: int, *, buy: bool) -> str:
        return self.base_text(units) if buy and self.fee_mode is FeeMode.RECEIVED else self.quote_text(units)

    def fee_token_id(self, *, buy: bool) -> TokenId:
        return self.base_token_id if buy and self.fee_mode is FeeMode.RECEIVED else self.quote_token_id


@lru_cache(maxsize=1 << 16)
def _text(scaled: int) -> str:
    return to_text(scaled, PLACES)


def fee_of(cumulative: int, fee_bps: int) -> int:
    """The fee on all that an order has traded so far, rounded up once: splitting a trade never changes it."""
    return -(-cumulative * fee_bps // BPS)


def hold_for(spec: PairSpec, *, buy: bool, price_ticks: int, lots: int, fee_bps: int) -> int:
    """What an order sets aside: the base it sells, or the quote it may cost at worst (with quote fees: and its fee)."""
    if not buy:
        return lots * spec.lot_units
    cost = spec.notional(price_ticks, lots)
    return cost + fee_of(cost, fee_bps) if spec.fee_mode is FeeMode.QUOTE else cost


def whole(text: str, step: int) -> int | None:
    """How many steps a text is, or `None` where it lies between two. `step` is the step times 10^18."""
    count, rest = divmod(to_units(text, PLACES), step)
    return None if rest else count
