"""Order entry: from a signed text to a durable order, every check in its place.

Syntax comes before, at the border. Then: expiry, pair and market state, filters, rate, signature, whose account it
is, nonce, compliance, funds. A refusal uses nothing up.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from deedbook import chain, identity
from deedbook.chain.terms import Contract
from deedbook.compliance import Reason
from deedbook.compliance.errors import refusal
from deedbook.custody.errors import VaultNotDeployed
from deedbook.custody.ports import Gate
from deedbook.identity import Caller, Domain, SignedAction, expiry_of
from deedbook.identity.errors import NonceUsed
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import ORDER
from deedbook.infra.database import Database
from deedbook.kernel.errors import IdempotencyKeyReused, Refusal
from deedbook.kernel.ids import PairId
from deedbook.trading import entry_store, orders
from deedbook.trading.admission import Admitted, OrderText, Quotes, Terms, judge
from deedbook.trading.bells import Bells
from deedbook.trading.cancels import Cancels
from deedbook.trading.eligibility import Eligibility
from deedbook.trading.engine import SelfTrade
from deedbook.trading.entry_store import UsedNonce
from deedbook.trading.errors import DuplicateOrder
from deedbook.trading.fates import Fates, each, fate_of, sorted_out
from deedbook.trading.intake import Intake, Taken
from deedbook.trading.pairs import NO_QUOTES, PairDirectory
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import OrderId, OrderType, Side, TimeInForce

TRAILS = "trail:"


class Asked(NamedTuple):
    """An order as it was sent. `pair` is a symbol or an id; `max_fee_bps` is the pair's fee where nothing was said."""

    trader: Address
    pair: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    post_only: bool
    self_trade: SelfTrade
    quantity: str
    price: str
    stop_price: str
    max_fee_bps: int | None
    client_order_id: str
    nonce: str
    expiry: int
    signature: str

    def text(self, spec: PairSpec) -> OrderText:
        """In the words that were signed: the pair by its symbol, the fee in figures."""
        return OrderText(
            trader=self.trader,
            pair=spec.symbol,
            side=self.side,
            order_type=self.order_type,
            time_in_force=self.time_in_force,
            post_only=self.post_only,
            self_trade=self.self_trade,
            quantity=self.quantity,
            price=self.price,
            stop_price=self.stop_price,
            max_fee_bps=spec.fee_bps if self.max_fee_bps is None else self.max_fee_bps,
            client_order_id=self.client_order_id,
            nonce=self.nonce,
            expiry=self.expiry,
        )


@dataclass(frozen=True)
class Repeat:
    """How the sender makes a request safe to repeat: an Idempotency-Key, and what the request was."""

    key: str
    fingerprint: bytes


class Turnstile(Protocol):
    """Counts an order against its sender's rate, and remembers nonces that were used lately."""

    async def enter(self, account: Address, nonce: str) -> UsedNonce | None:
        """Raises RateLimited: one too many."""

    async def enter_all(self, orders: Sequence[tuple[Address, str]]) -> list[UsedNonce | Refusal | None]:
        """The same for several orders of one sender, given by account and nonce."""


class Judged(NamedTuple):
    """An order that passes the pair's filters."""

    text: OrderText
    spec: PairSpec
    terms: Terms
    now: datetime


class OrderEntry:
    """One per process that takes orders in."""

    def __init__(
        self,
        db: Database,
        gate: Gate,
        bells: Bells,
        accepted: Callable[[Sequence[Admitted]], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.db = db
        self._gate = gate
        self._clock = clock
        self._bells = bells
        self._accepted = accepted
        self._domain: Domain | None = None
        self.pairs = PairDirectory(db)
        self.eligibility = Eligibility(db)
        self.intake = Intake(db, self._tell)
        self.cancels = Cancels(db, self.pairs, bells)

    async def place(
        self,
        asked: Asked,
        caller: Caller,
        turnstile: Turnstile,
        repeat: Repeat | None = None,
        replaces: OrderId | None = None,
    ) -> Taken:
        """Make an order durable, and with it the wish that the one which it `replaces` ends.

        Raises:
            ActionExpired · Invalid · PairNotFound · PairPaused · PairClosed · OrderFilter · NoPriceYet · RateLimited
            · SignatureMalformed · SignatureRefused · WalletNotYours · NonceUsed · DuplicateOrder · ClientOrderIdUsed
            · Ineligible · InsufficientFunds · IdempotencyKeyReused · OrderNotFound · OrderOver: it was refused;
                nothing of it was kept.
            VaultNotDeployed · Overloaded · DatabaseUnavailable: send it again.
        """
        try:
            judged = await self.judge(asked)
            used = await turnstile.enter(asked.trader, asked.nonce)
            action = await self.verify(judged, asked.signature, caller)
            return await self.intake.submit(await self._admit(judged, action, used, caller, repeat, replaces))
        except Refusal:
            # What was accepted once is answered again, even where it would be refused today.
            first = await self.answered_before(caller, repeat) if repeat is not None else None
            if first is not None:
                return first
            raise

    async def place_all(
        self, orders: Sequence[Asked], caller: Caller, turnstile: Turnstile
    ) -> list[Taken | Refusal]:
        """Make some orders durable, each with a fate of its own: what `place` would answer or raise. They pass each
        check together, and come in with one commit where it has room.

        Raises:
            VaultNotDeployed: nothing can be signed yet.
        """
        fates: Fates = {}
        judged = await each(fates, ((place, self.judge(asked)) for place, asked in enumerate(orders)))
        names = [(orders[place].trader, orders[place].nonce) for place in judged]
        used = sorted_out(fates, zip(judged, await turnstile.enter_all(names), strict=True))
        signed = await self._signed(
            fates, {place: (judged[place], orders[place].signature) for place in used}, caller
        )
        admitted = await each(
            fates,
            (
                (place, self._admit(judged[place], action, used[place], caller))
                for place, action in signed.items()
            ),
        )
        taken = await self.intake.submit_all(list(admitted.values()))
        fates |= sorted_out(fates, zip(admitted, taken, strict=True))
        return [fates[place] for place in range(len(orders))]

    async def judge(self, asked: Asked) -> Judged:
        """The order in whole numbers, if it may come in at all; see `place`."""
        now = self.now()
        expiry_of(asked.expiry, now)
        spec = await self.pairs.spec(asked.pair)
        return await self.judge_text(asked.text(spec), spec, now)

    async def judge_text(self, text: OrderText, spec: PairSpec, now: datetime) -> Judged:
        """The same for an order whose expiry and pair are known to be good."""
        return Judged(text, spec, judge(text, spec, await self._quotes(text, spec)), now)

    def now(self) -> datetime:
        return self._clock()

    async def verify(self, judged: Judged, signature: str, caller: Caller) -> SignedAction:
        """Make sure that the caller's own account has signed it; see `place`."""
        domain, text = await self.domain(), judged.text
        return identity.signed_by_key(
            domain, ORDER, text.values(), signature, caller, judged.now
        ) or await identity.verify_action(
            domain,
            ORDER,
            Address(text.trader),
            text.values(),
            signature,
            caller,
            self._gate.wallets,
            judged.now,
        )

    async def reason(self, judged: Judged, caller: Caller) -> Reason:
        """What compliance has against the caller's trading so much of the pair's base token."""
        spec = judged.spec
        return await self.eligibility.judge(
            spec.base_token_id,
            caller.user_id,
            judged.terms.quantity_lots * spec.lot_units,
            buy=judged.text.side is Side.BUY,
            now=judged.now,
        )

    def wake(self, books: Iterable[tuple[UUID, PairId]]) -> None:
        """Wake the books of these pairs, each about one order, after a command about it was committed."""
        for order_id, pair_id in books:
            self._bells.ring_for(order_id, pair_id)

    async def domain(self) -> Domain:
        """Where signatures hold.

        Raises:
            VaultNotDeployed: nowhere yet.
        """
        if self._domain is None:
            contracts = await chain.contracts(self.db, self._gate.chain_id)
            if Contract.SETTLEMENT not in contracts:
                raise VaultNotDeployed
            self._domain = Domain(self._gate.chain_id, contracts[Contract.SETTLEMENT])
        return self._domain

    async def close(self) -> None:
        """Finish what was begun."""
        await self.intake.close()
        await self.cancels.close()
        await self._bells.close()

    async def _signed(
        self, fates: Fates, orders: Mapping[int, tuple[Judged, str]], caller: Caller
    ) -> dict[int, SignedAction]:
        """What keys have signed, and then, all at once, what contract wallets are asked about."""
        domain = await self.domain()
        signed: dict[int, SignedAction] = {}
        for place, (judged, signature) in orders.items():
            action = identity.signed_by_key(
                domain, ORDER, judged.text.values(), signature, caller, judged.now
            )
            if action is not None:
                signed[place] = action
        others = [place for place in orders if place not in signed]
        told = await asyncio.gather(*(fate_of(self.verify(*orders[place], caller)) for place in others))
        return signed | sorted_out(fates, zip(others, told, strict=True))

    async def _admit(
        self,
        judged: Judged,
        action: SignedAction,
        used: UsedNonce | None,
        caller: Caller,
        repeat: Repeat | None = None,
        replaces: OrderId | None = None,
    ) -> Admitted:
        if used is not None and repeat is None:
            raise _already(used, action)
        await self._require_eligible(judged, action, caller)
        return _prepare(judged, action, caller, repeat, replaces)

    async def _require_eligible(self, judged: Judged, action: SignedAction, caller: Caller) -> None:
        reason = await self.reason(judged, caller)
        if reason is Reason.NONE:
            return
        used = await entry_store.use_of_nonce(self.db, action.account, action.nonce)
        if used is not None:
            raise _already(used, action)
        raise refusal(reason, "receiver" if judged.text.side is Side.BUY else "sender")

    async def _quotes(self, text: OrderText, spec: PairSpec) -> Quotes:
        """What the book shows, where that matters: for market orders without a price, and for trailing stops."""
        if text.price and not text.stop_price.startswith(TRAILS):
            return NO_QUOTES
        return await self.pairs.quotes(spec.pair_id)

    async def answered_before(self, caller: Caller, repeat: Repeat) -> Taken | None:
        """What this very request was answered, if it was accepted once.

        Raises:
            IdempotencyKeyReused: its key was another's.
        """
        first = await entry_store.answered(self.db, caller.user_id, repeat.key)
        if first is None:
            return None
        if first.fingerprint != repeat.fingerprint:
            raise IdempotencyKeyReused("use a fresh Idempotency-Key for a new request")
        return Taken(first.body, replayed=True)

    def _tell(self, admitted: Sequence[Admitted]) -> None:
        if admitted:
            self._bells.ring(admitted)
            self._accepted(admitted)


def _already(used: UsedNonce, action: SignedAction) -> Refusal:
    if used.digest == action.digest.hex():
        first = used.action_id
        return DuplicateOrder(f"this order was accepted before, as {first}", extra={"firstId": first})
    return NonceUsed("sign again with a fresh nonce")


def _prepare(
    judged: Judged, action: SignedAction, caller: Caller, repeat: Repeat | None, replaces: OrderId | None
) -> Admitted:
    return orders.prepare(
        judged.text,
        judged.spec,
        judged.terms,
        user_id=caller.user_id,
        digest=action.digest,
        signature=action.signature,
        now=judged.now,
        idempotency_key=repeat.key if repeat else None,
        fingerprint=repeat.fingerprint if repeat else None,
        replaces=replaces,
    )
