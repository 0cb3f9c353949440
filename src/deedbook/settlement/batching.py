"""From trades that wait to a transaction that carries them: what the contract says is asked before anything is sent,
and trades, batch and transaction are written in one commit.

A trade that will never pass fails here, alone, before it was sent. What was sent comes back first, whatever it was.
"""

from collections.abc import Sequence
from uuid import UUID

import structlog

from deedbook import chain, compliance, trading
from deedbook.chain.delivery import Batch, Delivery, SignedText, Verdict
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.terms import MAX_DATA_BYTES, Contract, TxStatus
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.ids import TokenId, UserId, new_uuid
from deedbook.settlement import failing, model, terms
from deedbook.settlement.events import SettlementSubmitted
from deedbook.settlement.model import Key, Plan
from deedbook.settlement.ports import Desk
from deedbook.settlement.store import batches as store
from deedbook.settlement.terms import SETTLE_BATCH, BatchId, SettlementStatus, Waiting

log = structlog.get_logger(__name__)

LOOKED_THROUGH = (500, 5000)
"""How far is looked for trades that nothing blocks: not far, and further where hardly any were found."""
NO_PREVIEW = "the node cannot be asked about it"
NOT_SIGNED = "what was signed is not kept any more"


async def send_next(db: Database, desk: Desk) -> bool:
    """Send the next batch, if it is time for one; `True` when something was decided.

    Raises:
        ChainUnavailable · DatabaseUnavailable: nothing was sent; again later.
    """
    under_way = await _not_mined(db)
    vault = (await chain.contracts(db, desk.chain_id)).get(Contract.SETTLEMENT)
    if vault is None or len(under_way) >= desk.figures.most_under_way:
        return False
    trades = await _due(db, desk, len(under_way))
    if not trades:
        return False
    texts = await store.signed_texts(db, _orders_of(trades))
    room = model.gas_room([batch.gas for batch in under_way], await store.used_percent(db))
    trades = fitting(desk, trades, texts, room)
    signed = [trade for trade in trades if trade.buy_order_id in texts and trade.sell_order_id in texts]
    plan = await _plan(db, desk, vault, signed, texts)
    plan.fail += [(trade, NOT_SIGNED) for trade in trades if trade not in signed]
    await failpoint("settle.afterClaim")
    await _write_refusals(db, plan)
    if plan.take:
        await _submit(db, desk, vault, plan.take, texts)
    return bool(plan.take or plan.fail)


async def _not_mined(db: Database) -> list[terms.Batch]:
    """The batches that are on their way into the chain, in their order. What lies in it and waits for its depth keeps
    nobody waiting: the lane's nonces keep the order."""
    open_now = await store.open_batches(db)
    statuses = await chain.statuses(db, [key_of(batch.batch_id) for batch in open_now])
    mined = (TxStatus.MINED, TxStatus.CONFIRMED, TxStatus.REVERTED)
    return [batch for batch in open_now if statuses.get(key_of(batch.batch_id)) not in mined]


async def _due(db: Database, desk: Desk, under_way: int) -> list[Waiting]:
    """The trades of the next batch, if it is full or its oldest has waited long enough for company."""
    now, trades = await store.now(db), list[Waiting]()
    for limit in LOOKED_THROUGH:
        waiting = await store.waiting(db, limit)
        trades = model.unblocked(waiting, now, desk.figures.max_trades)
        if len(trades) == desk.figures.max_trades or len(waiting) < limit:
            break
    # What was undone as a whole is tried in smaller parts.
    trades = trades[: min([len(trades), *(trade.batch_limit for trade in trades if trade.batch_limit)])]
    if not trades:
        return []
    oldest_s = (now - min(trade.executed_at for trade in trades)).total_seconds()
    full = len(trades) == desk.figures.max_trades
    return trades if full or oldest_s >= model.batch_wait_s(under_way, desk.figures) else []


def fitting(desk: Desk, trades: Sequence[Waiting], texts: dict[UUID, SignedText], gas: int) -> list[Waiting]:
    """As many of these, from the first on, as one transaction with so much gas carries; the first in any case."""
    cost, counted = desk.words.cost_of_batch(), set[UUID]()
    for place, trade in enumerate(trades):
        cost = cost + desk.words.cost_of_delivery()
        for order_id in (trade.buy_order_id, trade.sell_order_id):
            if order_id not in counted and order_id in texts:
                counted.add(order_id)
                cost = cost + desk.words.cost_of_text(texts[order_id])
        if place and not (cost.gas <= gas and cost.size <= MAX_DATA_BYTES):
            return list(trades[:place])
    return list(trades)


async def _plan(
    db: Database, desk: Desk, vault: Address, trades: Sequence[Waiting], texts: dict[UUID, SignedText]
) -> Plan:
    if not trades:
        return Plan()
    # Read before the chain is asked: what comes back in between must not be missing on both sides.
    under_way = await store.keys_under_way(db)
    verdicts = await _preview(desk, vault, trades, texts)
    if not verdicts:
        return Plan(rest=[(trades[0], NO_PREVIEW)])
    judged = [trade for trade in trades if trade.trade_id in verdicts]
    refused = [trade for trade in judged if verdicts[trade.trade_id].reason in model.OF_PARTIES]
    barred = await _barred(db, refused) if refused else ()
    return model.judge(judged, verdicts, under_way, await store.now(db), desk.figures, barred)


async def _barred(db: Database, trades: Sequence[Waiting]) -> set[Key]:
    """The parties of these trades whom our own records do not let have the token."""
    parties: dict[TokenId, set[UserId]] = {}
    for trade in trades:
        parties.setdefault(trade.base_token_id, set()).update((trade.buyer_id, trade.seller_id))
    barred: set[Key] = set()
    async with db.transaction() as tx:
        now = await tx.now()
        for token_id, users in parties.items():
            standings, _ = await compliance.standings(tx, token_id, sorted(users))
            barred |= {
                (user_id, token_id) for user_id, stands in standings.items() if not stands.holds_at(now)
            }
    return barred


async def _preview(
    desk: Desk, vault: Address, trades: Sequence[Waiting], texts: dict[UUID, SignedText]
) -> dict[UUID, Verdict]:
    """What the contract says of these; of the first of them, where a node gives one question too little gas; of none
    where not even the first can be asked about."""
    asked = list(trades)
    while asked:
        try:
            verdicts = await desk.words.preview(desk.node, vault, batch_of(asked, texts))
        except TransactionReverted:
            asked = asked[: len(asked) // 2]
        else:
            return {verdict.trade_id: verdict for verdict in verdicts}
    return {}


async def _write_refusals(db: Database, plan: Plan) -> None:
    for trade, reason in plan.fail:
        async with db.transaction() as tx:
            await failing.fail(tx, trade.trade_id, reason)
    if not plan.rest and not plan.known:
        return
    async with db.transaction() as tx:
        now = await tx.now()
        for trade, reason in plan.rest:
            not_before = now + model.look_again_after(trade.looks)
            await store.note_refusal(tx, trade.trade_id, reason, not_before)
        await store.note_known(tx, [trade.trade_id for trade in plan.known])
    for trade, reason in plan.rest:
        log.warning("settlement_waits", trade_id=str(trade.trade_id), reason=reason, looks=trade.looks + 1)


async def _submit(
    db: Database, desk: Desk, vault: Address, trades: Sequence[Waiting], texts: dict[UUID, SignedText]
) -> None:
    """Ask for the transaction, once: whoever finds one of the trades taken meanwhile writes nothing."""
    call = desk.words.settle(vault, batch_of(trades, texts))
    batch_id, trade_ids = BatchId(new_uuid()), [trade.trade_id for trade in trades]
    async with db.transaction() as tx:
        if not await store.lock_waiting(tx, trade_ids):
            return
        await chain.request(tx, key_of(batch_id), desk.operator, call)
        await store.add_batch(tx, batch_id, desk.chain_id, call.gas, len(call.data), trade_ids)
        await trading.settled.mark(tx, trade_ids, SettlementStatus.SUBMITTED.value)
        _tell(tx, batch_id, trade_ids)
        await failpoint("settle.beforeSign")
    await failpoint("settle.afterRequest")
    log.info("settlement_submitted", batch=str(batch_id), trades=len(trades), gas=call.gas)


def _tell(tx: Tx, batch_id: BatchId, trade_ids: Sequence[UUID]) -> None:
    told = SettlementSubmitted(batch_id=batch_id, trade_ids=tuple(trade_ids))  # type: ignore[arg-type]
    tx.emit(told, before={"status": None}, after={"status": SettlementStatus.SUBMITTED})
    tx.enqueue(SETTLE_BATCH, f"{SETTLE_BATCH.name}-{batch_id}", {"batchId": str(batch_id)})


def key_of(batch_id: BatchId) -> str:
    """Under which its one transaction is asked for."""
    return f"settle-{batch_id}"


def batch_of(trades: Sequence[Waiting], texts: dict[UUID, SignedText]) -> Batch:
    """These trades as the contract takes them, each signed text once."""
    orders = [order_id for order_id in _orders_of(trades) if texts[order_id].struct.name == "Order"]
    swaps = [order_id for order_id in _orders_of(trades) if texts[order_id].struct.name != "Order"]
    place = {order_id: number for number, order_id in enumerate([*orders, *swaps])}
    return Batch(
        orders=tuple(texts[order_id] for order_id in orders),
        swaps=tuple(texts[order_id] for order_id in swaps),
        deliveries=tuple(
            Delivery(
                trade_id=trade.trade_id,
                buy=place[trade.buy_order_id],
                sell=place[trade.sell_order_id],
                quantity=trade.base_amount,
                quote_amount=trade.quote_amount,
                buyer_fee=trade.buyer_fee,
                seller_fee=trade.seller_fee,
                matched_at=int(trade.executed_at.timestamp()),
            )
            for trade in trades
        ),
    )


def _orders_of(trades: Sequence[Waiting]) -> list[UUID]:
    return list(dict.fromkeys(id_ for trade in trades for id_ in (trade.buy_order_id, trade.sell_order_id)))
