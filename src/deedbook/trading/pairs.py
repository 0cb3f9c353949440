"""What a process knows of the pairs that are traded, for a moment: specs for a second, quotes for a tenth of one.

A pair that was paused meanwhile refuses anyway: its book does not take the order in.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from deedbook.infra.database import Database
from deedbook.kernel.ids import PairId, parse_uuid
from deedbook.trading import entry_store, order_store
from deedbook.trading.admission import Quotes
from deedbook.trading.errors import PairNotFound
from deedbook.trading.spec import PairSpec

SPEC_S = 1.0
QUOTES_S = 0.1
MAX_KNOWN = 10_000
NO_QUOTES = Quotes(0, 0, 0)


@dataclass(frozen=True)
class _Known:
    spec: PairSpec
    until: float


class PairDirectory:
    """One per process that takes orders in."""

    def __init__(self, db: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._db = db
        self._clock = clock
        self._specs: dict[str, _Known] = {}
        self._quotes: dict[PairId, tuple[Quotes, float]] = {}

    async def spec(self, name: str) -> PairSpec:
        """The pair of this id or symbol.

        Raises:
            PairNotFound: there is none.
        """
        known = self._specs.get(name)
        if known is not None and self._clock() < known.until:
            return known.spec
        self._specs.pop(name, None)
        until = self._clock() + SPEC_S
        found = await self._look_up(name)
        if len(self._specs) >= MAX_KNOWN:
            self._specs.clear()
        self._specs[name] = _Known(found, until)
        return found

    async def quotes(self, pair_id: PairId) -> Quotes:
        """What the pair's book shows."""
        known = self._quotes.get(pair_id)
        if known is not None and self._clock() < known[1]:
            return known[0]
        if len(self._quotes) >= MAX_KNOWN:
            self._quotes.clear()
        # As of before the question: an answer must never count as newer than it is.
        until = self._clock() + QUOTES_S
        found = await entry_store.quotes(self._db, pair_id)
        self._quotes[pair_id] = (found, until)
        return found

    async def _look_up(self, name: str) -> PairSpec:
        told = parse_uuid(name)
        pair_id = PairId(told) if told is not None else await entry_store.pair_of_symbol(self._db, name)
        found = await order_store.spec(self._db, pair_id) if pair_id is not None else None
        if found is None:
            raise PairNotFound
        return found
