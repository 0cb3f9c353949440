"""Swaps as they are wished for, and as they are signed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deedbook.client.amounts import Amount, amount_text
from deedbook.client.answers import Exchange, Pair
from deedbook.client.orders import Side
from deedbook.client.signers import Signer
from deedbook.client.typed_data import digest

EXPIRES_IN_S = 60
TOLERANCE_BPS = 50


@dataclass(frozen=True)
class NewSwap:
    """So much of one token for the other: BUY gives the quote token, SELL the base token.

    `min_amount_out` is the least to receive after fees; for less, nothing is swapped. Where it is not said the client
    asks for a quote and signs what that gives less `tolerance_bps`: who takes nobody's word for a price says it.
    `max_fee_bps` is the pair's fee unless it is said.
    """

    pair: str
    side: Side
    amount_in: Amount
    min_amount_out: Amount | None = None
    tolerance_bps: int = TOLERANCE_BPS
    max_fee_bps: int | None = None
    expires_in_s: int = EXPIRES_IN_S


@dataclass(frozen=True)
class SignedSwap:
    """A swap that may be sent, once or again: the platform takes it once. `hash` is what was signed."""

    body: Mapping[str, Any]
    hash: str


def sign_swap(
    signer: Signer, exchange: Exchange, pair: Pair, swap: NewSwap, *, nonce: str, expiry: int
) -> SignedSwap:
    """Sign a swap. `nonce` is used once by an account, for orders and swaps together; `expiry` is in Unix seconds.

    Raises:
        TypeError · ValueError: an amount is none, the least to receive is not said, or the platform signs other
            fields than these.
    """
    if swap.min_amount_out is None:
        raise ValueError("say the least to receive: a quote suggests it")
    trader = signer.address.lower()
    fields = {
        "tradingPairId": pair.symbol,
        "side": swap.side,
        "amountIn": amount_text(swap.amount_in),
        "minAmountOut": amount_text(swap.min_amount_out),
        "maxFeeBps": pair.fee_bps if swap.max_fee_bps is None else swap.max_fee_bps,
        "nonce": nonce,
        "expiry": expiry,
    }
    types = exchange.eip712_types["Swap"]
    hashed = digest(exchange.eip712_domain, "Swap", types, {**fields, "trader": trader})
    body = {"userAddress": trader, **fields, "signature": "0x" + signer.sign_digest(hashed).hex()}
    return SignedSwap(body, "0x" + hashed.hex())
