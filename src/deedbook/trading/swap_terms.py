"""May this swap come in, and as what? Pure: text as it was signed in, whole numbers out, or a refusal.

A swap gives up to `amountIn` of one token of a pair and wants at least `minAmountOut` of the other for it, after fees.
How many lots that makes is known only when the book is looked at; here stands what they can be at most and at least.
"""

from typing import Any, NamedTuple

from deedbook.kernel.amounts import MalformedAmount, to_units
from deedbook.kernel.errors import FieldError, Refusal
from deedbook.kernel.ids import TokenId
from deedbook.trading.admission import MAX_TICKS, require_open
from deedbook.trading.errors import OrderFilter
from deedbook.trading.spec import BPS, PairSpec
from deedbook.trading.terms import FeeMode, Side

SWAP_KIND = "SWAP"
"""What an order that carries a swap out is called among orders."""


class SwapText(NamedTuple):
    """A swap in the words that were signed."""

    trader: str
    pair: str
    side: Side
    amount_in: str
    min_amount_out: str
    max_fee_bps: int
    nonce: str
    expiry: int

    def values(self) -> dict[str, Any]:
        """As the fields of the signed struct, in their order."""
        return {
            "trader": self.trader,
            "tradingPairId": self.pair,
            "side": self.side.value,
            "amountIn": self.amount_in,
            "minAmountOut": self.min_amount_out,
            "maxFeeBps": self.max_fee_bps,
            "nonce": self.nonce,
            "expiry": self.expiry,
        }


class SwapTerms(NamedTuple):
    """A swap in whole numbers. `most_lots` bounds what it may trade, `least_lots` is what it has to; `worst_ticks` is
    the price at which it would get just what it wants."""

    amount_in: int
    least_out: int
    most_lots: int
    least_lots: int
    worst_ticks: int
    token_in: TokenId
    token_out: TokenId


def judge_swap(text: SwapText, spec: PairSpec) -> SwapTerms:
    """The swap in whole numbers.

    Raises:
        PairPaused · PairClosed · PairCongested: the pair takes no orders.
        OrderFilter: names the filter, and the field.
    """
    require_open(spec)
    buy = text.side is Side.BUY
    given, wanted = spec.quote_decimals, spec.base_decimals
    if not buy:
        given, wanted = wanted, given
    amount_in = _units(text.amount_in, given, "amountIn")
    least_out = _units(text.min_amount_out, wanted, "minAmountOut")
    if text.max_fee_bps < spec.fee_bps:
        raise refused("maxFeeBps", "fee_cap", f"this pair's fee is {spec.fee_bps} basis points")
    if spec.fee_bps >= BPS:
        raise refused("minAmountOut", "range", "this pair's fee leaves nothing")
    return (_buying if buy else _selling)(amount_in, least_out, spec)


def spendable(amount_in: int, fee_bps: int, fee_mode: FeeMode) -> int:
    """How much quote a buyer may spend on the base itself, so that the fee on it fits into `amount_in` as well."""
    return amount_in if fee_mode is FeeMode.RECEIVED else amount_in * BPS // (BPS + fee_bps)


def _before_fee(least_out: int, fee_bps: int) -> int:
    """The least amount of which so much is left after the fee."""
    return -(-least_out * BPS // (BPS - fee_bps))


def _buying(amount_in: int, least_out: int, spec: PairSpec) -> SwapTerms:
    if amount_in < spec.min_notional:
        raise refused("amountIn", "min_notional", f"at least {spec.quote_text(spec.min_notional)} in value")
    in_base = spec.fee_mode is FeeMode.RECEIVED
    least_base = _before_fee(least_out, spec.fee_bps) if in_base else least_out
    quote, least_lots = spendable(amount_in, spec.fee_bps, spec.fee_mode), -(-least_base // spec.lot_units)
    if least_lots > spec.max_quantity_lots:
        raise refused("minAmountOut", "max_quantity", f"at most {spec.size_text(spec.max_quantity_lots)}")
    most_lots = min(quote // spec.unit_quote, spec.max_quantity_lots)
    if most_lots < spec.min_quantity_lots:
        raise refused("amountIn", "min_quantity", f"buys less than {spec.size_text(spec.min_quantity_lots)}")
    worst = min(quote // (least_lots * spec.unit_quote), MAX_TICKS)
    if not worst:
        raise refused("minAmountOut", "range", "more than amountIn buys at the lowest price there is")
    return SwapTerms(
        amount_in, least_out, most_lots, least_lots, worst, spec.quote_token_id, spec.base_token_id
    )


def _selling(amount_in: int, least_out: int, spec: PairSpec) -> SwapTerms:
    lots = amount_in // spec.lot_units
    if lots < spec.min_quantity_lots:
        raise refused("amountIn", "min_quantity", f"at least {spec.size_text(spec.min_quantity_lots)}")
    if lots > spec.max_quantity_lots:
        raise refused("amountIn", "max_quantity", f"at most {spec.size_text(spec.max_quantity_lots)}")
    least_quote = _before_fee(least_out, spec.fee_bps)
    if least_quote < spec.min_notional:
        raise refused("minAmountOut", "min_notional", f"at least {spec.quote_text(spec.min_notional)}")
    worst = -(-least_quote // (lots * spec.unit_quote))
    if worst > MAX_TICKS:
        raise refused("minAmountOut", "range", "no price is so high")
    return SwapTerms(amount_in, least_out, lots, lots, worst, spec.base_token_id, spec.quote_token_id)


def _units(text: str, decimals: int, field: str) -> int:
    try:
        units = to_units(text, decimals)
    except MalformedAmount as problem:
        raise refused(field, "amount", str(problem)) from None
    if not units:
        raise refused(field, "range", "more than nothing")
    return units


def refused(field: str, name: str, detail: str) -> Refusal:
    """Why a swap does not pass: the field, and the name of the filter."""
    return OrderFilter(f"{field}: {detail}", errors=(FieldError(f"/{field}", name, detail),))
