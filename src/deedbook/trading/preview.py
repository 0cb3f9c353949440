"""What would be said to an order, by the very routines that judge it. Nothing is written, and nothing is signed."""

from dataclasses import dataclass

from deedbook import ledger
from deedbook.compliance import Reason
from deedbook.identity import Caller
from deedbook.ledger import AccountId
from deedbook.trading.admission import Terms
from deedbook.trading.entry import Judged, OrderEntry
from deedbook.trading.spec import PairSpec, fee_of
from deedbook.trading.terms import FeeMode, Side


@dataclass(frozen=True)
class OrderPreview:
    """An order in whole numbers, and what stands against it."""

    spec: PairSpec
    terms: Terms
    buy: bool
    reason: Reason
    available: int

    @property
    def allowed(self) -> bool:
        return self.reason is Reason.NONE and self.available >= self.terms.hold_units

    @property
    def fee_at_most(self) -> int:
        """The fee if all of it is traded at the worst price, in the token that it is taken from. A seller's price may
        be better than the worst, and the fee then more, as is what they receive."""
        spec, terms = self.spec, self.terms
        if self.buy and spec.fee_mode is FeeMode.RECEIVED:
            return fee_of(terms.quantity_lots * spec.lot_units, spec.fee_bps)
        return fee_of(spec.notional(terms.price_ticks, terms.quantity_lots), spec.fee_bps)


async def preview(entry: OrderEntry, judged: Judged, caller: Caller) -> OrderPreview:
    """What the order would meet, after it has passed the pair's filters."""
    reason = await entry.reason(judged, caller)
    async with entry.db.transaction() as tx:
        available, _ = await ledger.balance(tx, AccountId(caller.user_id), judged.terms.hold_token_id)
    return OrderPreview(judged.spec, judged.terms, judged.text.side is Side.BUY, reason, available)
