"""Connections and transactions on one SQLite file that several processes may share. No table is known here.

A write takes the file's write lock at its start (BEGIN IMMEDIATE), so what it reads stays true until it ends.
A read sees one snapshot throughout.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, Full, LifoQueue

from deedbook.permissions.instants import Clock, to_text
from deedbook.permissions.tables import create_schema

IDLE_CONNECTIONS_MAX = 16


@dataclass(frozen=True, slots=True)
class Tx:
    """One transaction: its connection, its moment, and who is told of what it announces."""

    db: sqlite3.Connection
    now: datetime
    webhook_urls: tuple[str, ...]

    @property
    def now_text(self) -> str:
        return to_text(self.now)


class Store:
    """A pool of connections to the file, and the two kinds of transaction on it."""

    def __init__(
        self, path: Path, *, clock: Clock, webhook_urls: tuple[str, ...] = (), busy_timeout_s: float = 10.0
    ) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._clock = clock
        self._webhook_urls = webhook_urls
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue(IDLE_CONNECTIONS_MAX)
        # SQLite waits for its lock by sleeping and retrying; threads of one process can queue fairly instead.
        self._writer = threading.Lock()
        self._closed = False
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self.write() as tx:
                create_schema(tx.db)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Tx]:
        with self._transaction("BEGIN") as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Tx]:
        if not self._writer.acquire(timeout=self._busy_timeout_s):
            raise sqlite3.OperationalError("too many writers are waiting")
        try:
            with self._transaction("BEGIN IMMEDIATE") as tx:
                yield tx
        finally:
            self._writer.release()

    def close(self) -> None:
        self._closed = True
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Tx]:
        db = self._take()
        try:
            db.execute(begin)
            yield Tx(db, self._clock(), self._webhook_urls)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        finally:
            self._give_back(db)

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.get_nowait()
        except Empty:
            return _connect(self._path, self._busy_timeout_s)

    def _give_back(self, db: sqlite3.Connection) -> None:
        if self._closed:
            db.close()
            return
        try:
            self._idle.put_nowait(db)
        except Full:
            db.close()


def _connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
    try:
        db.row_factory = sqlite3.Row
        _enter_wal(db, busy_timeout_s)
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        db.close()
        raise
    return db


def _enter_wal(db: sqlite3.Connection, busy_timeout_s: float) -> None:
    """Switching a fresh file to WAL does not honour the busy timeout, so two first starts can meet here."""
    deadline = time.monotonic() + busy_timeout_s
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
