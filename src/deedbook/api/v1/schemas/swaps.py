"""Bodies about swaps. A signed swap has the fields of what was signed, as they were shown, and the signature."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from deedbook.api.v1.schemas.common import Answer, Body, Moment, PositiveAmount
from deedbook.api.v1.schemas.custody import Nonce, Seconds, SignatureText
from deedbook.api.v1.schemas.tokens import AddressText
from deedbook.api.v1.schemas.trading import SIDES, PairName
from deedbook.identity.terms import Address
from deedbook.trading.swaps import AskedSwap, Quote
from deedbook.trading.terms import Side

EXPIRES_IN_S = 60
DEFAULT_TOLERANCE_BPS = 50
SideName = Annotated[
    Literal["BUY", "SELL"],
    Field(description="BUY gives the quote token for the base token, SELL the other way", examples=["BUY"]),
]


class QuoteSwap(Body):
    """How much of one token is to be given for the other. `toleranceBps` is how far the book may move meanwhile."""

    trading_pair_id: PairName
    side: SideName
    amount_in: Annotated[PositiveAmount, Field(examples=["250.00"])]
    tolerance_bps: Annotated[int, Field(strict=True, ge=0, le=5000)] = DEFAULT_TOLERANCE_BPS


class QuoteAnswer(Answer):
    """What a swap would give with the book as it is: an estimate of this moment, and no promise. `amountUsed` is what
    of `amountIn` the book takes; the rest stays with the sender. `suggestedMinAmountOut` and `suggestedExpiry` are what
    to sign for a swap that may still meet a book that has moved by the tolerance."""

    trading_pair_id: UUID
    pair: str
    side: str
    token_in_id: UUID
    token_out_id: UUID
    amount_in: str
    amount_used: str
    amount_out: str
    average_price: str
    best_price: str
    worst_price: str
    slippage_bps: int
    fee: str
    fee_token_id: UUID
    fee_bps: int
    tolerance_bps: int
    suggested_min_amount_out: str
    suggested_expiry: int
    seq: int

    @classmethod
    def of(cls, quote: Quote, average_price: str, tolerance_bps: int, now: int) -> "QuoteAnswer":
        spec, plan, buy = quote.spec, quote.plan, quote.side is Side.BUY
        given, got = (spec.quote_text, spec.base_text) if buy else (spec.base_text, spec.quote_text)
        return cls(
            trading_pair_id=spec.pair_id,
            pair=spec.symbol,
            side=quote.side.value,
            token_in_id=spec.quote_token_id if buy else spec.base_token_id,
            token_out_id=spec.base_token_id if buy else spec.quote_token_id,
            amount_in=given(quote.amount_in),
            amount_used=given(plan.given),
            amount_out=got(plan.received),
            average_price=average_price,
            best_price=spec.price_text(quote.best),
            worst_price=spec.price_text(plan.limit),
            slippage_bps=quote.slippage_bps,
            fee=spec.fee_text(plan.fee, buy=buy),
            fee_token_id=spec.fee_token_id(buy=buy),
            fee_bps=spec.fee_bps,
            tolerance_bps=tolerance_bps,
            suggested_min_amount_out=got(quote.least_out(tolerance_bps)),
            suggested_expiry=now + EXPIRES_IN_S,
            seq=quote.seq,
        )


class SignedSwap(Body):
    """A signed `Swap`. `userAddress` is the struct's `trader`; `maxFeeBps` is the pair's fee where it is left out."""

    user_address: AddressText
    trading_pair_id: PairName
    side: SideName
    amount_in: Annotated[PositiveAmount, Field(examples=["250.00"])]
    min_amount_out: Annotated[PositiveAmount, Field(description="After fees", examples=["4.95"])]
    max_fee_bps: (
        Annotated[int, Field(strict=True, ge=0, le=10_000, description="The pair's fee where absent")] | None
    ) = None
    nonce: Nonce
    expiry: Seconds
    signature: SignatureText

    def asked(self) -> AskedSwap:
        return AskedSwap(
            trader=Address(self.user_address),
            pair=self.trading_pair_id,
            side=SIDES[self.side],
            amount_in=self.amount_in,
            min_amount_out=self.min_amount_out,
            max_fee_bps=self.max_fee_bps,
            nonce=self.nonce,
            expiry=self.expiry,
            signature=self.signature,
        )


class FillAnswer(Answer):
    """A trade that carried a part of a swap out."""

    trade_id: UUID
    price: str
    quantity: str
    value: str
    fee: str
    settlement_status: str
    tx_hash: str | None
    executed_at: Moment


class SwapAnswer(Answer):
    """A swap. `amountUsed` is what it gave, `amountOut` what it received after the `fee`. Where its trades stand on the
    chain is `settlementStatus`, all taken together: null while there is none."""

    id: UUID
    trading_pair_id: UUID
    pair: str
    user_id: UUID
    user_address: str
    side: str
    token_in_id: UUID
    token_out_id: UUID
    amount_in: str
    min_amount_out: str
    max_fee_bps: int
    nonce: str
    expiry: int
    status: str
    reason: str | None
    amount_used: str
    amount_out: str
    average_price: str | None
    fee: str
    fee_token_id: UUID
    settlement_status: str | None
    fills: list[FillAnswer]
    hash: str | None
    created_at: Moment
    updated_at: Moment
