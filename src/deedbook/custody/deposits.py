"""Use cases of deposits: announce, have relayed, credit what the vault has taken, let announcements end.

Money never depends on an announcement: what the vault tells is credited in any case.
"""

from dataclasses import replace
from typing import Any

from deedbook import chain, compliance, identity
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.terms import Call, Contract
from deedbook.chain.vault import Permit
from deedbook.compliance import Operation
from deedbook.custody.events import (
    DepositCredited,
    DepositExpired,
    DepositFailed,
    DepositRequested,
    DepositSubmitted,
)
from deedbook.custody.ports import Desk
from deedbook.custody.requests import Checked
from deedbook.custody.store import deposits as store
from deedbook.custody.terms import RELAY_DEPOSIT, Deposit, DepositId, DepositStatus
from deedbook.identity import Caller
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.kernel.amounts import to_text
from deedbook.kernel.events import SYSTEM, Actor, Fact
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.tokens import Token

S = DepositStatus


def key_of(deposit_id: DepositId) -> str:
    """Under which its one transaction is asked for."""
    return f"deposit-{deposit_id}"


async def request(tx: Tx, caller: Caller, checked: Checked, *, relay: bool, permit: Permit | None) -> Deposit:
    """Take an announced deposit in; with `relay` the platform brings it to the vault.

    Raises:
        DuplicateAction · NonceUsed: this was signed or sent before.
        Ineligible: one of compliance's reasons.
    """
    deposit_id, token = DepositId(new_uuid()), checked.token
    await identity.record_action(tx, checked.action, deposit_id)
    await compliance.require_eligible(
        tx, Operation.DEPOSIT, token.token_id, None, caller.user_id, checked.amount
    )
    deposit = await store.add_requested(
        tx, deposit_id, caller.user_id, token.token_id, checked.amount, checked.action, relay, permit
    )
    amount = to_text(deposit.amount, token.decimals)
    told = DepositRequested(**_about(deposit), amount=amount, relayed=relay)
    tx.emit(told, caller.actor, before={"status": None}, after={"status": deposit.status})
    if relay:
        tx.enqueue(RELAY_DEPOSIT, f"{RELAY_DEPOSIT.name}-{deposit_id}", {"depositId": str(deposit_id)})
    return deposit


async def begin(tx: Tx, desk: Desk, deposit_id: DepositId, contracts: dict[Contract, Address]) -> bool:
    """Ask for the transaction that brings a deposit, once; `False` when there is nothing to wait for."""
    deposit = await store.lock(tx, deposit_id)
    if deposit is None or deposit.status is not S.REQUESTED:
        return False
    if await chain.is_requested(tx, key_of(deposit_id)):
        return True
    if deposit.expires_at is not None and deposit.expires_at <= await tx.now():
        await fail(tx, deposit_id, "what was signed has expired")
        return False
    await chain.request(tx, key_of(deposit_id), desk.operator, await _call(tx, desk, deposit_id, contracts))
    return True


async def rehearse(
    db: Database, desk: Desk, deposit_id: DepositId, contracts: dict[Contract, Address]
) -> str | None:
    """Why the contract would undo it now; `None` when it would not, or when it was asked for already. Anybody may
    bring a deposit, so a call without a sender tells; and nobody can have us pay for one that cannot succeed.

    Raises:
        ChainUnavailable: the node gives no answer.
    """
    async with db.transaction() as tx:
        deposit = await store.lock(tx, deposit_id)
        if deposit is None or deposit.status is not S.REQUESTED:
            return None
        if await chain.is_requested(tx, key_of(deposit_id)):
            return None
        call = await _call(tx, desk, deposit_id, contracts)
    assert call.to is not None, "the vault stands"
    try:
        await desk.node.call(call.to, call.data)
    except TransactionReverted as undone:
        return undone.detail
    return None


async def _call(tx: Tx, desk: Desk, deposit_id: DepositId, contracts: dict[Contract, Address]) -> Call:
    signed, permit = await store.signed(tx, deposit_id)
    vault = contracts[Contract.SETTLEMENT]
    if permit is None:
        return desk.words.deposit_for(vault, signed.text, signed.signature)
    return desk.words.deposit_with_permit(vault, signed.text, signed.signature, permit)


async def submitted(tx: Tx, deposit_id: DepositId, tx_hash: str) -> None:
    """Its transaction is final; the vault's event credits it."""
    deposit = await store.lock(tx, deposit_id)
    if deposit is not None and deposit.status is S.REQUESTED:
        told = DepositSubmitted(**_about(deposit), tx_hash=tx_hash)
        await _move(tx, replace(deposit, tx_hash=tx_hash), S.SUBMITTED, told)


async def fail(tx: Tx, deposit_id: DepositId, reason: str) -> None:
    """The contract has undone the transaction for good, or would: nothing was taken."""
    deposit = await store.lock(tx, deposit_id)
    if deposit is not None and deposit.status is S.REQUESTED:
        told = DepositFailed(**_about(deposit), reason=reason)
        await _move(tx, replace(deposit, error=reason), S.FAILED, told)


async def doubt(tx: Tx, deposit_id: DepositId) -> None:
    """The chain has not answered in time. The request stays open, and is looked after again later."""


async def credit(
    tx: Tx,
    user_id: UserId,
    account: Address,
    token: Token,
    amount: int,
    key: tuple[int, str, int],
    digest: bytes | None,
) -> None:
    """Write down what arrived: for the request that it belongs to, or as a deposit that nobody announced."""
    asked = await _announced(tx, user_id, token, amount, digest)
    if asked is None:
        deposit = await store.add_credited(
            tx, DepositId(new_uuid()), user_id, account, token.token_id, amount, key
        )
    else:
        deposit = asked
        await store.credit(tx, deposit.deposit_id, amount, key)
    told = DepositCredited(**_about(deposit), amount=to_text(amount, token.decimals), tx_hash=key[1])
    before = {"status": asked.status if asked is not None else None}
    tx.emit(told, before=before, after={"status": S.CREDITED, "credited": str(amount)})


async def _announced(
    tx: Tx, user_id: UserId, token: Token, amount: int, digest: bytes | None
) -> Deposit | None:
    if digest is not None:
        return await store.lock_of_digest(tx, digest)
    return await store.lock_oldest_open(tx, user_id, token.token_id, amount)


async def expire(tx: Tx, limit: int) -> int:
    """End announcements that have expired; how many these were."""
    expired = await store.lock_expired(tx, await tx.now(), limit)
    for deposit in expired:
        await _move(tx, deposit, S.EXPIRED, DepositExpired(**_about(deposit)))
    return len(expired)


async def _move(tx: Tx, deposit: Deposit, to: DepositStatus, told: Fact, actor: Actor = SYSTEM) -> None:
    await store.save(tx, replace(deposit, status=to))
    tx.emit(told, actor, before={"status": deposit.status}, after={"status": to})


def _about(deposit: Deposit) -> dict[str, Any]:
    return {"deposit_id": deposit.deposit_id, "user_id": deposit.user_id, "token_id": deposit.token_id}
