"""Use cases: ask for a transaction, wait for it, know the platform's contracts."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from deedbook.chain import store
from deedbook.chain.errors import ChainDisagrees, TransactionReverted
from deedbook.chain.ports import Chain
from deedbook.chain.terms import MAX_DATA_BYTES, MAX_GAS, Call, ChainTransaction, Contract, TxStatus
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx

POLL_S = 0.1
MAX_TRIES = 99


async def request(tx: Tx, key: str, wallet: Address, call: Call) -> None:
    """Ask for a transaction. The same key asks once, for ever: a repeated request changes nothing."""
    # No node would ever take it, and all nonces after it would wait for ever.
    assert 0 < call.gas <= MAX_GAS and len(call.data) <= MAX_DATA_BYTES, f"{key} can never be mined"
    await store.add(tx, key, wallet, call)


async def find(db: Database, key: str) -> ChainTransaction | None:
    """The transaction that was asked for under this key."""
    return await store.by_key(db, key)


async def is_requested(tx: Tx, key: str) -> bool:
    """Whether a transaction was asked for under this key."""
    return await store.has_key(tx, key)


async def next_key(db: Database, stem: str) -> str:
    """The key of the attempt under way, or of the next one after those that were undone.

    Raises:
        TransactionReverted: so many were undone that another would be too.
    """
    for number in range(1, MAX_TRIES + 1):
        entry = await store.by_key(db, f"{stem}-{number}")
        if entry is None or entry.status is not TxStatus.REVERTED:
            return f"{stem}-{number}"
    raise TransactionReverted(f"{stem} was undone {MAX_TRIES} times; look at the last error")


async def wait_final(
    db: Database, key: str, timeout_s: float, drive: Callable[[], Awaitable[None]] | None = None
) -> ChainTransaction:
    """Wait until the transaction is final.

    `drive` moves the lane on where no worker does yet (the first deployment).

    Raises:
        TimeoutError: not final in time. It may still become so; asking again later is harmless.
        TransactionReverted: the contract undid it.
    """
    return await _wait(db, key, timeout_s, drive, "final", frozenset({TxStatus.CONFIRMED}))


async def wait_mined(
    db: Database, key: str, timeout_s: float, drive: Callable[[], Awaitable[None]] | None = None
) -> ChainTransaction:
    """Wait until the transaction is in some block, where it may have failed, and which may still go. Enough to ask
    for what follows it on the same lane; never to write down that it happened.

    Raises:
        TimeoutError · TransactionReverted: as `wait_final`.
    """
    return await _wait(db, key, timeout_s, drive, "mined", frozenset({TxStatus.MINED, TxStatus.CONFIRMED}))


async def _wait(
    db: Database,
    key: str,
    timeout_s: float,
    drive: Callable[[], Awaitable[None]] | None,
    what: str,
    enough: frozenset[TxStatus],
) -> ChainTransaction:
    deadline = time.monotonic() + timeout_s
    entry: ChainTransaction | None = None
    while time.monotonic() < deadline:
        if drive is not None:
            await drive()
        entry = await store.by_key(db, key)
        assert entry is not None, f"nobody asked for {key}"
        if entry.status in enough:
            return entry
        if entry.status is TxStatus.REVERTED:
            raise TransactionReverted(f"{key}: {entry.error or 'no reason given'}")
        await asyncio.sleep(POLL_S)
    lane = await store.wallet(db, entry.wallet) if entry is not None else None
    stopped = f": the lane is stopped ({lane.stopped_reason})" if lane and lane.stopped_reason else ""
    raise TimeoutError(f"{key} is not {what} after {timeout_s:.0f} s{stopped}")


async def bind_network(db: Database, chain: Chain, expected: int) -> None:
    """Make sure that the settings, the node and the database speak of the same chain.

    Raises:
        ChainDisagrees: they do not; says which says what.
        ChainUnavailable: the node does not answer.
    """
    actual = await chain.chain_id()
    if actual != expected:
        raise ChainDisagrees(
            f"SAPPHIRE_CHAIN_ID is {expected}, and the node at SAPPHIRE_RPC_URL is on chain {actual}"
        )
    async with db.transaction() as tx:
        bound = await store.bind_network(tx, actual)
    if bound != actual:
        raise ChainDisagrees(f"this database belongs to chain {bound}, and the node is on chain {actual}")


async def contracts(db: Database, chain_id: int) -> dict[Contract, Address]:
    """The platform's contracts on this chain, as far as they are deployed."""
    return await store.contracts(db, chain_id)


async def record_contract(tx: Tx, chain_id: int, contract: Contract, address: Address) -> None:
    """Remember where a contract stands."""
    await store.add_contract(tx, chain_id, contract, address)


async def deployed_in(db: Database, address: Address) -> int:
    """The block in which one of our transactions made this contract; 0 where others did, or none that we know."""
    return await store.creation_block(db, address) or 0
