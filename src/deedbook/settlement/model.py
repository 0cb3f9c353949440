"""Rules of settlement. Pure: which trades go into the next batch, which wait, which fail, and what a failure gives
back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from deedbook.chain.delivery import DeliveryResult, FailureReason, Verdict
from deedbook.chain.terms import MAX_GAS
from deedbook.kernel.ids import TokenId, UserId
from deedbook.ledger import SUSPENSE, AccountId, Move
from deedbook.settlement.terms import Figures, Waiting
from deedbook.trading.terms import TradeId

COMPENSATIONS = UUID("3d1b8f0e-5c3f-5e0b-8a2d-0c3b6a9f4d71")
"""The name space of postings that make up for what the chain did otherwise."""
WAIT_IDLE_S = 0.2
MOST_GAS = MAX_GAS * 3 // 5
"""What one batch asks for: so that it still fits into a block in which something else came first."""
LEAST_GAS = MAX_GAS * 7 // 100
"""What is left of a block where less fits is left: a batch of two costs more than waiting."""
LOOK_AGAIN_S = 2.0
LOOK_AGAIN_CAP_S = 300.0
DRAINED = 0.8
"""A congested pair takes orders again once its backlog is down to this part of its bound."""
ENDS_BY_ITSELF = frozenset({FailureReason.PAUSED, FailureReason.PAIR_NOT_LISTED})
"""Reasons that are waited out: the contract itself refuses a trade once it is too old."""
OF_PARTIES = frozenset(
    {
        FailureReason.KYC_MISSING,
        FailureReason.KYC_EXPIRED,
        FailureReason.SENDER_FROZEN,
        FailureReason.RECEIVER_FROZEN,
    }
)
"""What the chain's register of identities says. It hears of our records later: its refusal is the last word only where
they say the same."""
Key = tuple[UserId, TokenId]
Balance = tuple[AccountId, TokenId]


@dataclass
class Plan:
    """What becomes of the trades that were looked at, in their order."""

    take: list[Waiting] = field(default_factory=list)
    fail: list[tuple[Waiting, str]] = field(default_factory=list)
    rest: list[tuple[Waiting, str]] = field(default_factory=list)
    known: list[Waiting] = field(default_factory=list)


def posting_id(trade_id: TradeId, what: str) -> UUID:
    """The one posting of this sort that a trade can ever make besides its own."""
    return uuid5(COMPENSATIONS, f"{what}:{trade_id}")


def undoing_id(trade_id: TradeId) -> UUID:
    """The posting that undoes a trade that will never settle."""
    return posting_id(trade_id, "failed")


def collection_id(account_id: AccountId, token_id: TokenId, claims: str) -> UUID:
    """The one posting that pays these claims as they stand."""
    return uuid5(COMPENSATIONS, f"claims:{account_id}:{token_id}:{claims}")


def batch_wait_s(under_way: int, figures: Figures) -> float:
    """How long the oldest trade waits for company: hardly at all while the chain has nothing of ours to do."""
    return min(figures.max_wait_s, WAIT_IDLE_S if not under_way else figures.wait_each_s * under_way)


def gas_room(under_way: Sequence[int], used_percent: int) -> int:
    """How much gas the next batch may ask for, so that it goes into one block with those before it.

    A block takes a transaction while what that asks for fits beside what others have used, which is about half of what
    they had asked for. One large batch therefore leaves half of its block empty, and smaller ones after it fill that.
    """
    left = MAX_GAS
    for asked in under_way:
        if asked > left:
            left = MAX_GAS
        left -= asked * used_percent // 100
    return min(MOST_GAS, left if left >= LEAST_GAS else MAX_GAS)


def look_again_after(looks: int) -> timedelta:
    """When a trade that was refused is looked at again: ever more rarely."""
    return timedelta(seconds=min(LOOK_AGAIN_CAP_S, LOOK_AGAIN_S * 2 ** min(looks, 16)))


def unblocked(waiting: Sequence[Waiting], now: datetime, most: int) -> list[Waiting]:
    """Those to look at now: in their order, and none before an earlier trade that moves one of its balances."""
    blocked: set[Key] = set()
    found: list[Waiting] = []
    for trade in waiting:
        if trade.rests_at(now) or trade.keys & blocked:
            blocked |= trade.keys
        elif len(found) < most:
            found.append(trade)
        else:
            break
    return found


def judge(
    trades: Sequence[Waiting],
    verdicts: Mapping[UUID, Verdict],
    under_way: Collection[Key],
    now: datetime,
    figures: Figures,
    barred: Collection[Key] = (),
) -> Plan:
    """Sort trades by what the contract says of each. One that has to wait keeps those after it waiting that move one
    of its balances; one that has failed for good keeps nobody. `barred` are those whom our own records do not let have
    a token now."""
    plan, blocked = Plan(), set[Key]()
    for trade in trades:
        verdict = verdicts[trade.trade_id]
        if trade.keys & blocked:
            blocked |= trade.keys
        elif verdict.result is DeliveryResult.SETTLED and trade.sends >= figures.max_sends:
            plan.fail.append((trade, f"sent {trade.sends} times, and not settled"))
        elif verdict.result is DeliveryResult.SETTLED:
            plan.take.append(trade)
        elif verdict.result is DeliveryResult.ALREADY_SETTLED:
            plan.known.append(trade)
        elif _is_final(trade, verdict, under_way, now, figures, barred):
            plan.fail.append((trade, reason_of(verdict)))
        else:
            plan.rest.append((trade, reason_of(verdict)))
            blocked |= trade.keys
    return plan


def _is_final(
    trade: Waiting,
    verdict: Verdict,
    under_way: Collection[Key],
    now: datetime,
    figures: Figures,
    barred: Collection[Key],
) -> bool:
    if verdict.reason in OF_PARTIES:
        return not trade.keys.isdisjoint(barred)
    if verdict.reason is FailureReason.RATE_NOT_SIGNED and trade.keys & set(under_way):
        return False  # a swap's rate is that of all its trades together, and those before may be on their way
    if verdict.reason not in (None, FailureReason.UNKNOWN) and not verdict.reason.may_pass:
        return True
    if trade.keys & set(under_way) or trade.refused_at is None or verdict.reason in ENDS_BY_ITSELF:
        return False
    return now - trade.refused_at >= timedelta(seconds=figures.patience_s)


def reason_of(verdict: Verdict) -> str:
    """Why, as it is shown."""
    return verdict.reason.value if verdict.reason is not None else verdict.detail


@dataclass(frozen=True)
class Claim:
    """What an account owes."""

    trade_id: TradeId
    account_id: AccountId
    token_id: TokenId
    amount: int


@dataclass
class Restitution:
    """The moves that give both sides back what a trade took, what remains owed, and what older debts it pays."""

    moves: list[Move] = field(default_factory=list)
    raised: list[Claim] = field(default_factory=list)
    paid: list[Claim] = field(default_factory=list)


def restitution(
    trade_id: TradeId,
    lines: Mapping[Balance, int],
    available: Mapping[Balance, int],
    claims: Mapping[Balance, Sequence[Claim]],
) -> Restitution:
    """What undoes the lines of a trade. What an account has passed on is owed, and suspense stands in for it; what it
    is given pays what it owes first."""
    made = Restitution()
    suspense: dict[TokenId, int] = {}
    for (account_id, token_id), amount in sorted(lines.items()):
        if amount > 0:
            taken = min(amount, available.get((account_id, token_id), 0))
            moved, short = -taken, amount - taken
            if short:
                made.raised.append(Claim(trade_id, account_id, token_id, short))
        else:
            paid = pay(claims.get((account_id, token_id), ()), -amount)
            made.paid += paid
            short = -sum(claim.amount for claim in paid)
            moved = -amount + short
        if moved:
            made.moves.append(Move(account_id, token_id, moved))
        suspense[token_id] = suspense.get(token_id, 0) - short
    made.moves += [Move(SUSPENSE, token_id, amount) for token_id, amount in suspense.items() if amount]
    return made


def pay(claims: Sequence[Claim], amount: int) -> list[Claim]:
    """The parts of these claims that so much pays, the oldest first."""
    paid = []
    for claim in claims:
        part = min(claim.amount, amount)
        amount -= part
        if part:
            paid.append(Claim(claim.trade_id, claim.account_id, claim.token_id, part))
    return paid


def is_congested(unsettled: int, bound: int, *, now: bool) -> bool:
    """Whether a pair has to let the chain catch up. `now`: whether it does already."""
    return unsettled > bound * DRAINED if now else unsettled >= bound
