"""Use cases of swaps: say what one would give, and take one in. A swap is carried out by an order of its own kind, with
the checks that every order meets, in their order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deedbook import identity
from deedbook.compliance import Reason
from deedbook.compliance.errors import refusal
from deedbook.custody.ports import Gate
from deedbook.identity import Caller, SignedAction, expiry_of
from deedbook.identity.errors import DuplicateAction, NonceUsed
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import SWAP
from deedbook.infra.database import Tx
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.ledger.errors import InsufficientFunds
from deedbook.trading import entry_store, live_facts, swap_store
from deedbook.trading.entry import OrderEntry
from deedbook.trading.errors import NoPriceYet
from deedbook.trading.live_facts import Moment
from deedbook.trading.spec import BPS, PairSpec, whole
from deedbook.trading.swap_plan import Offer, Plan, Wanted, walk
from deedbook.trading.swap_terms import SWAP_KIND, SwapTerms, SwapText, judge_swap
from deedbook.trading.terms import FeeMode, OrderId, OrderStatus, Side

NOBODY = -1
"""The group of whoever asks for a quote: no order of the book is theirs."""


@dataclass(frozen=True)
class AskedSwap:
    """A swap as it was sent. `pair` is a symbol or an id; `max_fee_bps` is the pair's fee where nothing was said."""

    trader: Address
    pair: str
    side: Side
    amount_in: str
    min_amount_out: str
    max_fee_bps: int | None
    nonce: str
    expiry: int
    signature: str

    def text(self, spec: PairSpec) -> SwapText:
        """In the words that were signed: the pair by its symbol, the fee in figures."""
        return SwapText(
            trader=self.trader,
            pair=spec.symbol,
            side=self.side,
            amount_in=self.amount_in,
            min_amount_out=self.min_amount_out,
            max_fee_bps=spec.fee_bps if self.max_fee_bps is None else self.max_fee_bps,
            nonce=self.nonce,
            expiry=self.expiry,
        )


@dataclass(frozen=True)
class CheckedSwap:
    """A swap that may come in: nothing is missing but its nonce and its funds."""

    swap_id: OrderId
    text: SwapText
    spec: PairSpec
    terms: SwapTerms
    action: SignedAction
    now: datetime


@dataclass(frozen=True)
class Quote:
    """What a swap would give with the book as it is. No promise: `seq` says of which moment it is."""

    spec: PairSpec
    side: Side
    amount_in: int
    plan: Plan
    best: int
    seq: int

    @property
    def slippage_bps(self) -> int:
        """How much worse than the best price the average is, rounded up."""
        at_best = self.spec.notional(self.best, self.plan.lots)
        return -(-abs(self.plan.notional - at_best) * BPS // at_best)

    def least_out(self, tolerance_bps: int) -> int:
        """What to ask for at least, so that the book may move by so much."""
        return self.plan.received * (BPS - tolerance_bps) // BPS


def quote(spec: PairSpec, side: Side, amount_in: str, book: dict[str, Any]) -> Quote:
    """What a swap of so much would give, by the aggregated book.

    Raises:
        PairPaused · PairClosed · PairCongested · OrderFilter: it would be refused.
        NoPriceYet: nobody is on the other side, or not for so little.
    """
    least = spec.base_text(1) if side is Side.BUY else spec.quote_text(max(spec.min_notional, 1))
    text = SwapText("", spec.symbol, side, amount_in, least, spec.fee_bps, "", 0)
    terms = judge_swap(text, spec)
    levels = book["asks" if side is Side.BUY else "bids"]
    offers = [_offer(spec, price, size) for price, size in levels]
    wanted = Wanted(
        buy=side is Side.BUY,
        amount_in=terms.amount_in,
        least_out=0,
        most_lots=terms.most_lots,
        least_lots=0,
        fee_bps=spec.fee_bps,
        group=NOBODY,
    )
    plan, _ = walk(offers, wanted, spec)
    if not plan.received:
        raise NoPriceYet("nobody is on the other side of the book for this amount")
    return Quote(spec, side, terms.amount_in, plan, offers[0].price, int(book["seq"]))


def _offer(spec: PairSpec, price: str, size: str) -> Offer:
    ticks, lots = whole(price, spec.tick), whole(size, spec.lot)
    assert ticks is not None and lots is not None, "a book has whole ticks and lots"
    return Offer(ticks, lots, 0)


async def check(entry: OrderEntry, gate: Gate, asked: AskedSwap, caller: Caller) -> CheckedSwap:
    """Make sure that the caller's own account signed a swap that may come in. No transaction may be open.

    Raises:
        ActionExpired · Invalid · PairNotFound · PairPaused · PairClosed · PairCongested · OrderFilter
            · SignatureMalformed · SignatureRefused · WalletNotYours · DuplicateAction · NonceUsed · Ineligible: it is
            refused.
        VaultNotDeployed · ChainUnavailable: send it again.
    """
    now = entry.now()
    expiry_of(asked.expiry, now)
    spec = await entry.pairs.spec(asked.pair)
    text = asked.text(spec)
    terms = judge_swap(text, spec)
    domain = await entry.domain()
    action = await identity.verify_action(
        domain, SWAP, asked.trader, text.values(), asked.signature, caller, gate.wallets, now
    )
    buy = text.side is Side.BUY
    amount = terms.least_out if buy else terms.amount_in
    reason = await entry.eligibility.judge(spec.base_token_id, caller.user_id, amount, buy=buy, now=now)
    if reason is not Reason.NONE:
        await _name_first(entry, action)
        raise refusal(reason, "receiver" if buy else "sender")
    if buy:
        terms = _within(terms, await entry.eligibility.room(spec.base_token_id, caller.user_id, now), spec)
    return CheckedSwap(OrderId(new_uuid()), text, spec, terms, action, now)


def _within(terms: SwapTerms, room: int | None, spec: PairSpec) -> SwapTerms:
    """The same for a buyer who may have only so much more of the base token. What they want at least was judged; what
    they might get beyond it would fail the book's commit, and with it everybody's trades.

    Raises:
        Ineligible: with the fee on it, what they want is more than that.
    """
    if room is None:
        return terms
    before_fee = room * BPS // (BPS - spec.fee_bps) if spec.fee_mode is FeeMode.RECEIVED else room
    most_lots = min(terms.most_lots, before_fee // spec.lot_units)
    if most_lots < terms.least_lots:
        raise refusal(Reason.OWNERSHIP_CAP, "receiver")
    return terms._replace(most_lots=most_lots)


async def _name_first(entry: OrderEntry, action: SignedAction) -> None:
    """What was accepted once is named also where it would be refused today."""
    used = await entry_store.use_of_nonce(entry.db, action.account, action.nonce)
    if used is None:
        return
    if used.digest == action.digest.hex():
        raise DuplicateAction(
            f"this was accepted before, as {used.action_id}", extra={"firstId": used.action_id}
        )
    raise NonceUsed("sign again with a fresh nonce")


async def place(tx: Tx, user_id: UserId, checked: CheckedSwap) -> OrderId:
    """Make a swap durable: its nonce is used up, and what it gives is set aside.

    Raises:
        DuplicateAction · NonceUsed · InsufficientFunds: nothing of it was kept.
    """
    await identity.record_action(tx, checked.action, checked.swap_id)
    if not await swap_store.set_aside(tx, user_id, checked.terms):
        raise InsufficientFunds("deposit more, or cancel orders that hold it")
    await swap_store.add(
        tx,
        checked.swap_id,
        user_id,
        checked.spec,
        checked.text,
        checked.terms,
        checked.action,
        _created(user_id, checked),
    )
    return checked.swap_id


def _created(user_id: UserId, checked: CheckedSwap) -> str:
    spec, terms, moment = checked.spec, checked.terms, Moment.of(checked.now)
    payload = live_facts.head(
        spec,
        checked.swap_id,
        buy=checked.text.side is Side.BUY,
        kind=SWAP_KIND,
        price_ticks=terms.worst_ticks,
        quantity=terms.least_lots,
        client_id="",
    )
    status = live_facts.progress(spec, OrderStatus.PENDING_MATCH.value, 0, 0, terms.least_lots)
    whose = live_facts.whose(user_id, checked.swap_id, spec.pair_id)
    return live_facts.envelope(live_facts.CREATED, moment, whose, f"{payload},{status}")
