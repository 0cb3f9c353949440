"""Use cases of transfers between accounts: ask, and every step until the receiver has it. As with withdrawals, from
the request of the transaction on the chain alone decides."""

from dataclasses import replace
from typing import Any

from deedbook import chain, compliance, identity, ledger
from deedbook.chain.terms import Contract
from deedbook.chain.vault import reference_of
from deedbook.compliance import Operation
from deedbook.custody import destinations, model
from deedbook.custody.errors import ReceiverUnknown, SameAccount
from deedbook.custody.events import (
    TransferCompleted,
    TransferFailed,
    TransferInDoubt,
    TransferRequested,
    TransferSubmitted,
)
from deedbook.custody.ports import Desk
from deedbook.custody.requests import Checked
from deedbook.custody.store import coverage
from deedbook.custody.store import transfers as store
from deedbook.custody.store.withdrawals import take_turn
from deedbook.custody.terms import PROCESS_TRANSFER, Transfer, TransferId, TransferStatus
from deedbook.identity import Caller
from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.amounts import to_text
from deedbook.kernel.errors import Refusal
from deedbook.kernel.events import SYSTEM, Actor, Fact
from deedbook.kernel.ids import new_uuid
from deedbook.ledger.model import Hold
from deedbook.ledger.terms import AccountId, HoldOwner

S = TransferStatus


def key_of(transfer_id: TransferId) -> str:
    """Under which its one transaction is asked for."""
    return f"transfer-{transfer_id}"


async def request(tx: Tx, caller: Caller, checked: Checked) -> Transfer:
    """Take a signed transfer in: nonce, receiver, compliance of both, then hold the money.

    Raises:
        DuplicateAction · NonceUsed: this was signed or sent before.
        SameAccount · ReceiverUnknown: nobody else would have it.
        DestinationNotListed: the owner restricts themselves to a list that does not have the receiver.
        Ineligible: one of compliance's reasons, for either of the two.
        InsufficientFunds: not so much.
    """
    transfer_id, token = TransferId(new_uuid()), checked.token
    await identity.record_action(tx, checked.action, transfer_id)
    to = Address(checked.action.text["to"])
    receiver = await identity.user_of_account(tx, to)
    if receiver == caller.user_id:
        raise SameAccount
    if receiver is None:
        raise ReceiverUnknown("they have to sign in once before they can be given anything")
    await destinations.require_listed(tx, caller.user_id, to)
    await compliance.require_eligible(
        tx, Operation.TRANSFER, token.token_id, caller.user_id, receiver, checked.amount
    )
    now = await tx.now()
    draft = Transfer(
        transfer_id=transfer_id,
        from_user_id=caller.user_id,
        to_user_id=receiver,
        token_id=token.token_id,
        amount=checked.amount,
        status=S.PENDING,
        reason=None,
        expires_at=checked.action.expires_at,
        tx_hash=None,
        created_at=now,
        updated_at=now,
    )
    asked = await store.add(tx, draft, checked.action)
    await ledger.hold(
        tx, Hold(HoldOwner.TRANSFER, transfer_id, AccountId(caller.user_id), token.token_id, asked.amount)
    )
    amount = to_text(asked.amount, token.decimals)
    told = TransferRequested(**_about(asked), to_user_id=receiver, amount=amount)
    tx.emit(told, caller.actor, before={"status": None}, after=_audited(asked))
    tx.enqueue(PROCESS_TRANSFER, f"{PROCESS_TRANSFER.name}-{transfer_id}", {"transferId": str(transfer_id)})
    return asked


async def begin(tx: Tx, desk: Desk, transfer_id: TransferId, contracts: dict[Contract, Address]) -> bool:
    """Ask for the transaction of a transfer, once; `False` when there is nothing to wait for. What trades have brought
    waits for their settlement. Compliance is asked again, of both."""
    transfer = await store.lock(tx, transfer_id)
    if transfer is None or transfer.status not in model.OPEN_TRANSFERS:
        return False
    if transfer.status is not S.PENDING or await chain.is_requested(tx, key_of(transfer_id)):
        return True
    # One after the other, so that no two count on the same settled part.
    await take_turn(tx, transfer.from_user_id, transfer.token_id)
    if not await _is_covered(tx, transfer):
        return False
    reason = await _why_not(tx, transfer)
    if reason is not None:
        await fail(tx, transfer_id, reason)
        return False
    signed = await store.signed(tx, transfer_id)
    call = desk.words.transfer(
        contracts[Contract.SETTLEMENT], signed.text, signed.signature, reference_of(transfer_id)
    )
    await chain.request(tx, key_of(transfer_id), desk.operator, call)
    return True


async def is_covered(tx: Tx, transfer_id: TransferId) -> bool:
    """Whether nothing that it moves waits for the settlement of trades."""
    transfer = await store.lock(tx, transfer_id)
    if transfer is None or transfer.status is not S.PENDING:
        return True
    return await _is_covered(tx, transfer)


async def _is_covered(tx: Tx, transfer: Transfer) -> bool:
    free = await coverage.covered(tx, transfer.from_user_id, transfer.token_id, transfer.transfer_id)
    return free >= transfer.amount


async def _why_not(tx: Tx, transfer: Transfer) -> str | None:
    if transfer.expires_at <= await tx.now():
        return "what was signed has expired"
    try:
        await compliance.require_eligible(
            tx,
            Operation.TRANSFER,
            transfer.token_id,
            transfer.from_user_id,
            transfer.to_user_id,
            transfer.amount,
            executing=True,
            operation_id=transfer.transfer_id,
        )
    except Refusal as refusal:
        return f"{refusal.code}: {refusal.detail}"
    return None


async def submitted(tx: Tx, transfer_id: TransferId, tx_hash: str) -> None:
    """Its transaction is final. The vault's event, not this, moves the money."""
    transfer = await store.lock(tx, transfer_id)
    if transfer is not None and transfer.status in (S.PENDING, S.UNKNOWN):
        told = TransferSubmitted(**_about(transfer), tx_hash=tx_hash)
        await _move(tx, replace(transfer, tx_hash=tx_hash), S.SUBMITTED, told)


async def doubt(tx: Tx, transfer_id: TransferId) -> None:
    """The chain has not answered in time. Nothing is given back: it may answer yet."""
    transfer = await store.lock(tx, transfer_id)
    if transfer is not None and transfer.status is S.PENDING:
        await _move(tx, transfer, S.UNKNOWN, TransferInDoubt(**_about(transfer)))


async def fail(tx: Tx, transfer_id: TransferId, reason: str) -> None:
    """It was not sent, or was undone for good: what is held is available again."""
    transfer = await store.lock(tx, transfer_id)
    if transfer is None or S.FAILED not in model.TRANSFER_MOVES[transfer.status]:
        return
    await ledger.release(tx, HoldOwner.TRANSFER, transfer_id)
    await compliance.redeem(tx, transfer_id)
    told = TransferFailed(**_about(transfer), reason=reason)
    await _move(tx, replace(transfer, reason=reason), S.FAILED, told)


async def complete(tx: Tx, transfer: Transfer, amount: str, tx_hash: str) -> None:
    """The vault has moved it, and the ledger has followed."""
    await compliance.redeem(tx, transfer.transfer_id)
    told = TransferCompleted(
        **_about(transfer), to_user_id=transfer.to_user_id, amount=amount, tx_hash=tx_hash
    )
    await _move(tx, replace(transfer, tx_hash=tx_hash), S.COMPLETED, told)


async def _move(tx: Tx, transfer: Transfer, to: TransferStatus, told: Fact, actor: Actor = SYSTEM) -> None:
    assert to in model.TRANSFER_MOVES[transfer.status], f"{transfer.status} never becomes {to}"
    saved = await store.save(tx, replace(transfer, status=to))
    tx.emit(told, actor, before=_audited(transfer), after=_audited(saved))


def _about(transfer: Transfer) -> dict[str, Any]:
    return {
        "transfer_id": transfer.transfer_id,
        "user_id": transfer.from_user_id,
        "token_id": transfer.token_id,
    }


def _audited(transfer: Transfer) -> dict[str, Any]:
    return {"status": transfer.status, "txHash": transfer.tx_hash}
