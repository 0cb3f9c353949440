"""Swaps: quoted, signed, placed, watched."""

from dataclasses import replace
from uuid import UUID

from deedbook.client.amounts import Amount, amount_text
from deedbook.client.answers import Swap, SwapQuote
from deedbook.client.flow import Call, Flow, Session, ask, signer_of
from deedbook.client.flows.asking import get, page, segment, send
from deedbook.client.flows.people import exchange_info, pair
from deedbook.client.flows.waiting import until
from deedbook.client.operations import Page
from deedbook.client.orders import Side
from deedbook.client.reading import read
from deedbook.client.swaps import TOLERANCE_BPS, NewSwap, SignedSwap, sign_swap


def quote_swap(
    session: Session, pair: str, side: Side, amount_in: Amount, *, tolerance_bps: int = TOLERANCE_BPS
) -> Flow[SwapQuote]:
    """What a swap would give with the book as it is now. Nothing is reserved, and nothing is promised."""
    body = {
        "tradingPairId": pair,
        "side": side,
        "amountIn": amount_text(amount_in),
        "toleranceBps": tolerance_bps,
    }
    return read(
        SwapQuote, (yield from ask(session, Call("POST", "/swaps/quote", body=body, signed_in=False)))
    )


def signed_swap(session: Session, swap: NewSwap) -> Flow[SignedSwap]:
    """Sign a swap, and do not send it. Where the least to receive is not said, a quote is asked for."""
    signer = signer_of(session)
    exchange = yield from exchange_info(session)
    of = yield from pair(session, swap.pair)
    if swap.min_amount_out is None:
        told = yield from quote_swap(
            session, of.symbol, swap.side, swap.amount_in, tolerance_bps=swap.tolerance_bps
        )
        swap = replace(swap, min_amount_out=told.suggested_min_amount_out)
    expiry = int(session.clock()) + swap.expires_in_s
    return sign_swap(signer, exchange, of, swap, nonce=session.new_nonce(), expiry=expiry)


def swap(session: Session, wish: NewSwap | SignedSwap) -> Flow[Swap]:
    """Sign and place a swap: for at least what was signed, or not at all. It is durable when this answers, and
    matched right after."""
    sent = wish if isinstance(wish, SignedSwap) else (yield from signed_swap(session, wish))
    # The key makes it safe to send again what may have been taken: the first answer comes back.
    return (yield from send(session, Swap, "/swaps", sent.body, key=f"swap-{sent.hash}"))


def one_swap(session: Session, swap_id: UUID | str) -> Flow[Swap]:
    """A swap of mine, with the trades that carried it out."""
    return (yield from get(session, Swap, f"/swaps/{segment(swap_id)}"))


def swaps(session: Session, cursor: str | None) -> Flow[Page[Swap]]:
    """My swaps, the newest first."""
    return (yield from page(session, Swap, "/swaps", cursor))


def wait_for_swap(session: Session, swap_id: UUID | str, within_s: float = 30) -> Flow[Swap]:
    """Ask for a swap until it has traded, or never will.

    Raises:
        StillWaiting: neither, in time.
    """

    def is_there(known: Swap) -> bool:
        return known.is_over

    return (
        yield from until(session, lambda: one_swap(session, swap_id), is_there, f"swap {swap_id}", within_s)
    )
