"""What each event of the vault does to the ledger: one posting, once, and the end of the operation it names.

The chain has decided already. What the ledger cannot follow is never refused: it is taken as far as it goes, and
the rest stands in suspense as a claim for people.
"""

from typing import assert_never
from uuid import UUID

import structlog

from deedbook import identity, ledger, tokens
from deedbook.chain.vault import VaultEvent, VaultEventKind, id_of
from deedbook.custody import deposits, model, payouts, transfers
from deedbook.custody.events import Burned, ClaimRaised, MovedByForce
from deedbook.custody.store import events as event_store
from deedbook.custody.store import transfers as transfer_store
from deedbook.custody.store import withdrawals as withdrawal_store
from deedbook.custody.store.events import Claimed
from deedbook.custody.terms import Transfer, TransferId, Withdrawal, WithdrawalId
from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.amounts import to_text
from deedbook.kernel.ids import UserId
from deedbook.ledger.model import Move, Posting, between, into_the_vault, out_of_the_vault
from deedbook.ledger.terms import CHAIN, SUSPENSE, AccountId, HoldOwner, LineKind
from deedbook.tokens import Token

log = structlog.get_logger(__name__)

_WITHIN = (VaultEventKind.TRANSFERRED, VaultEventKind.FORCED_MOVE, VaultEventKind.BALANCE_RECOVERED)
"""From one vault balance to another. A withdrawal goes outside, most often to the same account's wallet."""


async def take_effect(tx: Tx, found: Claimed, token: Token) -> None:
    """Let the ledger follow one event. Called once per event, in the transaction that marks it."""
    event = found.event
    if event.amount == 0 or (event.kind in _WITHIN and event.account == event.counterparty):
        return
    match event.kind:
        case VaultEventKind.DEPOSITED:
            await _deposited(tx, found, token)
        case VaultEventKind.DEPOSIT_RELAYED:
            return
        case VaultEventKind.WITHDRAWN:
            await _withdrawn(tx, found, token)
        case VaultEventKind.TRANSFERRED:
            await _transferred(tx, found, token)
        case VaultEventKind.MINT_CREDITED:
            await _minted(tx, found, token)
        case VaultEventKind.BURN_DEBITED:
            await _burned(tx, found, token)
        case VaultEventKind.FORCED_MOVE:
            await _forced(tx, found, token, LineKind.FORCED_TRANSFER)
        case VaultEventKind.BALANCE_RECOVERED:
            await _forced(tx, found, token, LineKind.RECOVERY)
        case VaultEventKind.TRADE_SETTLED:
            return  # the ledger moved when the trade was matched
        case VaultEventKind.ORDER_CANCELLED:
            raise AssertionError("it is about no token")
        case _:
            assert_never(event.kind)


async def _deposited(tx: Tx, found: Claimed, token: Token) -> None:
    event, holder = found.event, await _holder(tx, found.event.account)
    await _enter(tx, found, token, LineKind.DEPOSIT, holder)
    if holder is not None:
        digest = await event_store.relayed_digest(tx, found)
        await deposits.credit(tx, holder, event.account, token, event.amount, _key(found), digest)


async def _withdrawn(tx: Tx, found: Claimed, token: Token) -> None:
    event = found.event
    asked = await _withdrawal(tx, event, token)
    if asked is None:
        await _leave_unasked(
            tx, found, token, LineKind.WITHDRAWAL, "no open withdrawal of ours has this reference"
        )
        return
    account = AccountId(asked.user_id)
    posting = out_of_the_vault(
        _id(found), LineKind.WITHDRAWAL, account, token.token_id, event.amount, held=True
    )
    await ledger.consume(tx, HoldOwner.WITHDRAWAL, asked.withdrawal_id, posting)
    await payouts.complete(tx, asked, to_text(event.amount, token.decimals), found.tx_hash)


async def _withdrawal(tx: Tx, event: VaultEvent, token: Token) -> Withdrawal | None:
    """The open withdrawal that the event names, when it is the same in everything that was signed."""
    withdrawal_id = id_of(event.reference) if event.reference is not None else None
    asked = await withdrawal_store.lock(tx, WithdrawalId(withdrawal_id)) if withdrawal_id else None
    if asked is None or asked.status not in model.SENT_WITHDRAWALS:
        return None
    told = (token.token_id, event.account, event.amount, event.counterparty)
    return asked if told == (asked.token_id, asked.account, asked.amount, asked.destination) else None


async def _transferred(tx: Tx, found: Claimed, token: Token) -> None:
    event = found.event
    assert event.counterparty is not None
    asked = await _transfer(tx, found, token)
    if asked is None:
        receiver = await _holder(tx, event.counterparty)
        await _leave_unasked(
            tx,
            found,
            token,
            LineKind.TRANSFER,
            "no open transfer of ours has this reference",
            to=receiver or SUSPENSE,
        )
        return
    posting = between(
        _id(found),
        LineKind.TRANSFER,
        AccountId(asked.from_user_id),
        AccountId(asked.to_user_id),
        token.token_id,
        event.amount,
        held=True,
    )
    await ledger.consume(tx, HoldOwner.TRANSFER, asked.transfer_id, posting)
    await transfers.complete(tx, asked, to_text(event.amount, token.decimals), found.tx_hash)


async def _transfer(tx: Tx, found: Claimed, token: Token) -> Transfer | None:
    """The open transfer that the event names, when it is the same in everything that was signed."""
    event = found.event
    transfer_id = id_of(event.reference) if event.reference is not None else None
    asked = await transfer_store.lock(tx, TransferId(transfer_id)) if transfer_id else None
    if asked is None or asked.status not in model.OPEN_TRANSFERS:
        return None
    parties = await _holder(tx, event.account), await _holder(tx, event.counterparty or event.account)
    told = (token.token_id, event.amount, *parties)
    return asked if told == (asked.token_id, asked.amount, asked.from_user_id, asked.to_user_id) else None


async def _minted(tx: Tx, found: Claimed, token: Token) -> None:
    event = found.event
    await _enter(tx, found, token, LineKind.MINT, await _holder(tx, event.account))
    reference = id_of(event.reference) if event.reference is not None else None
    if reference is not None and reference == token.market_id:
        return  # the first supply, which the token's row says already
    if reference is None or not await tokens.complete_mint(
        tx,
        reference,
        found.tx_hash,
        token_id=token.token_id,
        account=event.account,
        units=event.amount,
    ):
        log.error("mint_nobody_asked_for", symbol=token.symbol, tx_hash=found.tx_hash, amount=event.amount)
        await tokens.change_supply(tx, token.token_id, event.amount, found.tx_hash)


async def _burned(tx: Tx, found: Claimed, token: Token) -> None:
    event, holder = found.event, await _holder(tx, found.event.account)
    await _take(
        tx, found, token, LineKind.BURN, holder, CHAIN, "more was burned than the account had available"
    )
    await tokens.change_supply(tx, token.token_id, -event.amount, found.tx_hash)
    if holder is not None:
        amount = to_text(event.amount, token.decimals)
        told = Burned(user_id=holder, token_id=token.token_id, amount=amount, tx_hash=found.tx_hash)
        tx.emit(told, before={"burned": None}, after={"burned": amount})


async def _forced(tx: Tx, found: Claimed, token: Token, kind: LineKind) -> None:
    event = found.event
    assert event.counterparty is not None
    holder, receiver = await _holder(tx, event.account), await _holder(tx, event.counterparty)
    why = "more was moved by force than the account had available"
    await _take(tx, found, token, kind, holder, AccountId(receiver) if receiver else SUSPENSE, why)
    if holder is not None and receiver is not None:
        amount = to_text(event.amount, token.decimals)
        told = MovedByForce(
            user_id=holder,
            to_user_id=receiver,
            token_id=token.token_id,
            amount=amount,
            how=kind.value,
            tx_hash=found.tx_hash,
        )
        tx.emit(told, before={"owner": holder}, after={"owner": receiver})


async def _enter(tx: Tx, found: Claimed, token: Token, kind: LineKind, holder: UserId | None) -> None:
    """Credit what entered the vault; what belongs to nobody we know stands in suspense."""
    account = SUSPENSE if holder is None else AccountId(holder)
    posting = into_the_vault(_id(found), kind, account, token.token_id, found.event.amount)
    await ledger.post(tx, (posting,))
    if holder is None:
        _claim(tx, found, token, found.event.amount, "the account belongs to a user of another account")


async def _leave_unasked(
    tx: Tx, found: Claimed, token: Token, kind: LineKind, why: str, *, to: UUID = CHAIN
) -> None:
    """What the vault did under a reference that is not, or no longer, open here."""
    log.error(
        "vault_moved_unasked", tx_hash=found.tx_hash, ordinal=found.ordinal, kind=kind.value, reason=why
    )
    holder = await _holder(tx, found.event.account)
    await _take(tx, found, token, kind, holder, AccountId(to), why, always=True)


async def _take(
    tx: Tx,
    found: Claimed,
    token: Token,
    kind: LineKind,
    holder: UserId | None,
    to: AccountId,
    why: str,
    *,
    always: bool = False,
) -> None:
    """Debit an account as far as it goes, and the rest from suspense."""
    amount = found.event.amount
    if holder is None:
        taken: tuple[Move, ...] = (Move(SUSPENSE, token.token_id, -amount),)
    else:
        receiver = None if to in (CHAIN, SUSPENSE) else to
        taken = await ledger.take_or_claim(tx, AccountId(holder), token.token_id, amount, receiver=receiver)
    short = -sum(move.amount for move in taken if move.account_id == SUSPENSE)
    if to == SUSPENSE and short:
        taken = tuple(move for move in taken if move.account_id != SUSPENSE)
        given = (Move(to, token.token_id, amount - short),) if amount > short else ()
    else:
        given = (Move(to, token.token_id, amount),)
    if taken or given:
        await ledger.post(tx, (Posting(_id(found), kind, (*taken, *given)),))
    if short or always:
        _claim(tx, found, token, short, why)


def _claim(tx: Tx, found: Claimed, token: Token, amount: int, why: str) -> None:
    told = ClaimRaised(
        posting_id=_id(found),
        token_id=token.token_id,
        account=found.event.account,
        amount=to_text(amount, token.decimals),
        reason=why,
        tx_hash=found.tx_hash,
    )
    log.error("claim_raised", tx_hash=found.tx_hash, ordinal=found.ordinal, amount=amount, reason=why)
    tx.emit(told, before={"claim": None}, after={"claim": to_text(amount, token.decimals)})


async def _holder(tx: Tx, account: Address) -> UserId | None:
    """The user whose account this is, made where there is none: money may arrive before its owner signs in. `None`
    for a wallet that only signs in for a user of another account: what it holds in the vault is not theirs."""
    known = await identity.user_of_account(tx, account)
    if known is not None:
        return known
    user_id = await identity.ensure_user(tx, account)
    return user_id if await identity.account_of_user(tx, user_id) == account else None


def _id(found: Claimed) -> UUID:
    return model.posting_id(found.chain_id, found.tx_hash, found.ordinal)


def _key(found: Claimed) -> tuple[int, str, int]:
    return found.chain_id, found.tx_hash, found.ordinal
