"""How the record is hashed. Pure: rows in, hashes out, the same for the sealer and for whoever verifies it.

Each seal hashes the hash of the seal before it, then its rows in commit order (a hash chain, Haber and Stornetta
1991). A row is the JSON array of its columns in the declared order, each as text or null, one line per row: numbers
stay exact, and `jsonb` is in the text form of PostgreSQL, whose keys are sorted and which keeps every digit.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from deedbook.kernel.clock import to_wire


@dataclass(frozen=True)
class Stream:
    """A table that only grows: its name, where a row stands in it, and all that is sealed of a row.

    `columns` are SQL expressions that give text; the first two are the transaction's id and the position in it.
    """

    name: str
    position: str
    moment: str
    columns: tuple[str, ...]


def _utc(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


EVENTS = Stream(
    "events",
    "position",
    "occurred_at",
    (
        "tx_id::text",
        "position::text",
        "event_id::text",
        "event_type",
        "version::text",
        "stream_type",
        "stream_id::text",
        "seq::text",
        "actor_id::text",
        "actor_type",
        "payload::text",
        "before::text",
        "after::text",
        "correlation_id",
        _utc("occurred_at"),
    ),
)
LEDGER_LINES = Stream(
    "ledger_lines",
    "line_id",
    "created_at",
    (
        "tx_id::text",
        "line_id::text",
        "posting_id::text",
        "number::text",
        "kind",
        "account_id::text",
        "token_id::text",
        "amount::text",
        _utc("created_at"),
    ),
)
TRADING_FACTS = Stream(
    "trading_facts",
    "position",
    "occurred_at",
    (
        "tx_id::text",
        "position::text",
        "batch_id::text",
        "pair_id::text",
        "first_seq::text",
        "last_seq::text",
        "facts",
        _utc("occurred_at"),
    ),
)
STREAMS = (EVENTS, LEDGER_LINES, TRADING_FACTS)


@dataclass(frozen=True)
class Seal:
    """What is kept of a sealed stretch: it ends at (last_tx_id, last_position) and begins after the seal before."""

    stream: str
    seal_number: int
    last_tx_id: int
    last_position: int
    row_count: int
    previous_hash: bytes
    seal_hash: bytes
    sealed_at: datetime


Row = Sequence[str | None]


def first_hash(stream: Stream) -> bytes:
    """What stands where a seal before the first one would."""
    return hashlib.sha256(f"deedbook audit {stream.name}".encode()).digest()


class Stretch:
    """The hash of one stretch of rows, row by row."""

    def __init__(self, stream: Stream, seal_number: int, previous_hash: bytes) -> None:
        self._hash = hashlib.sha256(previous_hash)
        self._hash.update(_line([stream.name, str(seal_number)]))
        self.rows = 0
        self.last = (0, 0)

    def add(self, row: Row) -> None:
        self._hash.update(_line(row))
        self.rows += 1
        self.last = place_of(row)

    def close(self, sealed_at: datetime) -> bytes:
        """The seal's hash: over all rows, and over what the seal itself says."""
        told = [str(self.rows), *(str(part) for part in self.last), to_wire(sealed_at)]
        self._hash.update(_line(told))
        return self._hash.digest()


def place_of(row: Row) -> tuple[int, int]:
    """Where a row stands in commit order."""
    assert row[0] is not None and row[1] is not None
    return int(row[0]), int(row[1])


def _line(values: Row) -> bytes:
    return orjson.dumps(list(values), option=orjson.OPT_APPEND_NEWLINE)
