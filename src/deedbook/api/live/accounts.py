"""Private channels: what happens to somebody's orders, trades and balances.

Read from PostgreSQL by place, once for all sockets of the process, so that what is told live and what is told again to
those who resume come from the same rows: nothing is left out and nothing comes twice. It does not need Redis.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import structlog

from deedbook.api.live.connection import Connection, Subscription
from deedbook.api.live.event_feed import FILLS, EventFeed, channel_of, party_of, trade_id_of
from deedbook.api.v1.schemas.ledger import BalanceAnswer
from deedbook.api.v1.schemas.trading import MyTrade
from deedbook.infra.database import Database
from deedbook.kernel.clock import to_wire
from deedbook.kernel.errors import FieldError, Invalid, Unavailable
from deedbook.kernel.ids import UserId
from deedbook.ledger import views as ledger_views
from deedbook.trading import account_views, trade_views
from deedbook.trading.account_views import SHIFT, AccountEvent
from deedbook.trading.pairs import PairDirectory

log = structlog.get_logger(__name__)

POLL_S = 0.05
RETRY_S = 1.0
BALANCES_S = 1.0
BATCHES = 500
REPLAYED = 5000
MAX_PAGES = 100
PAGES_AT_ONCE = 2
"""Who resumes from long ago has much read: it takes as many of the process's connections, however many do so."""
TOO_FAR, NOT_READ = (1013, "resume_too_far"), (1013, "resume_failed")


class BalanceFeed(Subscription):
    """`balances` of one client."""

    def __init__(self, connection: Connection, user_id: str, accounts: "Accounts") -> None:
        super().__init__(connection, lambda _: accounts.holders[user_id].discard(self))
        self._user_id = user_id
        self._accounts = accounts
        accounts.holders[user_id].add(self)

    def fresh(self) -> Sequence[str]:
        return (self._accounts.balances_text("snapshot", self._accounts.balances[self._user_id].values()),)


class Accounts:
    """One per process that serves feeds. Works only while somebody hears a private channel."""

    def __init__(self, db: Database, pairs: PairDirectory) -> None:
        self._db = db
        self._pairs = pairs
        self._events: dict[str, set[EventFeed]] = defaultdict(set)
        self.holders: dict[str, set[BalanceFeed]] = defaultdict(set)
        self.balances: dict[str, dict[str, dict[str, Any]]] = {}
        self._cursor = 0
        self._following: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._joining = 0
        self._counting = asyncio.Lock()
        self._room = asyncio.Semaphore(PAGES_AT_ONCE)
        self._changed: set[str] = set()
        self._counted_at = 0.0

    async def hear_events(
        self,
        connection: Connection,
        user_id: UserId,
        channel: str,
        from_seq: int | None,
        confirm: Callable[[EventFeed], None],
    ) -> None:
        """Hear a channel from now on, or from a place: what came after it is told first. `confirm` is called before
        anything is told; where what came after cannot be read from then on, the client is closed.

        Raises:
            Invalid: there is no such place.
            Unavailable: PostgreSQL does not answer.
        """
        name = str(user_id)
        self._joining += 1
        try:
            await self._start()
            await self._require_known(from_seq)
            feed = EventFeed(connection, lambda feed: self._events[name].discard(feed), channel)
            feed.after = self._cursor
            feed.seq = (self._cursor << SHIFT) + (1 << SHIFT) - 1 if from_seq is None else from_seq
            confirm(feed)
            if from_seq is not None:
                try:
                    await self._replay(feed, user_id)
                except Unavailable:
                    connection.close(*NOT_READ)
            self._events[name].add(feed)
        finally:
            self._joining -= 1

    async def _require_known(self, seq: int | None) -> None:
        # The tail of this process may be a moment behind what another one has told.
        if seq is not None and seq >> SHIFT > max(self._cursor, await account_views.settled_until(self._db)):
            unknown = FieldError(
                "/fromSeq", "unknown", "nothing has this place: leave it out, and read over HTTP"
            )
            raise Invalid("there is no such place", errors=(unknown,))

    async def _replay(self, feed: EventFeed, user_id: UserId) -> None:
        """Tell what came after the feed's place, up to where the tail is when it is done: nothing is awaited between
        that look and its joining, so the tail goes on exactly where this ends."""
        feed.after = max((feed.seq >> SHIFT) - 1, 0)
        for _ in range(MAX_PAGES):
            if feed.after >= self._cursor or feed.connection.over.is_set():
                return
            async with self._room:
                page = await account_views.events_after(self._db, feed.after, limit=REPLAYED, user_id=user_id)
                fresh = [
                    event
                    for event in page.events
                    if event.seq > feed.seq and channel_of(event) == feed.channel
                ]
                trades = await self._trades(fresh) if feed.channel == FILLS else {}
            for event in fresh:
                await feed.connection.send_when_free(feed.text(event, trades))
            feed.after = page.up_to
        feed.connection.close(*TOO_FAR)

    async def hear_balances(self, connection: Connection, user_id: UserId) -> tuple[BalanceFeed, str]:
        """A subscription, and what there is now.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        name = str(user_id)
        self._joining += 1
        try:
            await self._start()
            await self._count([name])
        finally:
            self._joining -= 1
        feed = BalanceFeed(connection, name, self)
        return feed, self.balances_text("snapshot", self.balances[name].values())

    def balances_text(self, kind: str, balances: Any) -> str:
        seq, now = self._cursor << SHIFT, to_wire(datetime.now(UTC))
        told = {"type": kind, "channel": "balances", "seq": seq, "ts": now, "balances": list(balances)}
        return orjson.dumps(told).decode()

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    # The tail

    async def _start(self) -> None:
        async with self._starting:
            if self._following is None:
                self._cursor = await account_views.settled_until(self._db)
                self._following = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        while True:
            pause_s = POLL_S
            try:
                self._forget()
                if not self._events and not self.holders and not self._joining:
                    self._following = None
                    return
                if await self._tell_events():
                    pause_s = 0.0
                await self._tell_balances()
            except Unavailable as trouble:
                log.warning("private_feeds_wait", error=trouble.detail)
                pause_s = RETRY_S
            except Exception:
                log.exception("private_feeds_failed")
                pause_s = RETRY_S
            await asyncio.sleep(pause_s)

    async def _tell_events(self) -> bool:
        """Tell the next page; whether more waits."""
        page = await account_views.events_after(self._db, self._cursor, limit=BATCHES)
        trades: dict[str, dict[str, Any]] = {}
        # Somebody may come while trades are looked up: until nothing is missing for those who are there.
        while wanted := [event for event in page.events if self._wants_trade(event, trades)]:
            trades |= await self._trades(wanted)
        self._cursor = page.up_to
        for event in page.events:
            if event.user_id in self.holders:
                self._changed.add(event.user_id)
            for feed in list(self._events.get(event.user_id, ())):
                if feed.lacks(event):
                    feed.connection.send(feed.text(event, trades))
        return page.more

    def _wants_trade(self, event: AccountEvent, trades: dict[str, dict[str, Any]]) -> bool:
        feeds = self._events.get(event.user_id, ())
        return (
            any(feed.channel == FILLS and feed.lacks(event) for feed in feeds)
            and party_of(event) not in trades
        )

    async def _trades(self, events: Sequence[AccountEvent]) -> dict[str, dict[str, Any]]:
        """The trades of these events as each party sees them, by party and trade."""
        parties: dict[UUID, set[str]] = defaultdict(set)
        for event in events:
            parties[UUID(trade_id_of(event))].add(event.user_id)
        found: dict[str, dict[str, Any]] = {}
        for row in await trade_views.trades_by_id(self._db, parties) if parties else ():
            spec = await self._pairs.spec(str(row["pair_id"]))
            for user_id in parties[row["trade_id"]]:
                told = MyTrade.model_validate(trade_views.of_party(row, spec, UUID(user_id)))
                found[user_id + str(row["trade_id"])] = told.model_dump(mode="json", by_alias=True)
        assert all(party_of(event) in found for event in events), "a trade is written with its events"
        return found

    # Balances

    async def _tell_balances(self) -> None:
        everybody = time.monotonic() - self._counted_at >= BALANCES_S
        names, self._changed = (set(self.holders) if everybody else self._changed), set()
        if everybody:
            self._counted_at = time.monotonic()
        if names:
            await self._count(names)

    async def _count(self, names: Collection[str]) -> None:
        """Read what these have now, and tell what has changed to those who hear of it. One after the other: an older
        answer must not come after a newer one."""
        async with self._counting:
            for name, balances in (await self._counted(names)).items():
                before = self.balances.get(name, {})
                changed = [balance for token, balance in balances.items() if before.get(token) != balance]
                self.balances[name] = balances
                if changed:
                    text = self.balances_text("update", changed)
                    for feed in list(self.holders.get(name, ())):
                        feed.offer(text)

    async def _counted(self, names: Collection[str]) -> dict[str, dict[str, dict[str, Any]]]:
        found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in names}
        for row in await ledger_views.balances_of(self._db, [UUID(name) for name in found]):
            balance = BalanceAnswer.of(row).model_dump(mode="json", by_alias=True)
            found[str(row["user_id"])][balance["tokenId"]] = balance
        return found

    def _forget(self) -> None:
        for feeds in (self._events, self.holders):
            for name in [name for name, heard in feeds.items() if not heard]:
                del feeds[name]
        for name in self.balances.keys() - self.holders.keys():
            del self.balances[name]
