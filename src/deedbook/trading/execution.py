"""From outcomes to what one commit writes: trades, order changes, money, facts. Pure.

Money is exact: a trade moves `price × size` of quote and `size` of base; the fee is taken on the running total
of each order and rounded up once (the fee account gets it), and what a buyer set aside beyond the maker's price
is free again at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import uuid_utils

from deedbook.trading import live_facts
from deedbook.trading.engine import (
    Closed,
    Ended,
    Opened,
    Outcome,
    Prevented,
    Reduced,
    Stopped,
    Trade,
    Triggered,
)
from deedbook.trading.live import LiveOrder, introduce
from deedbook.trading.live_facts import Moment
from deedbook.trading.spec import PairSpec, fee_of
from deedbook.trading.terms import FeeMode

PRIORITIES_EACH = 1 << 24
"""How many orders one command may bring to rest: the stops that it triggers, and itself."""
REASONS: dict[Ended, tuple[str, str]] = {
    Ended.CANCELLED: ("CANCELLED", "cancelled"),
    Ended.NOT_FILLED: ("CANCELLED", "immediate_or_cancel"),
    Ended.NOT_FILLABLE: ("CANCELLED", "fill_or_kill"),
    Ended.WOULD_TAKE: ("CANCELLED", "post_only"),
    Ended.SELF_TRADE: ("CANCELLED", "self_trade"),
    Ended.EXPIRED: ("CANCELLED", "expired"),
    Ended.PAUSED: ("REJECTED", "market_paused"),
    Ended.FROZEN: ("CANCELLED", "not_eligible"),
    Ended.CLOSED: ("CANCELLED", "market_closed"),
    Ended.CROWDED: ("REJECTED", "too_many_open_orders"),
    Ended.TOO_LITTLE: ("CANCELLED", "min_amount_out"),
}
"""What the published status and reason of an order are when it ends otherwise than filled."""


@dataclass(slots=True)
class TradeRow:
    """A trade as it is written."""

    trade_id: str
    number: int
    match_seq: int
    taker_side: str
    buy_order_id: str
    sell_order_id: str
    buyer_id: str
    seller_id: str
    price: int
    size: int
    base: int
    quote: int
    buyer_fee: int
    seller_fee: int


@dataclass
class Batch:
    """What has happened since the last commit, ready to be written by the next."""

    spec: PairSpec
    number: int
    moment: Moment
    trade_number: int
    fact_seq: int
    touched: list[LiveOrder] = field(default_factory=list)
    trades: list[TradeRow] = field(default_factory=list)
    lines: list[tuple[str, str, str, int]] = field(default_factory=list)
    balances: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    facts: list[str] = field(default_factory=list)
    parties: set[str] = field(default_factory=set)
    over: list[LiveOrder] = field(default_factory=list)
    """Those that have ended since whoever drives the book last took this away."""

    def __post_init__(self) -> None:
        self._base = str(self.spec.base_token_id)
        self._quote = str(self.spec.quote_token_id)
        self._house = str(self.spec.fee_account_id)
        self._in_base = self.spec.fee_mode is FeeMode.RECEIVED

    def absorb(self, outcomes: Iterable[Outcome], match_seq: int) -> None:
        """Take in what one command has led to."""
        resting: list[LiveOrder] = []
        for outcome in outcomes:
            order = outcome.order
            assert isinstance(order, LiveOrder)
            if order.touched != self.number:
                order.touched = self.number
                self.touched.append(order)
            if type(outcome) is Trade:
                self._trade(outcome, order, match_seq)
            elif type(outcome) is Closed:
                self.over.append(order)
                if outcome.why is not Ended.FILLED:
                    self._end(order, outcome.why, match_seq)
            elif type(outcome) is Opened:
                order.status = "OPEN"
                order.match_seq = match_seq
                resting.append(order)
                self._tell(live_facts.OPEN, order)
            elif type(outcome) is Triggered:
                resting.append(order)
            elif type(outcome) is Reduced:
                order.left = outcome.remaining
                self._free(order)
                self._tell(live_facts.REDUCED, order)
            elif type(outcome) is Prevented:
                self._prevented(outcome, order)
            else:
                assert type(outcome) is Stopped, f"unknown outcome {outcome!r}"
        for place, order in enumerate(resting):
            if order.level is not None:
                assert place < PRIORITIES_EACH
                order.priority = match_seq * PRIORITIES_EACH + place

    def _trade(self, outcome: Trade, taker: LiveOrder, match_seq: int) -> None:
        maker = outcome.maker
        assert isinstance(maker, LiveOrder)
        if maker.touched != self.number:
            maker.touched = self.number
            self.touched.append(maker)
        spec, size = self.spec, outcome.size
        quote, base = spec.notional(outcome.price, size), size * spec.lot_units
        taker.left, maker.left = outcome.remaining, outcome.maker_remaining
        buyer, seller = (taker, maker) if taker.buy else (maker, taker)
        for order in (buyer, seller):
            order.filled += size
            order.filled_quote += quote
        buyer_fee, seller_fee = self._charge(buyer, quote), self._charge(seller, quote)
        trade_id = str(uuid_utils.uuid7())
        self.trade_number += 1
        self.trades.append(
            TradeRow(
                trade_id,
                self.trade_number,
                match_seq,
                "BUY" if taker.buy else "SELL",
                buyer.order_id,
                seller.order_id,
                buyer.user_id,
                seller.user_id,
                outcome.price,
                size,
                base,
                quote,
                buyer_fee,
                seller_fee,
            )
        )
        self._pay(trade_id, buyer, seller, base, quote, buyer_fee, seller_fee)
        self.parties.add(buyer.user_id)
        self.parties.add(seller.user_id)
        self._tell_trade(trade_id, outcome, taker, "taker", quote)
        self._tell_trade(trade_id, outcome, maker, "maker", quote)

    def _charge(self, order: LiveOrder, quote: int) -> int:
        """The fee of this fill, in what the order pays fees in."""
        if order.buy and self._in_base:
            total = fee_of(order.filled * self.spec.lot_units, order.fee_bps)
        else:
            total = fee_of(order.filled_quote, order.fee_bps)
        fee, order.fee = total - order.fee, total
        return fee

    def _pay(
        self,
        trade_id: str,
        buyer: LiveOrder,
        seller: LiveOrder,
        base: int,
        quote: int,
        buyer_fee: int,
        seller_fee: int,
    ) -> None:
        lines = self.lines
        base_token, quote_token, house, in_base = self._base, self._quote, self._house, self._in_base
        paid = quote if in_base else quote + buyer_fee
        got = base - buyer_fee if in_base else base
        earned = quote - seller_fee
        fee_quote = seller_fee if in_base else seller_fee + buyer_fee

        needed = self._needed(buyer)
        self._move(buyer.user_id, quote_token, buyer.held - paid - needed, needed - buyer.held)
        buyer.held = needed
        self._move(buyer.user_id, base_token, got, 0)
        needed = self._needed(seller)
        self._move(seller.user_id, base_token, seller.held - base - needed, needed - seller.held)
        seller.held = needed
        self._move(seller.user_id, quote_token, earned, 0)

        lines.append((trade_id, buyer.user_id, quote_token, -paid))
        if got:
            lines.append((trade_id, buyer.user_id, base_token, got))
        lines.append((trade_id, seller.user_id, base_token, -base))
        if earned:
            lines.append((trade_id, seller.user_id, quote_token, earned))
        if in_base and buyer_fee:
            lines.append((trade_id, house, base_token, buyer_fee))
            self._move(house, base_token, buyer_fee, 0)
        if fee_quote:
            lines.append((trade_id, house, quote_token, fee_quote))
            self._move(house, quote_token, fee_quote, 0)

    def _needed(self, order: LiveOrder) -> int:
        """What must stay set aside for what is left of the order."""
        if not order.buy:
            return order.left * self.spec.lot_units
        cost = self.spec.notional(order.limit, order.left)
        if self._in_base or not order.left:
            return cost
        return cost + fee_of(order.filled_quote + cost, order.fee_bps) - order.fee

    def _free(self, order: LiveOrder) -> None:
        """Give back what is not needed any more."""
        needed = self._needed(order)
        token = self._quote if order.buy else self._base
        self._move(order.user_id, token, order.held - needed, needed - order.held)
        order.held = needed

    def _prevented(self, outcome: Prevented, taker: LiveOrder) -> None:
        maker = outcome.maker
        assert isinstance(maker, LiveOrder)
        if maker.touched != self.number:
            maker.touched = self.number
            self.touched.append(maker)
        for order in (taker, maker):
            order.left -= outcome.size
            self._free(order)
            if order.left:  # Otherwise it ends by this, and that is told.
                self._tell(live_facts.REDUCED, order)

    def _end(self, order: LiveOrder, why: Ended, match_seq: int) -> None:
        order.status, order.reason = REASONS[why]
        if order.match_seq is None:
            order.match_seq = match_seq
        order.left = 0
        if order.held:
            self._free(order)
        self._tell(live_facts.CANCELLED, order)

    def _move(self, account_id: str, token_id: str, available: int, locked: int) -> None:
        both = self.balances.get((account_id, token_id))
        if both is None:
            self.balances[(account_id, token_id)] = [available, locked]
        else:
            both[0] += available
            both[1] += locked

    def _tell(self, event_type: str, order: LiveOrder, more: str = "") -> None:
        self.fact_seq += 1
        if not order.head:
            introduce(self.spec, order)
        if order.reason:
            more = f',"reason":"{order.reason}"{more}'
        far = live_facts.progress(self.spec, order.status, order.filled, order.filled_quote, order.left)
        payload = f'{order.head},{far}{more},"seq":{self.fact_seq}'
        self.facts.append(live_facts.envelope(event_type, self.moment, order.whose, payload))

    def _tell_trade(self, trade_id: str, outcome: Trade, order: LiveOrder, role: str, quote: int) -> None:
        spec = self.spec
        order.status = "PARTIAL" if order.left else "FILLED"
        kind = live_facts.PARTIALLY_FILLED if order.left else live_facts.FILLED
        self._tell(kind, order, f',"tradeId":"{trade_id}"')
        told = (
            f'"tradeId":"{trade_id}","side":"{"BUY" if order.buy else "SELL"}","role":"{role}",'
            f'"price":"{spec.price_text(outcome.price)}","quantity":"{spec.size_text(outcome.size)}",'
            f'"quoteAmount":"{spec.quote_text(quote)}","settlementStatus":"PENDING","seq":'
        )
        for event_type in (live_facts.EXECUTED, live_facts.SETTLEMENT_PENDING):
            self.fact_seq += 1
            self.facts.append(
                live_facts.envelope(event_type, self.moment, order.whose, f"{told}{self.fact_seq}")
            )
