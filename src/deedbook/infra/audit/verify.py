"""Verifying: every seal is computed again from the rows that stand there now. The first that differs is shown.

Memory stays bounded: rows come through a cursor and are forgotten one by one.
"""

from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from deedbook.infra.audit import store
from deedbook.infra.audit.seals import STREAMS, Seal, Stream, Stretch, first_hash
from deedbook.infra.database import Database

MAX_TAIL_AGE = timedelta(minutes=10)
STEP_ROWS = 100_000
TIMEOUT_S = 6 * 3600

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class StreamReport:
    """What was found of one stream. `findings` is empty when all that was looked at verifies.

    `head_hash` and `seals` are worth noting down elsewhere: a later verification can be asked for them.
    """

    stream: str
    seals: int
    rows: int
    head_hash: str
    unsealed_rows: int
    findings: tuple[str, ...]


async def verify(
    db: Database,
    *,
    newest_seals: int | None = None,
    expected: Mapping[str, tuple[int, str]] | None = None,
    progress: Progress = lambda stream, rows: None,
) -> list[StreamReport]:
    """Verify each stream, at one moment of the database.

    `newest_seals` bounds the work: older seals are then checked for their chain alone. `expected` gives a seal's
    number and hash by stream, as noted down earlier: only that finds a tail cut off together with its seals.

    Raises:
        DatabaseUnavailable: no proof either way.
    """
    reports = []
    async with (
        db.reading() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(f"SET LOCAL statement_timeout = {TIMEOUT_S * 1000}")
        for stream in STREAMS:
            walk = _Walk(connection, stream, newest_seals, progress)
            noted = (expected or {}).get(stream.name)
            reports.append(await walk.report(noted))
    return reports


class _Walk:
    """One way through a stream, seal by seal, until the first that does not hold."""

    def __init__(self, connection: Any, stream: Stream, newest_seals: int | None, progress: Progress) -> None:
        self._connection, self._stream, self._progress = connection, stream, progress
        self._newest_seals = newest_seals
        self._number, self._hash, self._after = 0, first_hash(stream), (0, 0)
        self._rows = 0

    async def report(self, noted: tuple[int, str] | None) -> StreamReport:
        finding = await self._first_difference()
        findings = [finding] if finding else [*await self._unlike(noted)]
        unsealed, oldest = await store.tail(self._connection, self._stream, self._after)
        if not finding:
            findings += await self._about_the_tail(oldest)
        return StreamReport(
            self._stream.name, self._number, self._rows, self._hash.hex(), unsealed, tuple(findings)
        )

    async def _first_difference(self) -> str | None:
        newest = await store.newest_number(self._connection, self._stream)
        read_from = 1 if self._newest_seals is None else newest - self._newest_seals + 1
        async with aclosing(store.seals_from(self._connection, self._stream, 1)) as seals:
            async for seal in seals:
                difference = self._out_of_chain(seal)
                if difference is None and seal.seal_number >= read_from:
                    difference = await self._other_rows(seal)
                if difference is not None:
                    return f"{self._stream.name}: seal {seal.seal_number} {difference}"
                self._number, self._hash = seal.seal_number, seal.seal_hash
                self._after = (seal.last_tx_id, seal.last_position)
        return None

    def _out_of_chain(self, seal: Seal) -> str | None:
        if seal.seal_number != self._number + 1:
            return f"follows seal {self._number}: what was between them is gone"
        if seal.previous_hash != self._hash:
            return "does not follow the hash of the seal before it"
        if (seal.last_tx_id, seal.last_position) <= self._after:
            return "ends before the seal before it does"
        return None

    async def _other_rows(self, seal: Seal) -> str | None:
        stretch = Stretch(self._stream, seal.seal_number, seal.previous_hash)
        until = (seal.last_tx_id, seal.last_position)
        async with aclosing(store.rows_after(self._connection, self._stream, self._after, until)) as rows:
            async for row in rows:
                stretch.add(row)
                self._rows += 1
                if self._rows % STEP_ROWS == 0:
                    self._progress(self._stream.name, self._rows)
        if stretch.rows != seal.row_count:
            return f"covers {seal.row_count} rows, {stretch.rows} stand there"
        if stretch.close(seal.sealed_at) != seal.seal_hash:
            return "has another hash than its rows: one of them was changed, or the seal was"
        return None

    async def _unlike(self, noted: tuple[int, str] | None) -> list[str]:
        if noted is None or noted[0] == 0:  # nothing was noted down, or that there was no seal yet
            return []
        number, hash_ = noted
        seal = await store.start_of(self._connection, self._stream, number)
        if seal is None:
            return [f"{self._stream.name}: seal {number} was noted down and is gone"]
        if seal.seal_hash.hex() != hash_:
            return [f"{self._stream.name}: seal {number} has another hash than was noted down"]
        return []

    async def _about_the_tail(self, oldest: datetime | None) -> list[str]:
        """What is not sealed although it should be, and what is gone although it was delivered."""
        findings = []
        now: datetime = await self._connection.fetchval("SELECT now()")
        if oldest is not None and now - oldest > MAX_TAIL_AGE:
            minutes = int((now - oldest).total_seconds()) // 60
            findings.append(f"{self._stream.name}: a row waits for its seal for {minutes} minutes")
        if self._stream.name == "events":
            gone = await store.delivered_and_gone(self._connection)
            findings += [f"events: {sink} has delivered a fact that is gone" for sink in gone]
        return findings
