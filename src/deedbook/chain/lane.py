"""The nonce lane of one key: rows before bytes, bytes stored before they are sent, receipts decide.

One step does what can be done now and returns; the worker's loop repeats it. Any number of processes may
run it: allocation locks the wallet's row, everything else is idempotent. A nonce is never signed for two
different calls, so a crash at any point sends each call at most once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from deedbook.chain import store
from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.ports import Chain, Signer
from deedbook.chain.store import Attempt
from deedbook.chain.terms import ChainTransaction, Receipt, TxStatus, UnsignedTransaction
from deedbook.infra.database import Database
from deedbook.infra.failpoints import failpoint
from deedbook.infra.telemetry import told_lately

log = structlog.get_logger(__name__)

WINDOW = 9
"""Sapphire refuses nonces more than 9 ahead of the chain's (MAX_CHECK_NONCE_FUTURE_DELTA)."""
REBROADCAST_AFTER = timedelta(seconds=3)
REPLACE_AFTER = timedelta(seconds=30)
MAX_ATTEMPTS = 12
TOLD_EVERY_S = 30.0


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


async def _allocate(db: Database, chain: Chain, signer: Signer, policy: LanePolicy) -> None:
    """Give nonces to queued calls and store their signed bytes, all in one transaction."""
    if not await store.is_queued(db, signer.address):
        return
    gas_price = await chain.gas_price()
    if gas_price > policy.gas_price_cap:
        if not told_lately(f"gas price {signer.address}", TOLD_EVERY_S):
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
            # A call whose first nonce others had used has attempts already.
            attempt = await store.attempt_count(tx, entry.transaction_id) + 1
            await store.mark_signed(tx, entry.transaction_id, nonce, attempt, signed, gas_price)
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
    late = []
    for entry in waiting:
        newest = attempts[entry.transaction_id][-1]
        if newest.broadcast_at is None or now - newest.broadcast_at > REBROADCAST_AFTER:
            await _send(db, chain, entry, newest)
            if now - newest.created_at > REPLACE_AFTER:
                late.append((entry, newest))
    if late:
        await _replace_late(db, chain, signer, policy, late)


async def _send(db: Database, chain: Chain, entry: ChainTransaction, attempt: Attempt) -> None:
    refusal = await chain.send(attempt.raw)
    await failpoint("lane.afterBroadcast")
    if refusal is not None and not told_lately(f"{attempt.tx_hash} {refusal}", TOLD_EVERY_S):
        # Whatever the node says here decides nothing: only receipts do. It is sent again later.
        log.warning("broadcast_refused", key=entry.key, tx_hash=attempt.tx_hash, reason=refusal)
    async with db.transaction() as tx:
        await store.mark_broadcast(tx, attempt)


async def _replace_late(
    db: Database,
    chain: Chain,
    signer: Signer,
    policy: LanePolicy,
    late: list[tuple[ChainTransaction, Attempt]],
) -> None:
    """Replace what holds up the lane, and what pays less than the chain asks now. The others wait behind."""
    used, price = await chain.nonce(signer.address), await chain.gas_price()
    for entry, newest in late:
        assert entry.nonce is not None
        if entry.nonce < used or (entry.nonce > used and newest.gas_price >= price):
            continue
        if newest.attempt >= MAX_ATTEMPTS:
            if not told_lately(f"stuck {entry.key}", TOLD_EVERY_S):
                log.error("transaction_stuck", key=entry.key, nonce=entry.nonce, attempts=newest.attempt)
            continue
        await _replace(db, signer, policy, entry, newest, price)


async def _replace(
    db: Database, signer: Signer, policy: LanePolicy, entry: ChainTransaction, newest: Attempt, asked: int
) -> None:
    """The same call under the same nonce for at least an eighth more: only one of the two can be mined."""
    price = max(asked, newest.gas_price + newest.gas_price // 8 + 1)
    assert entry.nonce is not None
    if price > policy.gas_price_cap:
        if not told_lately(f"replacement {entry.key}", TOLD_EVERY_S):
            log.warning("replacement_above_cap", key=entry.key, gas_price=price, cap=policy.gas_price_cap)
        return
    signed = signer.sign(UnsignedTransaction(policy.chain_id, entry.nonce, entry.call, price))
    async with db.transaction() as tx:
        # The lane's lock keeps two processes from both adding this attempt.
        if await store.lock_wallet(tx, signer.address) is None:
            return
        if await store.attempt_count(tx, entry.transaction_id) != newest.attempt:
            return
        if await store.mark_signed(tx, entry.transaction_id, entry.nonce, newest.attempt + 1, signed, price):
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
    depth = _Depth(chain, await chain.head() if mined else 0, policy.confirmations)
    for entry in open_now:
        receipt = mined.get(entry.transaction_id)
        if receipt is None:
            await _unmined(db, entry)
            continue
        final = await depth.is_reached(receipt)
        if final or entry.status is not TxStatus.MINED or entry.block_hash != receipt.block_hash:
            await _mined(db, chain, signer, entry, receipt, final=final)


async def _unmined(db: Database, entry: ChainTransaction) -> None:
    if entry.status is not TxStatus.MINED:
        return
    async with db.transaction() as tx:
        if await store.mark_unmined(tx, entry.transaction_id, entry.block_hash):
            log.warning("block_gone", key=entry.key, block=entry.block_number)


async def _mined(
    db: Database, chain: Chain, signer: Signer, entry: ChainTransaction, receipt: Receipt, *, final: bool
) -> None:
    error = await _reason(chain, signer, entry, receipt) if final and not receipt.succeeded else None
    finished = False
    async with db.transaction() as tx:
        await store.mark_mined(tx, entry.transaction_id, receipt)
        if final:
            status = TxStatus.CONFIRMED if receipt.succeeded else TxStatus.REVERTED
            finished = await store.mark_final(tx, entry.transaction_id, status, error)
        await failpoint("lane.beforeCommit")
    if finished:
        log.info("transaction_final", key=entry.key, tx_hash=receipt.tx_hash, succeeded=receipt.succeeded)


async def _reason(chain: Chain, signer: Signer, entry: ChainTransaction, receipt: Receipt) -> str:
    """Why it was undone, as far as can be known: the end of a transaction does not wait for the reason."""
    if receipt.gas_used >= entry.call.gas:
        return f"out of gas: all {entry.call.gas} were used"
    try:
        return await chain.revert_reason(signer.address, entry.call, receipt.block_number)
    except ChainUnavailable:
        return "undone by the contract; the node gave no reason"


class _Depth:
    """Whether a receipt lies deep enough. A head is only a number that a node says: it counts when the block
    that makes the depth is there, and when the receipt's block is still the one at its place."""

    def __init__(self, chain: Chain, head: int, confirmations: int) -> None:
        self._chain, self._head, self._confirmations = chain, head, confirmations
        self._hashes: dict[int, str | None] = {}

    async def is_reached(self, receipt: Receipt) -> bool:
        last = receipt.block_number + self._confirmations - 1
        if self._head < last:
            return False
        proven = await self._hash(last) is not None
        if proven and await self._hash(receipt.block_number) == receipt.block_hash:
            return True
        if not told_lately(f"disagrees {receipt.tx_hash}", TOLD_EVERY_S):
            log.error("node_disagrees_with_itself", tx_hash=receipt.tx_hash, head=self._head, proven=proven)
        return False

    async def _hash(self, number: int) -> str | None:
        if number not in self._hashes:
            self._hashes[number] = await self._chain.block_hash(number)
        return self._hashes[number]
