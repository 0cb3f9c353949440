"""Use cases of orders: admit one, ask for the end or for less of one.

What commits money is signed; what only lessens exposure is not, and is a durable command before it is answered.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from deedbook import compliance
from deedbook.identity.typed_data import ORDER
from deedbook.infra.database import Tx
from deedbook.kernel.ids import PairId, TokenId, UserId, new_uuid
from deedbook.trading import live_facts, order_store
from deedbook.trading.admission import Admitted, OrderText, Quotes, Terms, judge
from deedbook.trading.engine import Ended
from deedbook.trading.errors import OrderNotFound, OrderOver
from deedbook.trading.live_facts import Moment
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import FINAL, OrderId, OrderStatus, Side

__all__ = ["ORDER", "admit", "bar", "cancel", "cancel_all", "reduce"]


def admit(
    text: OrderText,
    spec: PairSpec,
    quotes: Quotes,
    *,
    user_id: UserId,
    digest: bytes,
    signature: bytes,
    now: datetime,
    idempotency_key: str | None = None,
    fingerprint: bytes | None = None,
) -> Admitted:
    """An order that passes the pair's filters, ready to be written. Its signature has been verified.

    Raises:
        PairPaused · PairClosed · OrderFilter · NoPriceYet: see `admission.judge`.
    """
    return prepare(
        text,
        spec,
        judge(text, spec, quotes),
        user_id=user_id,
        digest=digest,
        signature=signature,
        now=now,
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
    )


def prepare(
    text: OrderText,
    spec: PairSpec,
    terms: Terms,
    *,
    user_id: UserId,
    digest: bytes,
    signature: bytes,
    now: datetime,
    idempotency_key: str | None = None,
    fingerprint: bytes | None = None,
    replaces: OrderId | None = None,
) -> Admitted:
    """The same for an order that was judged before its signature was looked at."""
    moment = Moment.of(now)
    order_id = OrderId(new_uuid())
    return Admitted(
        order_id=order_id,
        user_id=user_id,
        spec=spec,
        text=text,
        terms=terms,
        digest=digest,
        signature=signature,
        expires_at=datetime.fromtimestamp(text.expiry, UTC),
        created_at=now,
        idempotency_key=idempotency_key,
        fingerprint=fingerprint,
        answer=orjson.dumps(_answer(order_id, user_id, text, spec, terms, digest, moment.text)),
        fact=_created(order_id, user_id, text, spec, terms, moment),
        replaces=replaces,
    )


async def cancel(tx: Tx, user_id: UserId, order_id: OrderId) -> None:
    """Ask for an order's end. It is answered when the asking is durable; the book obeys right after.

    Raises:
        OrderNotFound: absent, or another's.
        OrderOver: nothing of it is left.
    """
    await order_store.add_command(tx, "CANCEL", await _living(tx, user_id, order_id), order_id, user_id, None)


async def reduce(tx: Tx, user_id: UserId, order_id: OrderId, remaining_lots: int) -> None:
    """Ask for less to remain of an order; it keeps its place. If less remains by then anyway, nothing happens.

    Raises:
        OrderNotFound · OrderOver: as above.
    """
    pair_id = await _living(tx, user_id, order_id)
    await order_store.add_command(tx, "REDUCE", pair_id, order_id, user_id, remaining_lots)


async def cancel_all(tx: Tx, user_id: UserId, pair_id: PairId | None) -> int:
    """Ask for the end of all living orders of a user, or of those on one pair; how many there were."""
    return await order_store.cancel_living(tx, user_id, "CANCELLED", pair_id=pair_id)


async def bar(tx: Tx, user_id: UserId, token_id: TokenId | None) -> None:
    """End the living orders of somebody whom compliance does not let trade now: on the pairs of one token, or on
    all. Decided anew here, since a fact may come late and speak of yesterday."""
    for pair_id, base in await order_store.pairs_with_orders_of(tx, user_id, token_id):
        found, _ = await compliance.standings(tx, base, [user_id])
        if not found[user_id].holds_at(await tx.now()):
            await order_store.cancel_living(tx, user_id, Ended.FROZEN.name, pair_id=pair_id)


async def _living(tx: Tx, user_id: UserId, order_id: OrderId) -> PairId:
    found = await order_store.owner_and_status(tx, order_id)
    if found is None or found[0] != user_id:
        raise OrderNotFound
    if OrderStatus(found[2]) in FINAL:
        raise OrderOver(f"it is {found[2]}")
    return found[1]


def _answer(
    order_id: UUID,
    user_id: UUID,
    text: OrderText,
    spec: PairSpec,
    terms: Terms,
    digest: bytes,
    now: str,
) -> dict[str, Any]:
    """What an accepted order is answered with: the same words as `GET /trading/orders/{id}` has for it."""
    return {
        "id": order_id,
        "tradingPairId": spec.pair_id,
        "pair": spec.symbol,
        "userId": user_id,
        "userAddress": text.trader,
        "side": text.side,
        "orderType": text.order_type,
        "timeInForce": text.time_in_force,
        "postOnly": text.post_only,
        "selfTrade": text.self_trade.name,
        "quantity": text.quantity,
        "price": text.price or None,
        "worstPrice": spec.price_text(terms.price_ticks),
        "stopPrice": text.stop_price or None,
        "maxFeeBps": text.max_fee_bps,
        "clientOrderId": text.client_order_id or None,
        "nonce": text.nonce,
        "expiry": text.expiry,
        "status": OrderStatus.PENDING_MATCH,
        "reason": None,
        "triggered": not text.order_type.is_stop,
        "filledQuantity": "0",
        "remainingQuantity": spec.size_text(terms.quantity_lots),
        "averageFillPrice": None,
        "fee": "0",
        "hash": "0x" + digest.hex(),
        "createdAt": now,
        "updatedAt": now,
    }


def _created(
    order_id: UUID, user_id: UUID, text: OrderText, spec: PairSpec, terms: Terms, moment: Moment
) -> str:
    named = str(order_id)
    payload = live_facts.head(
        spec,
        named,
        buy=text.side is Side.BUY,
        kind=text.order_type,
        price_ticks=terms.price_ticks,
        quantity=terms.quantity_lots,
        client_id=text.client_order_id,
    )
    status = live_facts.progress(spec, OrderStatus.PENDING_MATCH, 0, 0, terms.quantity_lots)
    whose = live_facts.whose(user_id, named, spec.pair_text)
    return live_facts.envelope(live_facts.CREATED, moment, whose, f"{payload},{status}")
