"""The live events of settlement, for both parties of a trade, in the envelope that all live events have."""

from datetime import datetime

from deedbook import trading
from deedbook.infra.database import Tx
from deedbook.settlement.store.outcomes import Settlement
from deedbook.settlement.terms import SettlementStatus
from deedbook.trading import live_facts
from deedbook.trading.live_facts import Moment
from deedbook.trading.spec import PairSpec


async def tell(
    tx: Tx, spec: PairSpec, settled: Settlement, status: SettlementStatus, now: datetime, **more: str
) -> None:
    """Tell buyer and seller where their trade stands for good. `more` holds words of ours, which need no escaping."""
    kind = live_facts.SETTLED if status is SettlementStatus.SETTLED else live_facts.SETTLEMENT_FAILED
    moment = Moment.of(now)
    facts = [
        live_facts.envelope(
            kind,
            moment,
            live_facts.whose(user_id, order_id, spec.pair_id),
            _payload(spec, settled, side, status, more),
        )
        for user_id, order_id, side in (
            (settled.buyer_id, settled.buy_order_id, "BUY"),
            (settled.seller_id, settled.sell_order_id, "SELL"),
        )
    ]
    await trading.settled.tell(tx, spec.pair_id, facts)


def _payload(
    spec: PairSpec, settled: Settlement, side: str, status: SettlementStatus, more: dict[str, str]
) -> str:
    role = "taker" if side == settled.taker_side else "maker"
    told = {
        "tradeId": str(settled.trade_id),
        "side": side,
        "role": role,
        "price": spec.price_text(settled.price_ticks),
        "quantity": spec.size_text(settled.size_lots),
        "quoteAmount": spec.quote_text(settled.quote_amount),
        "settlementStatus": status.value,
        **more,
    }
    return ",".join(f'"{name}":"{value}"' for name, value in told.items())
