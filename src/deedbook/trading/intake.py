"""The way in for orders: whatever arrives while a commit is under way shares the next one.

No timer: the batch sizes itself, one order when it is quiet and hundreds under load. Each order has its own
verdict; a bad one never troubles its neighbours. The answer is given only when the order is durable.
"""

import asyncio
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple, assert_never

import structlog

from deedbook.identity.errors import NonceUsed
from deedbook.infra.database import Database
from deedbook.infra.sharing import Alone, Together
from deedbook.kernel.errors import IdempotencyKeyReused, Refusal, Unavailable
from deedbook.ledger.errors import InsufficientFunds
from deedbook.trading import intake_store
from deedbook.trading.admission import Admitted
from deedbook.trading.errors import ClientOrderIdUsed, DuplicateOrder, OrderNotFound, OrderOver
from deedbook.trading.intake_store import Told

log = structlog.get_logger(__name__)

MAX_BATCH = 512
MAX_WAITING = 10_000


class Overloaded(Unavailable):
    code, title = "overloaded", "Too many orders are waiting to be written"


class Verdict(IntEnum):
    """What became of an order, as `orders_intake` says it."""

    ACCEPTED = 0
    NONCE_USED = 1
    DUPLICATE = 2
    CLIENT_ID_USED = 3
    INSUFFICIENT_FUNDS = 4
    KEY_REUSED = 5
    REPLAYED = 6
    REPLACED_ABSENT = 7
    REPLACED_OVER = 8


class Taken(NamedTuple):
    """An order that is durable, and the answer to it; `replayed` when this very request was answered before."""

    answer: bytes
    replayed: bool


_Entry = tuple[Admitted, Alone[Taken] | Together[Taken], int]


class Intake:
    """One per process: its orders stand in one queue, and one commit is under way at a time."""

    def __init__(self, db: Database, accepted: Callable[[Sequence[Admitted]], None]) -> None:
        self._db = db
        self._accepted = accepted
        self._waiting: list[_Entry] = []
        self._writing: asyncio.Task[None] | None = None

    async def submit(self, order: Admitted) -> Taken:
        """Make the order durable.

        Raises:
            NonceUsed · DuplicateOrder · ClientOrderIdUsed · InsufficientFunds · IdempotencyKeyReused:
                this order's own verdict; nothing of it was kept.
            OrderNotFound · OrderOver: the order that it should replace is absent, another's, or over.
            Overloaded: too many wait already.
            DatabaseUnavailable: not known whether it was kept: sending the same order again is harmless.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise Overloaded(retry_after_s=1)
        alone: Alone[Taken] = Alone()
        self._waiting.append((order, alone, 0))
        self._start()
        return await alone

    async def submit_all(self, orders: Sequence[Admitted]) -> list[Taken | Exception]:
        """The same for some orders at once, each with an outcome of its own."""
        if not orders:
            return []
        if len(self._waiting) >= MAX_WAITING:
            return [Overloaded(retry_after_s=1)] * len(orders)
        together: Together[Taken] = Together(len(orders))
        self._waiting += [(order, together, place) for place, order in enumerate(orders)]
        self._start()
        return await together.all()

    async def close(self) -> None:
        """Finish what was begun."""
        if self._writing is not None:
            await self._writing

    def _start(self) -> None:
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._write_batch(self._next_batch())
        finally:
            self._writing = None

    def _next_batch(self) -> list[_Entry]:
        """As many as share one commit. Who claims a name that is claimed in it already waits for the next: what
        becomes of the first decides."""
        batch: list[_Entry] = []
        later: list[_Entry] = []
        claimed: set[tuple[str, str, str]] = set()
        for place, entry in enumerate(self._waiting):
            if len(batch) == MAX_BATCH:
                later += self._waiting[place:]
                break
            names = _names(entry[0])
            if claimed.isdisjoint(names):
                claimed.update(names)
                batch.append(entry)
            else:
                later.append(entry)
        self._waiting = later
        return batch

    async def _write_batch(self, batch: list[_Entry]) -> None:
        try:
            told = await intake_store.take(self._db, [order for order, _, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, Unavailable):
                log.exception("intake_one_by_one", orders=len(batch))
                for entry in batch:
                    await self._write_batch([entry])
                return
            for _, asker, place in batch:
                asker.tell(place, error)
            return
        self._accepted([order for (order, _, _), one in zip(batch, told, strict=True) if one.verdict == 0])
        for (order, asker, place), one in zip(batch, told, strict=True):
            asker.tell(place, _outcome(order, one))


def _names(order: Admitted) -> list[tuple[str, str, str]]:
    """What an order uses that no other of its owner may use."""
    trader, text = order.text.trader, order.text
    names = [(trader, "nonce", text.nonce)]
    if text.client_order_id:
        names.append((trader, "client id", text.client_order_id))
    if order.idempotency_key:
        names.append((trader, "key", order.idempotency_key))
    if order.replaces:
        names.append((trader, "place of", str(order.replaces)))
    return names


def _outcome(order: Admitted, said: Told) -> Taken | Refusal:
    first = said.first_id
    told = {"firstId": str(first)} if first else {}
    match Verdict(said.verdict):
        case Verdict.ACCEPTED:
            return Taken(order.answer, replayed=False)
        case Verdict.REPLAYED:
            assert said.answer is not None
            return Taken(said.answer, replayed=True)
        case Verdict.NONCE_USED:
            return NonceUsed("sign again with a fresh nonce")
        case Verdict.DUPLICATE:
            return DuplicateOrder(f"this order was accepted before, as {first}", extra=told)
        case Verdict.CLIENT_ID_USED:
            return ClientOrderIdUsed("choose another clientOrderId", extra=told)
        case Verdict.INSUFFICIENT_FUNDS:
            return InsufficientFunds(f"it takes {_hold(order)}: deposit more, or cancel orders that hold it")
        case Verdict.REPLACED_ABSENT:
            return OrderNotFound("you have no such order on this pair; nothing was done")
        case Verdict.REPLACED_OVER:
            return OrderOver("the order to replace is over, or will be; nothing was done")
        case Verdict.KEY_REUSED:
            return IdempotencyKeyReused("use a fresh Idempotency-Key for a new request")
        case never:
            assert_never(never)


def _hold(order: Admitted) -> str:
    """What an order sets aside, for people."""
    spec, units = order.spec, order.terms.hold_units
    base, _, quote = spec.symbol.rpartition("-")
    sells = order.terms.hold_token_id == spec.base_token_id
    return f"{spec.base_text(units)} {base}" if sells else f"{spec.quote_text(units)} {quote}"
