"""The watcher: reads what the vault tells, once, in order, on the chain as it is now.

One step reads a page or goes back over a reorganization, and writes in one transaction that holds only while
the cursor stands where it was seen: any number of processes may run it. What it writes has no effect yet; that
comes with depth (room custody). A chain that took back what has had its effect stops the watcher: money that
is gone is for people to look at, never for a program to write away.
"""

from dataclasses import dataclass

import structlog

from deedbook.chain import watch_store as store
from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.pages import Decode, block_hash, read_page, stands
from deedbook.chain.ports import LOG_ROUNDS, Chain
from deedbook.chain.watch_store import Cursor, SeenEvent
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.failpoints import failpoint
from deedbook.infra.telemetry import told_lately

log = structlog.get_logger(__name__)

STEPS_BACK = 500
"""How many remembered blocks one step looks at to find where the chain parted."""
TOLD_EVERY_S = 30.0
MAX_RESCAN_BLOCKS = 100_000


@dataclass(frozen=True)
class Watch:
    """What is watched: the vault, from the block in which it was deployed."""

    chain_id: int
    contract: Address
    decode: Decode
    first_block: int


async def scan(db: Database, node: Chain, watch: Watch) -> bool:
    """Read the next page, or go back where the chain has changed; `True` when there may be more at once.

    Raises:
        ChainUnavailable: no answer, or answers that contradict each other; nothing was written.
    """
    seen = await store.cursor(db, watch.chain_id)
    if seen is None:
        await _begin(db, node, watch)
        return True
    head = await node.head()
    if head < seen.block_number:
        raise ChainUnavailable(f"the node's head is {head}, and block {seen.block_number} was read before")
    if await block_hash(node, seen.block_number) != seen.block_hash:
        return await _go_back(db, node, watch, seen)
    if head == seen.block_number:
        return False
    last = min(head, seen.block_number + LOG_ROUNDS)
    page = await read_page(node, watch.contract, watch.decode, seen.block_number + 1, last)
    if await node.block_hash(seen.block_number) != seen.block_hash:
        raise ChainUnavailable("the chain changed while it was read")
    await failpoint("watcher.afterRead")
    async with db.transaction() as tx:
        if not await store.move_cursor(tx, watch.chain_id, seen, last, page.blocks[last]):
            return True
        await store.add_blocks(tx, watch.chain_id, page.blocks)
        new = await store.add_events(tx, watch.chain_id, page.events)
        await failpoint("watcher.beforeCommit")
    if last < head and not told_lately(f"{watch.chain_id} vault watcher", TOLD_EVERY_S):
        log.info("vault_catching_up", block=last, head=head)
    if new:
        log.info("vault_events_seen", events=new, first=seen.block_number + 1, last=last)
    return last < head


async def rescan(db: Database, node: Chain, watch: Watch, first: int, last: int) -> int:
    """Read blocks again that were read before, for events that a node had left out; how many were.

    Raises:
        ChainUnavailable: as with `scan`; pages before this one are written.
    """
    missed = 0
    for start in range(first, min(last, first + MAX_RESCAN_BLOCKS - 1) + 1, LOG_ROUNDS):
        seen = await store.cursor(db, watch.chain_id)
        if seen is None or start > seen.block_number:
            break
        end = min(start + LOG_ROUNDS - 1, last, seen.block_number)
        page = await read_page(node, watch.contract, watch.decode, start, end)
        if await node.block_hash(seen.block_number) != seen.block_hash:
            raise ChainUnavailable("the chain has changed since it was read; the watcher goes back first")
        async with db.transaction() as tx:
            if not await store.hold_cursor(tx, watch.chain_id, seen):
                raise ChainUnavailable("the watcher moved meanwhile; ask again")
            missed += await store.add_events(tx, watch.chain_id, page.events)
    if missed:
        log.error("vault_events_missed_before", events=missed, first=first, last=last)
    return missed


async def _begin(db: Database, node: Chain, watch: Watch) -> None:
    before = max(0, watch.first_block - 1)
    hash_before = await block_hash(node, before)
    async with db.transaction() as tx:
        await store.add_cursor(tx, watch.chain_id, before, hash_before)
        await store.add_blocks(tx, watch.chain_id, {before: hash_before})


async def _go_back(db: Database, node: Chain, watch: Watch, seen: Cursor) -> bool:
    """Return to the last block that both chains share; `False` when the watcher has to stop."""
    number, shared = await _shared_block(db, node, watch, seen)
    effective = await store.processed_above(db, watch.chain_id, number)
    moved = [await stands(node, watch.decode, event) for event in effective]
    lost = [event for event, now in zip(effective, moved, strict=True) if now is None]
    if await node.block_hash(number) != shared:
        raise ChainUnavailable("the chain changed while it was read")
    if lost:
        await _stop(db, watch, seen, number, lost)
        return False
    async with db.transaction() as tx:
        if not await store.move_cursor(tx, watch.chain_id, seen, number, shared):
            return True
        if await store.lock_processed_above(tx, watch.chain_id, number) != effective:
            raise ChainUnavailable("an event had its effect while the chain changed; look again")
        orphaned = await store.orphan_above(tx, watch.chain_id, number)
        await store.relocate(tx, watch.chain_id, [event for event in moved if event is not None])
        await store.forget_blocks_above(tx, watch.chain_id, number)
        await failpoint("watcher.beforeCommit")
    log.warning("chain_reorganized", from_block=seen.block_number, to_block=number, orphaned=orphaned)
    return True


async def _shared_block(db: Database, node: Chain, watch: Watch, seen: Cursor) -> tuple[int, str]:
    """The newest remembered block that the chain still has.

    Raises:
        ChainUnavailable: none of the newest; this is another chain, or the node is badly wrong.
    """
    for number, told in await store.blocks_below(db, watch.chain_id, seen.block_number, STEPS_BACK):
        if await node.block_hash(number) == told:
            return number, told
    raise ChainUnavailable(
        f"the node has none of the {STEPS_BACK} blocks before {seen.block_number} that were read"
    )


async def _stop(db: Database, watch: Watch, seen: Cursor, number: int, lost: list[SeenEvent]) -> None:
    hashes = ", ".join(sorted({event.tx_hash for event in lost})[:5])
    reason = (
        f"the chain took back {len(lost)} events above block {number} that have had their effect: {hashes}"
    )
    if not told_lately(f"{watch.chain_id} {reason}", TOLD_EVERY_S):
        log.error("reorganized_beyond_depth", from_block=seen.block_number, to_block=number, lost=len(lost))
    async with db.transaction() as tx:
        await store.stop(tx, watch.chain_id, reason)
