"""A pair of shares and dollars, traders with balances in the vault, and an operator who settles what they signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from .evm import Contract, Receipt, Refusal, Wallet, decode_refusal
from .requests import HOUR, Request
from .world import UNIT, World, fresh_reference

SYMBOL = "NAMUR-USDC"
DOLLAR = 10**6
FEE_BPS = 25
SHARES = 1_000 * UNIT
DOLLARS = 1_000_000 * DOLLAR
RECEIVED, QUOTE = 1, 2
SETTLED, ALREADY_SETTLED, FAILED = range(3)
NAMES_THE_BLOCKS_TIME = frozenset({"MatchedInTheFuture", "MatchTooOld"})


@dataclass(frozen=True)
class Signed:
    """A text and what its trader put under it."""

    request: Request
    signature: bytes

    @property
    def digest(self) -> bytes:
        return self.request.digest

    @property
    def argument(self) -> tuple[Any, bytes]:
        return (self.request.values, self.signature)

    def changed(self, name: str, value: Any) -> Signed:
        """Another text under the same signature."""
        return replace(self, request=self.request.changed(name, value))


@dataclass(frozen=True)
class Match:
    """A trade as the contract takes it, field by field."""

    trade_id: bytes
    buy: int
    sell: int
    quantity: int
    quote: int
    buyer_fee: int
    seller_fee: int
    matched_at: int

    @property
    def argument(self) -> tuple[Any, ...]:
        return (
            self.trade_id,
            self.buy,
            self.sell,
            self.quantity,
            self.quote,
            self.buyer_fee,
            self.seller_fee,
            self.matched_at,
        )


@dataclass(frozen=True)
class Told:
    """What became of a trade: its result, and the refusal when it failed."""

    result: int
    refusal: Refusal | None = None


def fee(amount: int, bps: int = FEE_BPS) -> int:
    return -(-amount * bps // 10_000)


@dataclass(frozen=True)
class Exchange:
    """`seller` has shares in the vault, `buyer` dollars; both and the house are verified holders."""

    world: World
    shares: Contract
    buyer: Wallet
    seller: Wallet
    nonces: Iterator[int] = field(default_factory=count)

    @property
    def dollar(self) -> Contract:
        return self.world.dollar

    @property
    def contract(self) -> Contract:
        return self.world.settlement

    @property
    def house(self) -> Wallet:
        return self.world.house

    def order(
        self,
        side: str,
        quantity: str = "10",
        price: str = "50",
        *,
        trader: Wallet | None = None,
        signer: Wallet | None = None,
        symbol: str = SYMBOL,
        order_type: str = "LIMIT",
        max_fee_bps: int = FEE_BPS,
        expiry: int | None = None,
    ) -> Signed:
        who = trader or (self.buyer if side == "BUY" else self.seller)
        values = (
            who.address,
            symbol,
            side,
            order_type,
            "GTC",
            False,
            "EXPIRE_TAKER",
            quantity,
            price,
            "",
            max_fee_bps,
            "",
            str(next(self.nonces)),
            self.world.evm.now() + HOUR if expiry is None else expiry,
        )
        request = Request("Order", values, self.contract.address)
        return Signed(request, request.signed_by(signer or who))

    def swap(
        self,
        side: str,
        amount_in: str,
        min_amount_out: str,
        *,
        trader: Wallet | None = None,
        symbol: str = SYMBOL,
    ) -> Signed:
        who = trader or (self.buyer if side == "BUY" else self.seller)
        expiry = self.world.evm.now() + HOUR
        values = (
            who.address,
            symbol,
            side,
            amount_in,
            min_amount_out,
            FEE_BPS,
            str(next(self.nonces)),
            expiry,
        )
        request = Request("Swap", values, self.contract.address)
        return Signed(request, request.signed_by(who))

    def match(self, quantity: int = 10 * UNIT, quote: int = 500 * DOLLAR, **changed: Any) -> Match:
        """A match of the batch's first two texts, with the usual fees on what each receives."""
        fair = Match(
            fresh_reference(), 0, 1, quantity, quote, fee(quantity), fee(quote), self.world.evm.now()
        )
        return replace(fair, **changed)

    def settle(
        self,
        orders: Sequence[Signed],
        matches: Sequence[Match],
        swaps: Sequence[Signed] = (),
        gas: int | None = None,
    ) -> Receipt:
        data = self.contract.calldata("settle", *self.arguments(orders, matches, swaps))
        evm = self.world.evm
        if gas is None:
            return evm.send(self.world.operator, data, self.contract.address)
        return evm.send(self.world.operator, data, self.contract.address, gas)

    def told(
        self, orders: Sequence[Signed], matches: Sequence[Match], swaps: Sequence[Signed] = ()
    ) -> list[Told]:
        """What each trade would become, asked as nobody."""
        outcomes = self.contract.read("preview", *self.arguments(orders, matches, swaps))
        return [
            Told(result, decode_refusal(bytes(reason)) if reason else None) for result, reason in outcomes
        ]

    def refusal(
        self, orders: Sequence[Signed], match: Match | None = None, swaps: Sequence[Signed] = ()
    ) -> Refusal:
        """Why this one trade fails, which then settling it says too, moving nothing."""
        match = match or self.match()
        before = self.balances()
        [told] = self.told(orders, [match], swaps)
        assert told.result == FAILED and told.refusal is not None, f"it settles: {told}"
        [(trade_id, reason)] = self.settle(orders, [match], swaps).named("TradeFailed")
        said = decode_refusal(reason)
        assert (trade_id, _beside_the_clock(said)) == (match.trade_id, _beside_the_clock(told.refusal))
        assert self.balances() == before
        assert self.contract.read("settled", match.trade_id) is False
        return told.refusal

    def balances(self) -> list[tuple[int, int]]:
        """Shares and dollars in the vault: of the buyer, the seller, the house."""
        return [self.holding(wallet) for wallet in (self.buyer, self.seller, self.house)]

    def holding(self, wallet: Wallet) -> tuple[int, int]:
        return self.world.vaulted(wallet, self.shares), self.world.vaulted(wallet, self.dollar)

    def trader(self, shares: int = SHARES, dollars: int = DOLLARS) -> Wallet:
        """Another verified holder with balances in the vault."""
        wallet = self.world.holder()
        self.endow(wallet, shares, dollars)
        return wallet

    def endow(self, wallet: Wallet, shares: int, dollars: int) -> None:
        if shares:
            self.world.mint_to_vault(self.shares, wallet, shares)
        if dollars:
            self.dollar.send(self.world.admin, "mint", wallet.address, dollars)
            self.world.deposit(self.dollar, wallet, dollars)

    def arguments(
        self, orders: Sequence[Signed], matches: Sequence[Match], swaps: Sequence[Signed] = ()
    ) -> tuple[list[Any], list[Any], list[Any]]:
        return (
            [order.argument for order in orders],
            [swap.argument for swap in swaps],
            [match.argument for match in matches],
        )


def open_exchange(world: World, fee_mode: int = RECEIVED) -> Exchange:
    shares = world.token(cap=10**30)
    world.settlement.send(world.lister, "listPair", SYMBOL, shares.address, world.dollar.address, fee_mode)
    exchange = Exchange(world, shares, world.holder(), world.holder())
    exchange.endow(exchange.buyer, 0, DOLLARS)
    exchange.endow(exchange.seller, SHARES, 0)
    return exchange


def _beside_the_clock(refusal: Refusal) -> Refusal:
    """A refusal without the block's time it ends with, which may move on between two looks at one trade."""
    if refusal.name in NAMES_THE_BLOCKS_TIME:
        return replace(refusal, args=refusal.args[:-1])
    return refusal
