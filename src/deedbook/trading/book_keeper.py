"""A pair's book while it is matched: what waits is taken to it in order, and what follows is gathered for one commit.

Nothing in here waits or writes. Memory runs ahead of PostgreSQL by what is prepared and not yet committed; where a
commit fails, all of this is thrown away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from operator import attrgetter
from typing import Any
from uuid import UUID

from deedbook.kernel.ids import new_uuid
from deedbook.trading import settle_store
from deedbook.trading.engine import Book, Ended
from deedbook.trading.execution import Batch
from deedbook.trading.live import LiveOrder
from deedbook.trading.live_facts import Moment
from deedbook.trading.living import LivingOrders
from deedbook.trading.parties import Parties
from deedbook.trading.pending import Command
from deedbook.trading.settle_store import CarriedOut, SelfMade
from deedbook.trading.spec import PairSpec
from deedbook.trading.swap_plan import Offer, Wanted, plan
from deedbook.trading.swap_store import Planned
from deedbook.trading.writer_store import Writer

MOST_ENDED = 5_000
"""So many orders are taken out by one batch: where more have expired, or a pair with more has ended, the next goes on.
In one it would take longer than the pair stays ours meanwhile, and whoever takes it over would begin the same again."""


@dataclass
class Prepared:
    """One batch, matched: how it began, and in the end the arguments of its commit."""

    batch: Batch
    before: int
    first_fact: int
    batches: list[int] = field(default_factory=list)
    carried_out: list[CarriedOut] = field(default_factory=list)
    self_made: list[SelfMade] = field(default_factory=list)
    swaps: Mapping[str, Wanted] = field(default_factory=dict)
    planned: list[Planned] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    drained: int = 0
    arguments: list[Any] = field(default_factory=list)
    change: Any = None
    waited_since: datetime | None = None
    traced: tuple[UUID, ...] = ()


class BookKeeper:
    """Keeps one pair's book. `max_open_orders` is what each user may have now."""

    def __init__(self, spec: PairSpec, writer: Writer, parties: Parties) -> None:
        self._spec = spec
        self._writer = writer
        self._parties = parties
        self._batch_number = 0
        self._match_seq = writer.match_seq
        self._trade_number = writer.trade_number
        self._closing = False
        self.fact_seq = writer.fact_seq
        self.max_open_orders = spec.max_open_orders
        self.living = LivingOrders()
        self.book = Book(writer.last_price)
        self.book.accepting = writer.accepting

    def restore(self, order: LiveOrder) -> None:
        """Take in an order that lived before; in the order of their priority."""
        self.book.restore(order)
        self.living.keep(order)

    def match(
        self,
        batches: list[int],
        fresh: Sequence[LiveOrder],
        commands: Sequence[Command],
        moment: datetime,
        swaps: Mapping[str, Wanted] | None = None,
    ) -> Prepared:
        """Match everything in the order of intake and gather what it leads to. Nothing in here waits. `swaps` says
        what the swaps among the orders want. While more is due to end than one batch may take out, nothing else is
        done: it waits for the next."""
        self._batch_number += 1
        batch = Batch(self._spec, self._batch_number, Moment.of(moment), self._trade_number, self.fact_seq)
        prepared = Prepared(batch, self._match_seq, self.fact_seq + 1, swaps=swaps or {})
        if self._end_due(moment, prepared):
            prepared.batches = batches
            prepared.numbers += batches
            self._take(fresh, commands, moment, prepared)
        self._trade_number, self.fact_seq = batch.trade_number, batch.fact_seq
        if batch.touched or prepared.carried_out:
            prepared.arguments = self._arguments(prepared, moment)
        return prepared

    def _take(
        self,
        fresh: Sequence[LiveOrder],
        commands: Sequence[Command],
        moment: datetime,
        prepared: Prepared,
    ) -> None:
        """Orders and commands to the book, in the order of their numbers."""
        # What was decided about an owner holds against orders that came before the decision, waiting or resting:
        # in its place it would come too late, after the trade that it forbids.
        barring = [command for command in commands if command.bars]
        barred = {command.order_id for command in barring}
        for command in barring:
            self._obey(command, prepared)
        waiting: list[LiveOrder | Command] = [*fresh, *(command for command in commands if not command.bars)]
        for next_one in sorted(waiting, key=attrgetter("number")):
            if isinstance(next_one, Command):
                self._obey(next_one, prepared)
            else:
                why = Ended.FROZEN if next_one.order_id in barred else self._refusal(next_one, moment)
                if prepared.swaps and next_one.order_id in prepared.swaps:
                    self._swap(next_one, why, prepared)
                else:
                    self._submit(next_one, why, prepared)

    def _arguments(self, prepared: Prepared, moment: datetime) -> list[Any]:
        book = self.book
        return settle_store.settle_arguments(
            self._writer,
            prepared.before,
            self._match_seq,
            prepared.batch,
            moment,
            last_price=book.last,
            best=(book.best(buy=True) or 0, book.best(buy=False) or 0),
            accepting=book.accepting,
            batches=prepared.batches,
            carried_out=prepared.carried_out,
            self_made=prepared.self_made,
            standing=self._parties.standing,
            rules=self._parties.rules,
            batch_id=new_uuid(),
            first_fact=prepared.first_fact,
        )

    def _submit(self, order: LiveOrder, why: Ended | None, prepared: Prepared) -> None:
        self._match_seq += 1
        prepared.drained += 1
        if why is None:
            self.book.submit(order)
        else:
            self.book.refuse(order, why)
            prepared.self_made.append(SelfMade(order.order_id, why.name, self._match_seq))
        self._absorb(prepared)
        if order.left:
            self.living.keep(order)

    def _swap(self, order: LiveOrder, why: Ended | None, prepared: Prepared) -> None:
        """Plan a swap with the book as it stands now, and trade just that: all of it, or nothing."""
        wanted = prepared.swaps[order.order_id]
        order.quantity = wanted.least_lots
        if why is not None or not self.book.accepting:
            self._submit(order, why, prepared)
            return
        across = self.book.resting(buy=not order.buy)
        offers = (Offer(maker.limit, maker.remaining, maker.group) for maker in across)
        planned = plan(offers, wanted, self._spec)
        if isinstance(planned, Ended):
            self._submit(order, planned, prepared)
            return
        order.limit, order.quantity = planned.limit, planned.lots
        order.remaining = order.left = planned.lots
        first_trade = prepared.batch.trade_number + 1
        self._submit(order, None, prepared)
        assert not order.left, "what was planned is what the book has"
        last_trade = prepared.batch.trade_number
        prepared.planned.append(Planned(order.order_id, planned, first_trade, last_trade))

    def _refusal(self, order: LiveOrder, moment: datetime) -> Ended | None:
        if self._closing:
            return Ended.PAUSED
        if order.expires_at <= moment:
            return Ended.EXPIRED
        if not self._parties.may_trade(order.user_id, moment):
            return Ended.FROZEN
        crowded = self.living.count_of(order.user_id) >= self.max_open_orders
        return Ended.CROWDED if crowded else None

    def _obey(self, command: Command, prepared: Prepared) -> None:
        if command.kind == "CLOSE" and not self._close(prepared):
            return  # It goes on waiting, and so comes again.
        self._match_seq += 1
        prepared.numbers.append(command.number)
        prepared.drained += 1
        effective = True
        match command.kind:
            case "CANCEL":
                order = self.living.find(command.order_id)
                effective = order is not None and self.book.cancel(order.number, Ended[command.why])
            case "REDUCE":
                order = self.living.find(command.order_id)
                effective = order is not None and self.book.reduce(order.number, command.remaining_lots)
            case "PAUSE":
                self.book.accepting = False
            case "RESUME":
                self.book.accepting = True
            case "CLOSE":
                self.book.accepting = False
            case kind:
                raise AssertionError(f"unknown command {kind}")
        self._absorb(prepared)
        prepared.carried_out.append(CarriedOut(command.number, self._match_seq, effective))

    def _close(self, prepared: Prepared) -> bool:
        """Take out what lives, as much of it as one batch may; whether that was all. From now on nobody is let in."""
        self._closing = True
        living = self.living.by_number()
        for order in living[:MOST_ENDED]:
            self._take_out(order, Ended.CLOSED, prepared)
        return len(living) <= MOST_ENDED

    def _end_due(self, moment: datetime, prepared: Prepared) -> bool:
        """Take out what has expired and whose owner may not trade any more, before anything trades with it; whether
        that was all."""
        due = list(islice(self.living.due(moment), MOST_ENDED))
        for order in due:
            self._take_out(order, Ended.EXPIRED, prepared)
        barred = self._parties.take_barred(moment)
        for order in self.living.of(barred) if barred else ():
            self._take_out(order, Ended.FROZEN, prepared)
        return len(due) < MOST_ENDED

    def _take_out(self, order: LiveOrder, why: Ended, prepared: Prepared) -> None:
        if self.book.cancel(order.number, why):
            self._match_seq += 1
            self._absorb(prepared)
            prepared.self_made.append(SelfMade(order.order_id, why.name, self._match_seq))

    def _absorb(self, prepared: Prepared) -> None:
        """Take in what one command has led to, and forget who ended by it."""
        outcomes, self.book.outcomes = self.book.outcomes, []
        batch = prepared.batch
        batch.absorb(outcomes, self._match_seq)
        if batch.over:
            for order in batch.over:
                self.living.forget(order)
            batch.over = []
