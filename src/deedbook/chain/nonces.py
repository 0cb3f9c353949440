"""Our nonces against the chain's: a lost chain tail is healed, a key that others use stops the lane, and an
operator lets it go on."""

from datetime import timedelta

import structlog

from deedbook.chain import store
from deedbook.chain.errors import ChainDisagrees
from deedbook.chain.ports import Chain, Signer
from deedbook.chain.terms import ChainTransaction
from deedbook.identity.terms import Address
from deedbook.infra.database import Database

log = structlog.get_logger(__name__)

TAKEN_AFTER = timedelta(seconds=60)
"""How long a transaction below the chain's nonce may be without a receipt: nodes write their indexes late."""


async def check_nonces(db: Database, chain: Chain, signer: Signer) -> None:
    """Compare our nonces with the chain's: heal a lost tail, stop the lane when someone else used the key.

    Raises:
        ChainDisagrees: this cannot be the chain that we were on; nothing may be sent to it.
        ChainUnavailable: the node gives no answer.
    """
    wallet = signer.address
    lane = await store.wallet(db, wallet)
    if lane is None:
        return
    # What we know is read before the chain is asked: what becomes final in between must not look lost.
    finished = await store.finished_nonces(db, wallet)
    used = await chain.nonce(wallet)
    if used < lane.next_nonce:
        await _require_same_chain(db, wallet, lane.next_nonce, used, finished)
    if finished is not None and used <= finished[1]:
        await _heal(db, chain, wallet, used, finished[1])
    if lane.stopped_reason is None:
        await _stop_on_foreign_use(db, chain, wallet, used)


async def resume(db: Database, chain: Chain, wallet: Address) -> int:
    """Let a stopped lane go on, on the word of an operator who knows who used the key; how many calls get
    another nonce because others had used theirs.

    After a database was restored from a backup, calls that it has as queued may have been sent since. They
    are sent once more: what keeps them from taking effect twice is their reference in the contract.

    Raises:
        ChainUnavailable: the node gives no answer.
    """
    used = await chain.nonce(wallet)
    taken = await _taken(db, chain, wallet, used, timedelta(0))
    async with db.transaction() as tx:
        lane = await store.await_wallet(tx, wallet)
        if lane is None:
            return 0
        await store.requeue(tx, [entry.transaction_id for entry in taken])
        await store.set_next_nonce(tx, wallet, max(used, lane.next_nonce))
        await store.stop_wallet(tx, wallet, None)
    log.warning("lane_resumed", wallet=wallet, reason=lane.stopped_reason, requeued=[e.key for e in taken])
    return len(taken)


async def _require_same_chain(
    db: Database, wallet: Address, next_nonce: int, used: int, finished: tuple[int, int] | None
) -> None:
    """A chain that is behind may have lost its newest blocks, never all that we did on it."""
    if finished is not None and used <= finished[0]:
        raise ChainDisagrees(
            f"the chain has none of the transactions that {wallet} finished (its nonce is {used}, ours {next_nonce}): "
            "this is another chain, or one that was started anew (for the local stack: `deedbook up --fresh`)"
        )
    if not await store.has_nonce(db, wallet, used):
        raise ChainDisagrees(
            f"the chain waits for nonce {used} of {wallet}, and we never had one below {next_nonce} that is not "
            "used: this is another chain, or the node is behind"
        )


async def _heal(db: Database, chain: Chain, wallet: Address, used: int, highest: int) -> None:
    """What we call final and the chain no longer has goes back to be sent again, with the same bytes."""
    finished = await store.finished_between(db, wallet, used, highest)
    lost = await _without_receipt(db, chain, finished)
    if not lost:
        return
    log.error("chain_tail_lost", wallet=wallet, nonce=used, transactions=[entry.key for entry in lost])
    async with db.transaction() as tx:
        await store.mark_lost(tx, [entry.transaction_id for entry in lost])


async def _stop_on_foreign_use(db: Database, chain: Chain, wallet: Address, used: int) -> None:
    taken = await _taken(db, chain, wallet, used, TAKEN_AFTER)
    async with db.transaction() as tx:
        # Our side is read again under lock: an allocation may have committed since.
        lane = await store.lock_wallet(tx, wallet)
        if lane is None or lane.stopped_reason is not None:
            return
        if used > lane.next_nonce:
            reason = f"the chain has used nonce {used - 1}, which we did not"
        elif taken:
            reason = f"nonce {taken[0].nonce} of {taken[0].key} was used by a transaction that is not ours"
        else:
            return
        log.error("foreign_use_of_key", wallet=wallet, ours=lane.next_nonce, chain=used, reason=reason)
        await store.stop_wallet(tx, wallet, reason)


async def _taken(
    db: Database, chain: Chain, wallet: Address, used: int, age: timedelta
) -> list[ChainTransaction]:
    """Transactions whose nonce the chain has used, for something else than any of their attempts."""
    return await _without_receipt(db, chain, await store.sent_below(db, wallet, used, age))


async def _without_receipt(
    db: Database, chain: Chain, entries: list[ChainTransaction]
) -> list[ChainTransaction]:
    if not entries:
        return []
    attempts = await store.attempts_of(db, [entry.transaction_id for entry in entries])
    hashes = [attempt.tx_hash for found in attempts.values() for attempt in found]
    receipts = await chain.receipts(hashes)
    return [
        entry
        for entry in entries
        if not any(attempt.tx_hash in receipts for attempt in attempts[entry.transaction_id])
    ]
