"""Steps of an approved withdrawal on its way out of the vault. From `PROCESSING` on the chain alone decides: what is
held stays held until the vault's event takes it, or until the contract has undone the transaction for good."""

from dataclasses import replace
from typing import Any

from deedbook import chain, ledger, tokens
from deedbook.chain.terms import Contract
from deedbook.chain.vault import reference_of
from deedbook.custody import destinations, model
from deedbook.custody.events import (
    WithdrawalCompleted,
    WithdrawalFailed,
    WithdrawalInDoubt,
    WithdrawalProcessing,
    WithdrawalSubmitted,
)
from deedbook.custody.ports import Desk
from deedbook.custody.store import coverage
from deedbook.custody.store import withdrawals as store
from deedbook.custody.terms import Withdrawal, WithdrawalId, WithdrawalStatus
from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.errors import Refusal
from deedbook.kernel.events import SYSTEM, Actor, Fact
from deedbook.ledger.terms import HoldOwner

S = WithdrawalStatus


def key_of(withdrawal_id: WithdrawalId) -> str:
    """Under which its one transaction is asked for."""
    return f"withdrawal-{withdrawal_id}"


async def begin(tx: Tx, desk: Desk, withdrawal_id: WithdrawalId, contracts: dict[Contract, Address]) -> bool:
    """Ask for the transaction of an approved withdrawal, once; `False` when there is nothing to wait for.

    What trades have brought waits for their settlement. Compliance and the owner's list are asked again: who was
    frozen or expired since gets nothing out, and nothing goes to an address that was closed since.
    """
    withdrawal = await store.lock(tx, withdrawal_id)
    if withdrawal is None or withdrawal.status not in (S.APPROVED, *model.SENT_WITHDRAWALS):
        return False
    if withdrawal.status is not S.APPROVED:
        return True
    # One after the other, so that no two count on the same settled part.
    await store.take_turn(tx, withdrawal.user_id, withdrawal.token_id)
    if not await _is_covered(tx, withdrawal):
        return False
    reason = await _why_not(tx, withdrawal)
    if reason is not None:
        await fail(tx, withdrawal_id, reason)
        return False
    signed = await store.signed(tx, withdrawal_id)
    call = desk.words.withdraw(
        contracts[Contract.SETTLEMENT], signed.text, signed.signature, reference_of(withdrawal_id)
    )
    await chain.request(tx, key_of(withdrawal_id), desk.operator, call)
    await move(tx, withdrawal, S.PROCESSING, WithdrawalProcessing(**about(withdrawal)))
    return True


async def is_covered(tx: Tx, withdrawal_id: WithdrawalId) -> bool:
    """Whether nothing that it takes out waits for the settlement of trades."""
    withdrawal = await store.lock(tx, withdrawal_id)
    if withdrawal is None or withdrawal.status is not S.APPROVED:
        return True
    return await _is_covered(tx, withdrawal)


async def _is_covered(tx: Tx, withdrawal: Withdrawal) -> bool:
    free = await coverage.covered(tx, withdrawal.user_id, withdrawal.token_id, withdrawal.withdrawal_id)
    return free >= withdrawal.amount


async def _why_not(tx: Tx, withdrawal: Withdrawal) -> str | None:
    if withdrawal.expires_at <= await tx.now():
        return "what was signed has expired"
    token = await tokens.of_id(tx, withdrawal.token_id)
    assert token is not None, "tokens are never removed"
    try:
        await destinations.require_listed(tx, withdrawal.user_id, withdrawal.destination)
        await destinations.require_eligible(
            tx, token, withdrawal.user_id, withdrawal.destination, withdrawal.amount, executing=True
        )
    except Refusal as refusal:
        return f"{refusal.code}: {refusal.detail}"
    return None


async def submitted(tx: Tx, withdrawal_id: WithdrawalId, tx_hash: str) -> None:
    """Its transaction is final. The vault's event, not this, takes the money."""
    withdrawal = await store.lock(tx, withdrawal_id)
    if withdrawal is not None and withdrawal.status in (S.PROCESSING, S.UNKNOWN):
        told = WithdrawalSubmitted(**about(withdrawal), tx_hash=tx_hash)
        await move(tx, replace(withdrawal, tx_hash=tx_hash), S.SUBMITTED, told)


async def doubt(tx: Tx, withdrawal_id: WithdrawalId) -> None:
    """The chain has not answered in time. Nothing is given back: it may answer yet."""
    withdrawal = await store.lock(tx, withdrawal_id)
    if withdrawal is not None and withdrawal.status is S.PROCESSING:
        await move(tx, withdrawal, S.UNKNOWN, WithdrawalInDoubt(**about(withdrawal)))


async def fail(tx: Tx, withdrawal_id: WithdrawalId, reason: str) -> None:
    """It was not sent, or was undone for good: what is held is available again."""
    withdrawal = await store.lock(tx, withdrawal_id)
    if withdrawal is None or S.FAILED not in model.WITHDRAWAL_MOVES[withdrawal.status]:
        return
    await ledger.release(tx, HoldOwner.WITHDRAWAL, withdrawal_id)
    told = WithdrawalFailed(**about(withdrawal), reason=reason)
    await move(tx, withdrawal, S.FAILED, told, reason=reason)


async def fail_unsent(tx: Tx, withdrawal_id: WithdrawalId, reason: str) -> None:
    """End one of which the chain has not been asked anything; one that was asked for meanwhile goes on."""
    withdrawal = await store.lock(tx, withdrawal_id)
    if withdrawal is not None and withdrawal.status in (S.PENDING_APPROVAL, S.APPROVED):
        await fail(tx, withdrawal_id, reason)


async def complete(tx: Tx, withdrawal: Withdrawal, amount: str, tx_hash: str) -> None:
    """The vault has paid it out, and the ledger has followed."""
    told = WithdrawalCompleted(**about(withdrawal), amount=amount, tx_hash=tx_hash)
    await move(tx, replace(withdrawal, tx_hash=tx_hash), S.COMPLETED, told)


async def expire(tx: Tx, limit: int) -> int:
    """End withdrawals whose signature expired before anybody approved; how many these were."""
    expired = await store.lock_expired(tx, await tx.now(), limit)
    for withdrawal in expired:
        await fail(tx, withdrawal.withdrawal_id, "what was signed has expired")
    return len(expired)


async def move(
    tx: Tx,
    withdrawal: Withdrawal,
    to: WithdrawalStatus,
    told: Fact,
    actor: Actor = SYSTEM,
    *,
    reason: str | None = None,
) -> Withdrawal:
    """Let it stand elsewhere now, and tell so."""
    assert to in model.WITHDRAWAL_MOVES[withdrawal.status], f"{withdrawal.status} never becomes {to}"
    saved = await store.save(tx, replace(withdrawal, status=to, reason=reason or withdrawal.reason))
    tx.emit(told, actor, before=audited(withdrawal), after=audited(saved))
    return saved


def about(withdrawal: Withdrawal) -> dict[str, Any]:
    """What every fact about it says."""
    return {
        "withdrawal_id": withdrawal.withdrawal_id,
        "user_id": withdrawal.user_id,
        "token_id": withdrawal.token_id,
    }


def audited(withdrawal: Withdrawal) -> dict[str, Any]:
    """What an auditor compares."""
    return {"status": withdrawal.status, "version": withdrawal.version, "txHash": withdrawal.tx_hash}
