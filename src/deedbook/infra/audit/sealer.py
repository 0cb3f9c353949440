"""Sealing: what was written down since the last seal is hashed onto the chain of seals, a stretch at a time."""

import asyncio
import time

import structlog

from deedbook.infra.audit import store
from deedbook.infra.audit.seals import STREAMS, Seal, Stream, Stretch, first_hash
from deedbook.infra.database import Database, Tx

ROWS_EACH = 1000
SEALS_A_RUN = 200
STEPS_BACK = 4
"""After each stretch it rests so many times as long as the stretch took: what trades meanwhile wants the processor."""

log = structlog.get_logger("audit")


async def seal(db: Database) -> int:
    """Seal what has settled; how many rows that were. Two at once seal each row once."""
    return sum([await _seal_stream(db, stream) for stream in STREAMS])


async def _seal_stream(db: Database, stream: Stream) -> int:
    sealed = 0
    for _ in range(SEALS_A_RUN):
        began = time.monotonic()
        async with db.transaction() as tx:
            made = await _next_seal(tx, stream) if await store.only_sealer(tx) else None
        if made is None:
            break
        # The log leaves the machine: who rewrites the database has to rewrite that, too.
        log.info("sealed", stream=made.stream, seal=made.seal_number, seal_hash=made.seal_hash.hex())
        sealed += made.row_count
        if made.row_count < ROWS_EACH:
            break
        await asyncio.sleep((time.monotonic() - began) * STEPS_BACK)
    return sealed


async def _next_seal(tx: Tx, stream: Stream) -> Seal | None:
    last = await store.last_seal(tx, stream)
    number = last.seal_number + 1 if last else 1
    previous_hash = last.seal_hash if last else first_hash(stream)
    after = (last.last_tx_id, last.last_position) if last else (0, 0)
    rows = await store.settled_rows(tx, stream, after, ROWS_EACH)
    if not rows:
        return None
    stretch = Stretch(stream, number, previous_hash)
    for row in rows:
        stretch.add(row)
    sealed_at = await tx.now()
    made = Seal(
        stream.name,
        number,
        *stretch.last,
        stretch.rows,
        previous_hash,
        stretch.close(sealed_at),
        sealed_at,
    )
    await store.add_seal(tx, made)
    return made
