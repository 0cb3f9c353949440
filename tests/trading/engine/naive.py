"""The reference book: one list, searched anew for each fill, written for being right and for nothing else.

It shares no code with the engine but the words of `messages`, and both are tested by the same streams.
"""

from dataclasses import dataclass, field

from deedbook.trading.engine.messages import Ended, Order, SelfTrade, Trailing

Told = tuple[object, ...]


@dataclass
class Entry:
    order: Order
    remaining: int
    stop: int
    waiting: bool
    came: int


@dataclass
class NaiveBook:
    """Every living order in one list; `told` is what happened, as the engine's outcomes tell it."""

    last: int = 0
    accepting: bool = True
    entries: list[Entry] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    clock: int = 0
    prices: list[int] = field(default_factory=list)

    def submit(self, order: Order) -> None:
        if not self.accepting:
            self.told.append(("Closed", order.number, int(Ended.PAUSED), order.remaining))
            return
        self.told.append(("Opened", order.number))
        entry = Entry(order, order.remaining, order.stop, order.stop > 0 or order.trailing > 0, self._tick())
        if entry.waiting:
            if order.trailing and self.last:
                entry.stop = self._trailed(entry, self.last)
            self.entries.append(entry)
            self.told.append(("Stopped", order.number, entry.stop))
            self.prices = [self.last] if self.last else []
        else:
            self._send(entry)
        self._trigger()

    def cancel(self, number: int, why: Ended = Ended.CANCELLED) -> bool:
        entry = self._find(number)
        if entry is None:
            return False
        self._end(entry, why)
        return True

    def reduce(self, number: int, remaining: int) -> bool:
        entry = self._find(number)
        if entry is None or remaining >= entry.remaining:
            return False
        if remaining <= 0:
            return self.cancel(number)
        self.told.append(("Reduced", number, entry.remaining - remaining, remaining))
        entry.remaining = remaining
        return True

    def queue(self, *, buy: bool) -> list[Entry]:
        """Who trades first on a side: the better price, then the earlier comer."""
        resting = [entry for entry in self.entries if not entry.waiting and entry.order.buy == buy]
        return sorted(
            resting, key=lambda entry: (-entry.order.limit if buy else entry.order.limit, entry.came)
        )

    def _to_market(self, entry: Entry) -> None:
        order = entry.order
        if order.post_only and self._opposite(entry):
            self._over(entry, Ended.WOULD_TAKE)
            return
        if order.all_or_nothing and not self._fillable(entry):
            self._over(entry, Ended.NOT_FILLABLE)
            return
        while entry.remaining and (makers := self._opposite(entry)):
            maker = makers[0]
            if maker.order.group == order.group:
                if self._prevent(entry, maker):
                    return
                continue
            size = min(entry.remaining, maker.remaining)
            entry.remaining -= size
            maker.remaining -= size
            self.last = maker.order.limit
            self.told.append(
                (
                    "Trade",
                    order.number,
                    maker.order.number,
                    maker.order.limit,
                    size,
                    entry.remaining,
                    maker.remaining,
                )
            )
            if not maker.remaining:
                self._end(maker, Ended.FILLED)
        if not entry.remaining:
            self._over(entry, Ended.FILLED)
        elif order.immediate:
            self._over(entry, Ended.NOT_FILLABLE if order.all_or_nothing else Ended.NOT_FILLED)
        else:
            entry.came = self._tick()
            self.entries.append(entry)

    def _prevent(self, entry: Entry, maker: Entry) -> bool:
        match SelfTrade(entry.order.self_trade):
            case SelfTrade.EXPIRE_TAKER:
                self._over(entry, Ended.SELF_TRADE)
                return True
            case SelfTrade.EXPIRE_MAKER:
                self._end(maker, Ended.SELF_TRADE)
                return False
            case SelfTrade.EXPIRE_BOTH:
                self._end(maker, Ended.SELF_TRADE)
                self._over(entry, Ended.SELF_TRADE)
                return True
            case SelfTrade.DECREMENT:
                size = min(entry.remaining, maker.remaining)
                self.told.append(("Prevented", entry.order.number, maker.order.number, size))
                entry.remaining -= size
                maker.remaining -= size
                if not maker.remaining:
                    self._end(maker, Ended.SELF_TRADE)
                if not entry.remaining:
                    self._over(entry, Ended.SELF_TRADE)
                    return True
                return False

    def _fillable(self, entry: Entry) -> bool:
        missing = entry.remaining
        for maker in self._opposite(entry):
            if maker.order.group != entry.order.group:
                missing -= maker.remaining
                if missing <= 0:
                    return True
            elif entry.order.self_trade != SelfTrade.EXPIRE_MAKER:
                return False
        return False

    def _opposite(self, entry: Entry) -> list[Entry]:
        limit, buy = entry.order.limit, entry.order.buy
        return [
            maker
            for maker in self.queue(buy=not buy)
            if (maker.order.limit <= limit if buy else maker.order.limit >= limit)
        ]

    def _send(self, entry: Entry) -> None:
        """To market, and note where it began to trade and where it ended."""
        before = len(self.told)
        self._to_market(entry)
        traded = [told[3] for told in self.told[before:] if told[0] == "Trade"]
        self.prices += [
            price for price in dict.fromkeys([*traded[:1], *traded[-1:]]) if isinstance(price, int)
        ]

    def _trigger(self) -> None:
        while self.prices:
            triggered: list[Entry] = []
            for price in self.prices:
                self._follow(price)
                due = [
                    entry
                    for entry in self.entries
                    if entry.waiting
                    and entry.stop > 0
                    and (entry.stop <= price if entry.order.buy else entry.stop >= price)
                ]
                for entry in sorted(due, key=lambda entry: entry.order.number):
                    self.entries.remove(entry)
                    entry.waiting = False
                    triggered.append(entry)
            self.prices = []
            for entry in triggered:
                self.told.append(("Triggered", entry.order.number))
                self._send(entry)

    def _follow(self, price: int) -> None:
        for entry in [entry for entry in self.entries if entry.waiting and entry.order.trailing]:
            stop = self._trailed(entry, price)
            if stop != entry.stop:
                entry.stop = stop
                self.told.append(("Stopped", entry.order.number, stop))

    def _trailed(self, entry: Entry, price: int) -> int:
        order = entry.order
        distance = order.distance
        if order.trailing == Trailing.BPS:
            distance, rest = divmod(price * order.distance, 10_000)
            distance += 1 if rest else 0
        if order.buy:
            stop = price + distance
            return stop if not entry.stop else min(stop, entry.stop)
        return max(price - distance, entry.stop, 1)

    def _find(self, number: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.order.number == number), None)

    def _end(self, entry: Entry, why: Ended) -> None:
        self.entries.remove(entry)
        self._over(entry, why)

    def _over(self, entry: Entry, why: Ended) -> None:
        self.told.append(("Closed", entry.order.number, int(why), entry.remaining))

    def _tick(self) -> int:
        self.clock += 1
        return self.clock
