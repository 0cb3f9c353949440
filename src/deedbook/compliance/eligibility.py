"""Use cases: judge an operation, insist on it, and say beforehand what would be said.

Asked twice of every operation, when it is admitted and again when it is executed: whoever was eligible yesterday
may be frozen, expired or locked up today. Between its execution and the vault's event an operation has no balance
yet: where holdings are limited it leaves a pledge, which counts as if the receiver had the amount already.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from deedbook import ledger
from deedbook.compliance import pledges, rules, store
from deedbook.compliance.errors import TokenNotFound, refusal
from deedbook.compliance.model import Case, Party
from deedbook.compliance.terms import Operation, Pledge, Reason, TokenFacts, TokenRules
from deedbook.infra.database import Tx
from deedbook.kernel.ids import TokenId, UserId
from deedbook.ledger.terms import AccountId


@dataclass(frozen=True)
class Preview:
    """What would be said, and what every check says, in their order."""

    reason: Reason
    checks: tuple[tuple[str, Reason], ...]


async def judge(
    tx: Tx,
    operation: Operation,
    token_id: TokenId,
    sender: UserId | None,
    receiver: UserId | None,
    amount: int,
    *,
    executing: bool = False,
) -> Reason:
    """Whether the rules allow it, and if not, the first reason why.

    `None` stands for the house (fee, treasury, chain) and for a wallet outside the vault. `executing` says that
    the operation's own hold stands already; where holdings are limited, executions then take their turn by a lock
    on the token's rules that lasts until the commit.

    Raises:
        TokenNotFound: there is no such token.
    """
    case = await _case(tx, operation, token_id, sender, receiver, amount, executing=executing)
    return rules.judge(case)[0]


async def require_eligible(
    tx: Tx,
    operation: Operation,
    token_id: TokenId,
    sender: UserId | None,
    receiver: UserId | None,
    amount: int,
    *,
    executing: bool = False,
    operation_id: UUID | None = None,
) -> None:
    """Go on only if the rules allow it; see `judge`.

    An execution that names its `operation_id` keeps room for its amount below the token's caps until `redeem`;
    asked again under the same id it is not in its own way.

    Raises:
        Ineligible: one of its classes; `extra["reason"]` holds the reason's number.
        InsufficientFunds: reason 4, the sender does not have so much to spend.
        TokenNotFound: there is no such token.
    """
    case = await _case(
        tx, operation, token_id, sender, receiver, amount, executing=executing, operation_id=operation_id
    )
    reason, check = rules.judge(case)
    if reason is not Reason.NONE:
        raise refusal(reason, check.partition(".")[0])
    if executing and operation_id is not None and receiver is not None and _is_counted(case):
        await pledges.add(tx, operation_id, token_id, receiver, amount)


async def room(tx: Tx, token_id: TokenId, user_id: UserId) -> int | None:
    """How much more of a token somebody may have, in base units; `None` where nothing limits what they hold.

    Raises:
        TokenNotFound: there is no such token.
    """
    case = await _case(tx, Operation.TRADE, token_id, None, user_id, 0, executing=False)
    receiver, cap = case.receiver, case.rules.max_ownership
    if not case.regulated or cap is None or receiver is None or receiver.is_issuer:
        return None
    return max(cap - receiver.holding, 0)


async def redeem(tx: Tx, operation_id: UUID) -> None:
    """The operation has its effect, or will never have one: its pledge is gone. Without one nothing changes."""
    await pledges.remove(tx, operation_id)


async def preview(
    tx: Tx,
    operation: Operation,
    token_id: TokenId,
    sender: UserId | None,
    receiver: UserId | None,
    amount: int,
) -> Preview:
    """What `require_eligible` would say now, and every check with it.

    Raises:
        TokenNotFound: there is no such token.
    """
    case = await _case(tx, operation, token_id, sender, receiver, amount, executing=False)
    return Preview(rules.judge(case)[0], tuple(rules.outcomes(case)))


async def _case(
    tx: Tx,
    operation: Operation,
    token_id: TokenId,
    sender: UserId | None,
    receiver: UserId | None,
    amount: int,
    *,
    executing: bool,
    operation_id: UUID | None = None,
) -> Case:
    token = await store.token(tx, token_id)
    if token is None:
        raise TokenNotFound
    asked = await store.rules(tx, token_id)
    if executing and token.regulated and asked.counts:
        asked = await store.rules(tx, token_id, lock=True)
    # Before the balances: what is redeemed meanwhile is counted twice for once, and never not at all.
    pledged = await pledges.under_way(tx, token_id, operation_id) if asked.counts else {}
    own = amount if executing else None
    return Case(
        operation=operation,
        regulated=token.regulated,
        rules=asked,
        sender=await _party(tx, token, asked, pledged, sender, own) if sender is not None else None,
        receiver=await _party(tx, token, asked, pledged, receiver, own) if receiver is not None else None,
        amount=amount,
        holders=await _holders(tx, token, pledged) if asked.max_holders is not None else 0,
        now=await tx.now(),
    )


async def _party(
    tx: Tx,
    token: TokenFacts,
    asked: TokenRules,
    pledged: Mapping[UserId, Pledge],
    user_id: UserId,
    own: int | None,
) -> Party:
    """`own` is what the operation itself holds already, if it is executed. What others hold that are to leave has left
    where a lock-up binds: they were judged at the same moment as this one, perhaps."""
    account = AccountId(user_id)
    profile = await store.profile(tx, user_id)
    available, locked = await ledger.balance(tx, account, token.token_id)
    lately = asked.lock_up_days and await ledger.received_since(
        tx, account, token.token_id, asked.lock_up_days
    )
    spendable = available if own is None else available + locked
    if own is not None and lately:
        spendable -= max(await ledger.leaving(tx, account, token.token_id) - own, 0)
    return Party(
        frozen=profile is not None and profile.frozen,
        sanctioned=profile is not None and profile.sanctioned,
        record=await store.record(tx, user_id, token.token_id) if token.regulated else None,
        is_issuer=user_id == token.issuer,
        holding=available + locked + (pledged[user_id].amount if user_id in pledged else 0),
        spendable=spendable,
        received_lately=lately,
    )


async def _holders(tx: Tx, token: TokenFacts, pledged: Mapping[UserId, Pledge]) -> int:
    """How many hold some or soon will, without the issuer, who distributes."""
    count = await ledger.holders(tx, token.token_id)
    count += sum(pledge.is_new and user_id != token.issuer for user_id, pledge in pledged.items())
    if token.issuer is None:
        return count
    held = await ledger.balance(tx, AccountId(token.issuer), token.token_id)
    return count - (sum(held) > 0)


def _is_counted(case: Case) -> bool:
    return case.regulated and case.rules.counts
