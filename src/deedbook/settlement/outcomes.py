"""What the contract has told becomes what stands here: trades are settled by its events, under enough blocks; those
that a batch in the chain for good has not settled wait again. The ledger has moved when they were matched."""

from deedbook import ledger, trading
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint
from deedbook.ledger import LineKind, Move, Posting
from deedbook.settlement import carrying, model
from deedbook.settlement.events import SettlementDone
from deedbook.settlement.ports import Desk
from deedbook.settlement.store import outcomes as store
from deedbook.settlement.store.outcomes import Settlement, Told
from deedbook.settlement.telling import tell
from deedbook.settlement.terms import SettlementStatus
from deedbook.trading.spec import PairSpec

AT_ONCE = 200
NOT_SETTLED = "the transaction that carried it has not settled it"
S = SettlementStatus


async def take_in(db: Database, desk: Desk) -> int:
    """Let what was told have its effect; how many trades were settled or wait again."""
    async with db.transaction() as tx:
        told = await store.lock_settled(tx, desk.chain_id, AT_ONCE)
        if told:
            await _settle(tx, told)
            await failpoint("settle.beforeSettled")
            return len(told)
        # Only when no event is left to take in: what is not settled by then was not settled.
        batches = await store.lock_read_through(tx, desk.chain_id, desk.depth, AT_ONCE)
        for batch in batches:
            await carrying.give_back(tx, batch, NOT_SETTLED)
        return len(batches)


async def _settle(tx: Tx, told: list[Told]) -> None:
    await store.set_settled(tx, told)
    by_hash: dict[str, list[Settlement]] = {}
    for entry in told:
        by_hash.setdefault(entry.tx_hash, []).append(entry.settlement)
    for tx_hash, settled in by_hash.items():
        await trading.settled.mark(tx, [entry.trade_id for entry in settled], S.SETTLED.value, tx_hash)
    now = await tx.now()
    specs = {
        pair_id: await trading.settled.spec_of(tx, pair_id)
        for pair_id in {entry.settlement.pair_id for entry in told}
    }
    for entry in told:
        spec = specs[entry.settlement.pair_id]
        await _follow_fees(tx, spec, entry)
        _emit(tx, entry)
        await tell(tx, spec, entry.settlement, S.SETTLED, now, txHash=entry.tx_hash)


def _emit(tx: Tx, entry: Told) -> None:
    settled = entry.settlement
    told = SettlementDone(
        trade_id=settled.trade_id,
        trading_pair_id=settled.pair_id,
        buyer_id=settled.buyer_id,
        seller_id=settled.seller_id,
        tx_hash=entry.tx_hash,
    )
    tx.emit(told, before={"status": settled.status}, after={"status": S.SETTLED})


async def _follow_fees(tx: Tx, spec: PairSpec, entry: Told) -> None:
    """After an earlier trade of an order has failed, the contract takes a unit less of fee where rounding would exceed
    its cap. The ledger follows."""
    settled, delivered = entry.settlement, entry.args.get("delivered")
    if delivered is None:
        return
    moves: list[Move] = []
    for buy, user_id, charged, name in (
        (True, settled.buyer_id, settled.buyer_fee, "buyerFee"),
        (False, settled.seller_id, settled.seller_fee, "sellerFee"),
    ):
        less = charged - int(delivered[name])
        if less:
            token_id = spec.fee_token_id(buy=buy)
            moves += [
                Move(spec.fee_account_id, token_id, -less),
                Move(ledger.AccountId(user_id), token_id, less),
            ]
    if moves:
        posting = Posting(model.posting_id(settled.trade_id, "fee"), LineKind.COMPENSATION, tuple(moves))
        await ledger.post(tx, (posting,))
