"""Swaps in tests: as admission lets them in, without their signature being looked at."""

import itertools
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from deedbook.bench.venue import account_of
from deedbook.identity import SignedAction
from deedbook.identity.typed_data import SWAP
from deedbook.infra.database import Database
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.trading import swaps
from deedbook.trading.spec import PairSpec
from deedbook.trading.swap_terms import SwapText, judge_swap
from deedbook.trading.swaps import CheckedSwap
from deedbook.trading.terms import OrderId, Side

_nonces = itertools.count()


def checked(
    spec: PairSpec, user_id: UserId, side: str, amount_in: str, min_amount_out: str, **more: Any
) -> CheckedSwap:
    """A swap that may come in."""
    now = datetime.now(UTC)
    expires_at = more.get("expires_at", now + timedelta(days=1))
    text = SwapText(
        trader=account_of(user_id),
        pair=spec.symbol,
        side=Side(side),
        amount_in=amount_in,
        min_amount_out=min_amount_out,
        max_fee_bps=spec.fee_bps,
        nonce=more.get("nonce", f"s-{next(_nonces)}"),
        expiry=int(expires_at.timestamp()),
    )
    action = SignedAction(
        SWAP, account_of(user_id), text.nonce, expires_at, text.values(), os.urandom(32), b"\1" * 65
    )
    return CheckedSwap(OrderId(new_uuid()), text, spec, judge_swap(text, spec), action, now)


async def swap(
    db: Database, spec: PairSpec, user_id: UserId, side: str, amount_in: str, min_amount_out: str, **more: Any
) -> OrderId:
    """A swap that was taken in."""
    asked = checked(spec, user_id, side, amount_in, min_amount_out, **more)
    async with db.transaction() as tx:
        return await swaps.place(tx, user_id, asked)
