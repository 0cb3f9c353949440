"""What a process knows of the pairs that are traded, for a moment: specs for a second, quotes for a tenth of one.

A pair that was paused meanwhile refuses anyway: its book does not take the order in.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from deedbook.infra.database import Database
from deedbook.infra.sharing import Shared
from deedbook.kernel.ids import PairId, parse_uuid
from deedbook.trading import entry_store, store
from deedbook.trading.admission import Quotes
from deedbook.trading.errors import PairNotFound
from deedbook.trading.spec import PairSpec

SPEC_S = 1.0
QUOTES_S = 0.1
MAX_KNOWN = 10_000
MAX_AT_ONCE = 500
NO_QUOTES = Quotes(0, 0, 0)
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class _Known:
    spec: PairSpec
    until: float


class PairDirectory:
    """One per process that takes orders in."""

    def __init__(
        self, db: Database, clock: Callable[[], float] = time.monotonic, *, spec_s: float = SPEC_S
    ) -> None:
        """`spec_s` is how long a spec is kept: longer for who needs only what a pair never changes."""
        self._db = db
        self._clock = clock
        self._spec_s = spec_s
        self._specs: dict[str, _Known] = {}
        self._quotes: dict[PairId, tuple[Quotes, float]] = {}
        self._asking_specs: Shared[str, PairSpec] = Shared(self._ask_specs, MAX_AT_ONCE)
        self._asking_quotes: Shared[PairId, Quotes] = Shared(self._ask_quotes, MAX_AT_ONCE)

    async def spec(self, name: str) -> PairSpec:
        """The pair of this id or symbol.

        Raises:
            PairNotFound: there is none.
        """
        return self.known(name) or await self._asking_specs.ask(name)

    def known(self, name: str) -> PairSpec | None:
        """The pair of this id or symbol, if somebody has just asked for it."""
        known = self._specs.get(name)
        return known.spec if known is not None and self._clock() < known.until else None

    async def quotes(self, pair_id: PairId) -> Quotes:
        """What the pair's book shows."""
        known = self._quotes.get(pair_id)
        if known is not None and self._clock() < known[1]:
            return known[0]
        return await self._asking_quotes.ask(pair_id)

    async def _ask_specs(self, names: Sequence[str]) -> list[PairSpec | Exception]:
        """Look each up once, however many ask: all who traded on a pair ask again at the same moment."""
        # As of before the question: an answer must never count as newer than it is.
        until = self._clock() + self._spec_s
        found: dict[str, PairSpec | Exception] = {}
        for name in dict.fromkeys(names):
            spec = await self._look_up(name)
            found[name] = spec or PairNotFound()
            if spec is not None:
                _keep(self._specs, name, _Known(spec, until))
        return [found[name] for name in names]

    async def _ask_quotes(self, pair_ids: Sequence[PairId]) -> list[Quotes | Exception]:
        until = self._clock() + QUOTES_S
        found = {pair_id: await entry_store.quotes(self._db, pair_id) for pair_id in dict.fromkeys(pair_ids)}
        for pair_id, quotes in found.items():
            _keep(self._quotes, pair_id, (quotes, until))
        return [found[pair_id] for pair_id in pair_ids]

    async def _look_up(self, name: str) -> PairSpec | None:
        told = parse_uuid(name)
        pair_id = PairId(told) if told is not None else await entry_store.pair_of_symbol(self._db, name)
        return await store.spec(self._db, pair_id) if pair_id is not None else None


async def every_spec(db: Database, limit: int = 1000) -> list[PairSpec]:
    """What all pairs trade by, by symbol."""
    return await store.specs(db, limit)


def _keep(known: dict[K, V], key: K, value: V) -> None:
    if len(known) >= MAX_KNOWN:
        known.clear()
    known[key] = value
