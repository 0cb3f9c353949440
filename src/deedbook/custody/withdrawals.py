"""Use cases of withdrawals until they are on their way: ask, approve, reject, cancel."""

from datetime import datetime

from deedbook import identity, ledger
from deedbook.custody import destinations, limits, model, payouts
from deedbook.custody.errors import (
    AlreadyDecided,
    WithdrawalChanged,
    WithdrawalLimitExceeded,
    WithdrawalMoved,
    WithdrawalNotFound,
)
from deedbook.custody.events import (
    WithdrawalApprovalGiven,
    WithdrawalApproved,
    WithdrawalCancelled,
    WithdrawalRejected,
    WithdrawalRequested,
)
from deedbook.custody.ports import Policy
from deedbook.custody.requests import Checked
from deedbook.custody.store import withdrawals as store
from deedbook.custody.terms import (
    PROCESS_WITHDRAWAL,
    Verdict,
    Withdrawal,
    WithdrawalId,
    WithdrawalStatus,
)
from deedbook.identity import Caller
from deedbook.identity.errors import FourEyes
from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.amounts import to_text
from deedbook.kernel.events import SYSTEM, Actor
from deedbook.kernel.ids import new_uuid
from deedbook.ledger.model import Hold
from deedbook.ledger.terms import AccountId, HoldOwner

POLICY = "policy"
"""The approver's name where the limits need no person."""
S = WithdrawalStatus


async def request(tx: Tx, caller: Caller, checked: Checked, policy: Policy) -> Withdrawal:
    """Take a signed withdrawal in: nonce, compliance, destination, limit, then hold the money.

    Raises:
        DuplicateAction · NonceUsed: this was signed or sent before.
        Ineligible: one of compliance's reasons.
        DestinationRefused · DestinationNotListed: not there.
        WithdrawalLimitExceeded · InsufficientFunds: not so much.
    """
    withdrawal_id = WithdrawalId(new_uuid())
    await identity.record_action(tx, checked.action, withdrawal_id)
    token, amount = checked.token, checked.amount
    destination = Address(checked.action.text["destination"])
    await destinations.require_eligible(tx, token, caller.user_id, destination, amount)
    await destinations.require_allowed(tx, caller.user_id, destination, checked.ours)
    await store.take_turn(tx, caller.user_id, token.token_id)
    allowed = await limits.of_token(tx, token, policy)
    lately = await store.left_lately(tx, caller.user_id, token.token_id)
    if model.exceeds_daily_limit(amount, lately, allowed):
        most = to_text(allowed.daily_limit, token.decimals)
        raise WithdrawalLimitExceeded(
            f"at most {most} {token.symbol} in 24 hours, what is under way included"
        )
    needed = model.approvals_needed(amount, lately, allowed)
    draft = _draft(withdrawal_id, caller, checked, destination, needed, await tx.now())
    asked = await store.add(tx, draft, checked.action)
    await ledger.hold(
        tx, Hold(HoldOwner.WITHDRAWAL, withdrawal_id, AccountId(caller.user_id), token.token_id, amount)
    )
    told = WithdrawalRequested(
        withdrawal_id=withdrawal_id,
        user_id=caller.user_id,
        token_id=token.token_id,
        amount=to_text(amount, token.decimals),
        destination=destination,
        approvals_needed=asked.approvals_needed,
    )
    tx.emit(told, caller.actor, before={"status": None}, after={"status": asked.status})
    if asked.approvals_needed == 0:
        await store.add_approval(tx, withdrawal_id, POLICY, Verdict.APPROVED, "within the automatic limit")
        return await _approved(tx, asked, POLICY, SYSTEM)
    return asked


def _draft(
    withdrawal_id: WithdrawalId,
    caller: Caller,
    checked: Checked,
    destination: Address,
    approvals_needed: int,
    now: datetime,
) -> Withdrawal:
    return Withdrawal(
        withdrawal_id=withdrawal_id,
        user_id=caller.user_id,
        account=checked.action.account,
        token_id=checked.token.token_id,
        amount=checked.amount,
        destination=destination,
        status=S.PENDING_APPROVAL,
        approvals_needed=approvals_needed,
        reason=None,
        expires_at=checked.action.expires_at,
        tx_hash=None,
        version=1,
        created_at=now,
        updated_at=now,
    )


async def decide(
    tx: Tx, caller: Caller, withdrawal_id: WithdrawalId, verdict: Verdict, reason: str, seen: int | None
) -> Withdrawal:
    """Take an approver's word. The last approval that is needed sends the withdrawal on its way.

    Raises:
        WithdrawalNotFound · WithdrawalChanged · FourEyes · WithdrawalMoved · AlreadyDecided: see there.
    """
    withdrawal = await _locked(tx, withdrawal_id, seen)
    if withdrawal.user_id == caller.user_id or withdrawal.destination == caller.account:
        raise FourEyes("neither whose withdrawal it is nor who receives it decides on it")
    if withdrawal.status is not S.PENDING_APPROVAL:
        raise WithdrawalMoved(f"it is {withdrawal.status.value}")
    if not await store.add_approval(tx, withdrawal_id, str(caller.user_id), verdict, reason):
        raise AlreadyDecided
    if verdict is Verdict.REJECTED:
        await ledger.release(tx, HoldOwner.WITHDRAWAL, withdrawal_id)
        told = WithdrawalRejected(**payouts.about(withdrawal), reason=reason)
        return await payouts.move(tx, withdrawal, S.REJECTED, told, caller.actor, reason=reason)
    if await store.approvals(tx, withdrawal_id) < withdrawal.approvals_needed:
        given = await store.save(tx, withdrawal)
        told_of = WithdrawalApprovalGiven(**payouts.about(withdrawal), approver=str(caller.user_id))
        tx.emit(told_of, caller.actor, before=payouts.audited(withdrawal), after=payouts.audited(given))
        return given
    return await _approved(tx, withdrawal, str(caller.user_id), caller.actor)


async def cancel(tx: Tx, caller: Caller, withdrawal_id: WithdrawalId, seen: int | None) -> Withdrawal:
    """Let the owner take it back, while nobody has approved it for good.

    Raises:
        WithdrawalNotFound · WithdrawalChanged · WithdrawalMoved: see there.
    """
    withdrawal = await _locked(tx, withdrawal_id, None)
    if withdrawal.user_id != caller.user_id:
        raise WithdrawalNotFound
    _require_version(withdrawal, seen)
    if withdrawal.status is not S.PENDING_APPROVAL:
        raise WithdrawalMoved(f"it is {withdrawal.status.value}")
    await ledger.release(tx, HoldOwner.WITHDRAWAL, withdrawal_id)
    return await payouts.move(
        tx, withdrawal, S.CANCELLED, WithdrawalCancelled(**payouts.about(withdrawal)), caller.actor
    )


async def _approved(tx: Tx, withdrawal: Withdrawal, approver: str, actor: Actor) -> Withdrawal:
    told = WithdrawalApproved(**payouts.about(withdrawal), approver=approver)
    approved = await payouts.move(tx, withdrawal, S.APPROVED, told, actor)
    withdrawal_id = str(withdrawal.withdrawal_id)
    tx.enqueue(
        PROCESS_WITHDRAWAL, f"{PROCESS_WITHDRAWAL.name}-{withdrawal_id}", {"withdrawalId": withdrawal_id}
    )
    return approved


async def _locked(tx: Tx, withdrawal_id: WithdrawalId, seen: int | None) -> Withdrawal:
    withdrawal = await store.lock(tx, withdrawal_id)
    if withdrawal is None:
        raise WithdrawalNotFound
    _require_version(withdrawal, seen)
    return withdrawal


def _require_version(withdrawal: Withdrawal, seen: int | None) -> None:
    if seen is not None and seen != withdrawal.version:
        raise WithdrawalChanged(
            f"you saw version {seen}; it is now {withdrawal.version}: look again, then decide"
        )
