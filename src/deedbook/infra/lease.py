"""Leases: who may try, with an epoch that grows at each change of hands.

A lease only decides who tries. What protects the data is the epoch, checked inside the transaction that
writes: a holder that was frozen and wakes up finds its epoch gone (fencing token, Kleppmann 2016).
Expiry is judged by the database's clock alone.
"""

import os
import secrets
import socket
import time
from dataclasses import dataclass

from deedbook.infra.database import Database


@dataclass(frozen=True)
class Lease:
    """A held lease."""

    name: str
    holder: str
    epoch: int


def holder_name() -> str:
    """A name for this process that no other process has had."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


async def acquire(db: Database, name: str, holder: str, ttl_s: float) -> Lease | None:
    """Take the lease if it is free or expired, or extend our own; `None` when another holds it."""
    async with db.transaction() as tx:
        epoch = await tx.fetchval(
            """
            INSERT INTO leases AS l (name, holder, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))
            ON CONFLICT (name) DO UPDATE SET
                holder = $2, expires_at = now() + make_interval(secs => $3),
                epoch = l.epoch + (l.holder <> $2)::int
            WHERE l.holder = $2 OR l.expires_at < now()
            RETURNING epoch
            """,
            name,
            holder,
            ttl_s,
        )
    return Lease(name, holder, epoch) if epoch is not None else None


async def release(db: Database, lease: Lease) -> None:
    """Give the lease back early, so that a successor need not wait for its expiry."""
    async with db.transaction() as tx:
        await tx.execute(
            "UPDATE leases SET expires_at = now() - interval '1 second' WHERE name = $1 AND holder = $2",
            lease.name,
            lease.holder,
        )


class Keeper:
    """Keeps a lease for a loop that steps often: renews it at a third of its time, and asks for one that
    another holds no more than once a second."""

    def __init__(self, db: Database, name: str, holder: str, ttl_s: float) -> None:
        self._db, self._name, self._holder, self._ttl_s = db, name, holder, ttl_s
        self._lease: Lease | None = None
        self._ask_again_at = 0.0

    async def hold(self) -> Lease | None:
        """The lease, if it is ours. By our own monotonic clock it is given up well before it expires."""
        if time.monotonic() >= self._ask_again_at:
            asked_at = time.monotonic()
            self._lease = await acquire(self._db, self._name, self._holder, self._ttl_s)
            self._ask_again_at = asked_at + (self._ttl_s / 3 if self._lease else min(1.0, self._ttl_s / 3))
        return self._lease

    def lost(self) -> None:
        """Someone else has it: ask again before doing anything more."""
        self._lease, self._ask_again_at = None, 0.0

    async def release(self) -> None:
        """Give the lease back, if it is ours."""
        if self._lease is not None:
            await release(self._db, self._lease)
        self.lost()
