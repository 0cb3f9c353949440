"""Waiting until nobody is left who may not have seen what was written."""

import asyncio

from deedbook.infra.database import Database

LOOK_S = 0.05
# Everybody who is under way holds this lock on themselves, also who has only looked so far. What has no user, such as a
# vacuum, writes nothing of ours. All of this may be seen by every role.
_UNDER_WAY = """
    SELECT l.virtualtransaction FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'virtualxid' AND l.pid <> pg_backend_pid() AND a.usesysid IS NOT NULL
      AND a.datid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def all_ended(db: Database, within_s: float) -> bool:
    """Whether every transaction that was under way at this call has ended: what it wrote is seen from now on, and
    whoever begins now sees what was committed before. `False` where one goes on for longer."""
    left = await _under_way(db)
    try:
        async with asyncio.timeout(within_s):
            while left:
                await asyncio.sleep(LOOK_S)
                left &= await _under_way(db)
    except TimeoutError:
        return False
    return True


async def _under_way(db: Database) -> set[str]:
    async with db.reading() as connection:
        rows = await connection.fetch(_UNDER_WAY)
    return {row["virtualtransaction"] for row in rows}
