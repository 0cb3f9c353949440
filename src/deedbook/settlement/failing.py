"""The published compensation: a trade that will never settle is undone by new ledger lines, fees too, and both users
are told. What was passed on meanwhile is owed: the rest stands in suspense until the account has it again, or people
resolve it.
"""

import structlog

from deedbook import custody, ledger, trading
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.ids import UserId
from deedbook.ledger import SUSPENSE, LineKind, Move, Posting
from deedbook.settlement import model
from deedbook.settlement.events import SettlementClaimPaid, SettlementClaimRaised, SettlementFailed
from deedbook.settlement.model import Balance, Claim
from deedbook.settlement.store import claims as store
from deedbook.settlement.store import outcomes
from deedbook.settlement.telling import tell
from deedbook.settlement.terms import SettlementStatus
from deedbook.trading.terms import TradeId

log = structlog.get_logger(__name__)

COLLECTED_AT_ONCE = 100
S = SettlementStatus


async def fail(tx: Tx, trade_id: TradeId, reason: str) -> bool:
    """End a trade that was not sent, or was undone for good, and give both sides back what it took; `False` when it
    does not wait."""
    settled = await outcomes.lock_one(tx, trade_id)
    if settled is None or settled.status is not S.PENDING:
        return False
    await outcomes.set_failed(tx, trade_id, settled.pair_id, reason)
    await _give_back(tx, trade_id)
    await trading.settled.mark(tx, [trade_id], S.FAILED.value)
    told = SettlementFailed(
        trade_id=trade_id,
        trading_pair_id=settled.pair_id,
        buyer_id=settled.buyer_id,
        seller_id=settled.seller_id,
        reason=reason,
    )
    tx.emit(told, before={"status": settled.status}, after={"status": S.FAILED})
    spec = await trading.settled.spec_of(tx, settled.pair_id)
    await tell(tx, spec, settled, S.FAILED, await tx.now(), reason=_word(reason))
    await failpoint("settle.beforeCompensated")
    log.error("settlement_failed", trade_id=str(trade_id), pair=spec.symbol, reason=reason)
    return True


def _word(reason: str) -> str:
    """Parties hear of the contract's own reasons by name; what else a node says is for operators."""
    return reason if reason.replace("_", "").isalnum() else "not_settled"


async def _give_back(tx: Tx, trade_id: TradeId) -> None:
    lines = await store.lines_of(tx, trade_id)
    claims = await store.lock_claims(tx, list(lines))
    available = await ledger.lock_available(tx, sorted(lines))
    made = model.restitution(trade_id, lines, available, claims)
    posting = Posting(model.undoing_id(trade_id), LineKind.COMPENSATION, tuple(made.moves))
    await ledger.post(tx, (posting,))
    await store.raise_claims(tx, made.raised)
    for claim in made.raised:
        log.error("settlement_claim_raised", trade_id=str(trade_id), account_id=str(claim.account_id))
        tx.emit(
            SettlementClaimRaised(
                trade_id=trade_id,
                account_id=claim.account_id,
                token_id=claim.token_id,
                amount=str(claim.amount),
            ),
            before={"claim": "0"},
            after={"claim": str(claim.amount)},
        )
    await _pay(tx, made.paid)


async def collect(db: Database) -> int:
    """Take what accounts owe from what they have now, and have what they have set aside set free: orders, and what was
    to leave. How many paid, or can with the next look."""
    async with db.transaction() as tx:
        owing = await store.owing(tx, COLLECTED_AT_ONCE)
    paid = 0
    for account_id, token_id in owing:
        async with db.transaction() as tx:
            paid += await _collect_from(tx, (account_id, token_id))
        async with db.transaction() as tx:
            if await store.owes(tx, account_id, token_id):
                # What it holds is available then, and taken with the next look.
                paid += await custody.owing.free_newest(tx, UserId(account_id), token_id)
    return paid


async def _collect_from(tx: Tx, balance: Balance) -> bool:
    account_id, token_id = balance
    claims = (await store.lock_claims(tx, [balance])).get(balance, [])
    available = (await ledger.lock_available(tx, [balance])).get(balance, 0)
    paid = model.pay(claims, available)
    amount = sum(claim.amount for claim in paid)
    if amount:
        moves = (Move(account_id, token_id, -amount), Move(SUSPENSE, token_id, amount))
        # Each claim's part makes the id: what is left of a claim tells the next collection from this one.
        name = ":".join(f"{claim.trade_id}-{claim.amount}" for claim in claims)
        posting = Posting(model.collection_id(account_id, token_id, name), LineKind.COMPENSATION, moves)
        await ledger.post(tx, (posting,))
        await _pay(tx, paid)
    if amount < sum(claim.amount for claim in claims):
        await trading.settled.end_orders_holding(tx, UserId(account_id), token_id)
    return bool(amount)


async def _pay(tx: Tx, paid: list[Claim]) -> None:
    for claim in paid:
        left = await store.pay_claim(tx, claim)
        tx.emit(
            SettlementClaimPaid(
                trade_id=claim.trade_id,
                account_id=claim.account_id,
                token_id=claim.token_id,
                amount=str(claim.amount),
                left=str(left),
            ),
            before={"claim": str(left + claim.amount)},
            after={"claim": str(left)},
        )
