"""The nonce lane of one key: rows before bytes, bytes stored before they are sent, receipts decide.

One step does what can be done now and returns; the worker's loop repeats it. Any number of processes may
run it: allocation locks the wallet's row, everything else is idempotent. A nonce is never signed for two
different calls, so a crash at any point sends each call at most once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from deedbook.chain import store
from deedbook.chain.ports import Chain, Signer
from deedbook.chain.store import Attempt
from deedbook.chain.terms import ChainTransaction, TxStatus, UnsignedTransaction
from deedbook.infra.database import Database
from deedbook.infra.failpoints import failpoint

log = structlog.get_logger(__name__)

WINDOW = 9
"""Sapphire refuses nonces more than 9 ahead of the chain's (MAX_CHECK_NONCE_FUTURE_DELTA)."""
REBROADCAST_AFTER = timedelta(seconds=3)
REPLACE_AFTER = timedelta(seconds=30)
MAX_ATTEMPTS = 12


@dataclass(frozen=True)
class LanePolicy:
    """`gas_price_cap` in wei: beyond it we wait rather than pay."""

    chain_id: int
    confirmations: int
    gas_price_cap: int


async def step(db: Database, chain: Chain, signer: Signer, policy: LanePolicy, now: datetime) -> bool:
    """Do what can be done now; `True` while transactions are open.

    Raises:
        ChainUnavailable: the node gives no answer; nothing is lost, step again later.
    """
    lane = await store.wallet(db, signer.address)
    if lane is None:
        next_nonce = await chain.nonce(signer.address)
        async with db.transaction() as tx:
            await store.add_wallet(tx, signer.address, next_nonce)
        return True
    if lane.stopped_reason is None:
        await _allocate(db, chain, signer, policy)
    open_now = await store.open_transactions(db, signer.address)
    if not open_now:
        return False
    await _watch(db, chain, signer, policy, open_now)
    await _broadcast(db, chain, signer, policy, now)
    return True


async def check_nonces(db: Database, chain: Chain, signer: Signer) -> None:
    """Compare our nonces with the chain's: heal a lost tail, stop the lane when someone else used the key.

    Raises:
        ChainUnavailable: the node gives no answer.
    """
    lane = await store.wallet(db, signer.address)
    if lane is None:
        return
    used = await chain.nonce(signer.address)
    lost = await store.finished_from_nonce(db, signer.address, used)
    async with db.transaction() as tx:
        if lost:
            log.error("chain_tail_lost", wallet=signer.address, transactions=[entry.key for entry in lost])
            await store.mark_unmined(tx, [entry.transaction_id for entry in lost])
        if used > lane.next_nonce and lane.stopped_reason is None:
            # Read our side again under lock: an allocation may have committed since.
            locked = await store.lock_wallet(tx, signer.address)
            if locked is not None and used > locked.next_nonce:
                log.error("foreign_use_of_key", wallet=signer.address, ours=locked.next_nonce, chain=used)
                await store.stop_wallet(
                    tx, signer.address, f"the chain has used nonce {used - 1}, which we did not"
                )


async def _allocate(db: Database, chain: Chain, signer: Signer, policy: LanePolicy) -> None:
    """Give nonces to queued calls and store their signed bytes, all in one transaction."""
    async with db.reading() as connection:
        waiting = await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM chain_transactions WHERE wallet = $1 AND status = 'queued')",
            signer.address,
        )
    if not waiting:
        return
    gas_price = await chain.gas_price()
    if gas_price > policy.gas_price_cap:
        log.warning("gas_price_above_cap", gas_price=gas_price, cap=policy.gas_price_cap)
        return
    await failpoint("lane.beforeSign")
    async with db.transaction() as tx:
        lane = await store.lock_wallet(tx, signer.address)
        if lane is None or lane.stopped_reason is not None:
            return
        free = WINDOW - await store.in_flight_count(tx, signer.address)
        nonce = lane.next_nonce
        for entry in await store.queued(tx, signer.address, max(free, 0)):
            signed = signer.sign(UnsignedTransaction(policy.chain_id, nonce, entry.call, gas_price))
            await store.mark_signed(tx, entry.transaction_id, nonce, 1, signed, gas_price)
            nonce += 1
        await store.set_next_nonce(tx, signer.address, nonce)
        await failpoint("lane.afterSign")
    await failpoint("lane.afterPersist")


async def _broadcast(db: Database, chain: Chain, signer: Signer, policy: LanePolicy, now: datetime) -> None:
    """Send what was not sent, send again what is late, and replace with a higher price what stays away."""
    waiting = [
        entry
        for entry in await store.open_transactions(db, signer.address)
        if entry.status in (TxStatus.SIGNED, TxStatus.SENT)
    ]
    attempts = await store.attempts_of(db, [entry.transaction_id for entry in waiting])
    for entry in waiting:
        newest = attempts[entry.transaction_id][-1]
        if newest.broadcast_at is None or now - newest.broadcast_at > REBROADCAST_AFTER:
            await _send(db, chain, entry, newest)
        if now - newest.created_at > REPLACE_AFTER and newest.attempt < MAX_ATTEMPTS:
            await _replace(db, chain, signer, policy, entry, newest)


async def _send(db: Database, chain: Chain, entry: ChainTransaction, attempt: Attempt) -> None:
    refusal = await chain.send(attempt.raw)
    await failpoint("lane.afterBroadcast")
    if refusal is not None:
        # Whatever the node says here decides nothing: only receipts do. It is sent again later.
        log.warning("broadcast_refused", key=entry.key, tx_hash=attempt.tx_hash, reason=refusal)
    async with db.transaction() as tx:
        await store.mark_broadcast(tx, attempt)


async def _replace(
    db: Database, chain: Chain, signer: Signer, policy: LanePolicy, entry: ChainTransaction, newest: Attempt
) -> None:
    """The same call under the same nonce for at least an eighth more: only one of the two can be mined."""
    price = max(await chain.gas_price(), newest.gas_price + newest.gas_price // 8 + 1)
    if price > policy.gas_price_cap or entry.nonce is None:
        return
    signed = signer.sign(UnsignedTransaction(policy.chain_id, entry.nonce, entry.call, price))
    async with db.transaction() as tx:
        # The lane's lock keeps two processes from both adding this attempt.
        if await store.lock_wallet(tx, signer.address) is None:
            return
        if await store.attempt_count(tx, entry.transaction_id) == newest.attempt:
            await store.mark_signed(tx, entry.transaction_id, entry.nonce, newest.attempt + 1, signed, price)
            log.warning("transaction_replaced", key=entry.key, attempt=newest.attempt + 1, gas_price=price)


async def _watch(
    db: Database, chain: Chain, signer: Signer, policy: LanePolicy, open_now: list[ChainTransaction]
) -> None:
    """Ask for the receipts of all attempts; finish what lies deep enough in the chain as it is now."""
    attempts = await store.attempts_of(db, [entry.transaction_id for entry in open_now])
    hashes = {attempt.tx_hash: entry for entry in open_now for attempt in attempts[entry.transaction_id]}
    receipts = await chain.receipts(list(hashes))
    await failpoint("lane.afterReceipt")
    mined = {hashes[tx_hash].transaction_id: receipt for tx_hash, receipt in receipts.items()}
    head = await chain.head() if mined else 0
    for entry in open_now:
        receipt = mined.get(entry.transaction_id)
        if receipt is None:
            if entry.status is TxStatus.MINED:
                log.warning("block_gone", key=entry.key, block=entry.block_number)
                async with db.transaction() as tx:
                    await store.mark_unmined(tx, [entry.transaction_id])
            continue
        deep = head - receipt.block_number + 1 >= policy.confirmations
        if entry.status is not TxStatus.MINED or entry.block_hash != receipt.block_hash or deep:
            error = None
            if deep and not receipt.succeeded:
                error = await chain.revert_reason(
                    signer.address, entry.call.to, entry.call.data, receipt.block_number
                )
            async with db.transaction() as tx:
                await store.mark_mined(tx, entry.transaction_id, receipt)
                if deep:
                    status = TxStatus.CONFIRMED if receipt.succeeded else TxStatus.REVERTED
                    await store.mark_final(tx, entry.transaction_id, status, error)
                await failpoint("lane.beforeCommit")
            if deep:
                log.info(
                    "transaction_final", key=entry.key, tx_hash=receipt.tx_hash, succeeded=receipt.succeeded
                )
