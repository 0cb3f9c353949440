"""One pair as a process that serves feeds follows it: what its matcher publishes, applied without a gap.

Between two messages of a channel lies a short pause; what happens meanwhile is told together, which `prevSeq` and
`seq` allow. Where anything was missed, PostgreSQL is asked, and the difference is told.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis

from deedbook.api.live.board import LOADED, Board, Side
from deedbook.api.live.channels import BookChannel, CandleChannel, Channel, TickerChannel, Told, levels_text
from deedbook.api.live.connection import Connection, Subscription
from deedbook.api.live.pace import Pace
from deedbook.api.live.tape import Tape
from deedbook.infra.database import Database
from deedbook.infra.telemetry import FEED_RELOADS
from deedbook.kernel.clock import to_wire
from deedbook.kernel.errors import Unavailable
from deedbook.marketdata import views as market_views
from deedbook.marketdata.terms import Interval
from deedbook.trading import feed_views
from deedbook.trading.feed_views import MarketState
from deedbook.trading.order_store import StoredTrade
from deedbook.trading.spec import PairSpec

log = structlog.get_logger(__name__)

BOOK_PAUSE_S = 0.02
TICKER_PAUSE_S = 0.1
MAX_BUFFERED = 2000
MAX_MISSED = 1000
FOLLOW_S = 1.0


class MarketFeed:
    """The public channels of one pair, for as long as somebody hears any of them."""

    def __init__(self, db: Database, spec: PairSpec) -> None:
        self._db = db
        self.spec = spec
        self._books: dict[int, BookChannel] = {}
        self._tape = Tape(spec)
        self._ticker = TickerChannel()
        self._candles: dict[Interval, CandleChannel] = {}
        self._board: Board | None = None
        self._at = ""
        self._known: dict[str, Any] = {"stats": None, "reference": None}
        self._known_at = ""
        self._buffered: list[dict[str, Any]] = []
        self._loading: asyncio.Task[None] | None = None
        self._telling = Pace(BOOK_PAUSE_S, self._tell)
        self._telling_ticker = Pace(TICKER_PAUSE_S, self._tell_ticker)
        self._followed = asyncio.Event()
        self._again = False
        self.quiet_beats = 0
        self.stale = False
        """Whether PostgreSQL could not be asked when it had to be."""

    @property
    def wanted(self) -> bool:
        """Whether anybody hears of it."""
        if self._loading is not None or self._tape.listeners or self._ticker.listeners:
            return True
        others: list[Channel] = [*self._books.values(), *self._candles.values()]
        return any(channel.listeners for channel in others)

    @property
    def seq(self) -> int:
        """The event up to which all is known."""
        return self._board.seq if self._board is not None else 0

    # Those who hear

    async def hear_book(self, connection: Connection, depth: int) -> tuple[Subscription, str]:
        """Raises Unavailable: PostgreSQL does not answer."""
        board = await self._ready()
        channel = self._books.get(depth)
        if channel is None or not channel.listeners:
            channel = self._books[depth] = BookChannel(self.spec, depth, board, self._at)
        return Told(connection, channel), channel.snapshot()

    async def hear_ticker(self, connection: Connection) -> tuple[Subscription, str]:
        """Raises Unavailable: PostgreSQL does not answer."""
        await self._ready()
        if not self._ticker.listeners:
            self._tell_ticker()
        return Told(connection, self._ticker), self._ticker.snapshot()

    async def hear_trades(self, connection: Connection) -> tuple[Subscription, str]:
        """Raises Unavailable: PostgreSQL does not answer."""
        await self._ready()
        return self._tape.hear(connection)

    async def hear_candles(
        self, connection: Connection, redis: Redis, interval: Interval
    ) -> tuple[Subscription, str]:
        """Raises Unavailable: PostgreSQL does not answer."""
        channel = self._candles.setdefault(interval, CandleChannel(self.spec, interval))
        if not channel.listeners:
            await channel.ask(self._db, redis)
        return Told(connection, channel), channel.snapshot()

    async def ask_market_data(self, redis: Redis) -> None:
        """Read what others have folded and fetched since the last time, for those who hear of it.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        for interval, channel in list(self._candles.items()):
            if channel.listeners:
                await channel.ask(self._db, redis)
            else:
                del self._candles[interval]
        if self._ticker.listeners:
            stats = orjson.loads(await market_views.stats(self._db, redis, self.spec))
            price = orjson.loads(await market_views.price(self._db, redis, self.spec))
            self.know({"stats": stats, "reference": price["reference"]})

    # What happens

    def hear(self, news: dict[str, Any]) -> None:
        """A batch of the pair's matcher."""
        if self._loading is not None:
            if len(self._buffered) < MAX_BUFFERED:  # what is beyond shows as a gap, and is loaded anew
                self._buffered.append(news)
        elif self._board is not None and not self._take(self._board, news):
            self.reload()

    def followed(self) -> None:
        """What is published from now on is heard; what was published before may not have been."""
        self._followed.set()
        if self._board is not None or self._loading is not None:
            self._again = self._loading is not None
            self.reload()

    def know(self, known: dict[str, Any]) -> None:
        """What others say of the pair."""
        if known != self._known:
            self._known, self._known_at = known, to_wire(datetime.now(UTC))
            self._telling_ticker.soon()

    def reload(self) -> None:
        """Something may have been missed: ask PostgreSQL."""
        if self._loading is None:
            FEED_RELOADS.inc()
            self._loading = asyncio.create_task(self._load())

    async def close(self) -> None:
        self._telling.stop()
        self._telling_ticker.stop()
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)

    async def _ready(self) -> Board:
        if not self._followed.is_set():
            with suppress(TimeoutError):  # without Redis PostgreSQL is asked again and again
                await asyncio.wait_for(self._followed.wait(), FOLLOW_S)
        while self._board is None:
            self.reload()
            assert self._loading is not None
            # Several may wait for it: who gives up waiting must not take it from the others.
            await asyncio.shield(self._loading)
            if self.stale:
                raise Unavailable("the book cannot be read right now; try again")
        return self._board

    async def _load(self) -> None:
        try:
            state = await feed_views.market_state(self._db, self.spec.pair_id, levels=LOADED)
            trades = await self._missed_trades(state)
            self.stale = False
        except Unavailable as trouble:
            log.warning("feed_waits", pair=self.spec.symbol, error=trouble.detail)
            self.stale = True
            return
        finally:
            self._loading = None
        self._begin(state, trades)

    def _begin(self, state: MarketState, trades: list[StoredTrade]) -> None:
        board = self._board = Board(state.seq, state.bids, state.asks)
        self._at = to_wire(state.at)
        self._tape.begin(trades, state.trade_number)
        self._telling.soon()
        self._telling_ticker.soon()
        buffered, self._buffered = self._buffered, []
        again, self._again = self._again, False
        if again or not all(self._take(board, news) for news in buffered):
            self.reload()

    async def _missed_trades(self, state: MarketState) -> list[StoredTrade]:
        known = self._tape.number
        missed = state.trade_number - known if known is not None else 0
        if missed <= len(state.trades) or missed > MAX_MISSED:
            return state.trades
        return await feed_views.trades_between(
            self._db,
            self.spec.pair_id,
            after=state.trade_number - missed,
            up_to=state.trade_number,
            limit=MAX_MISSED,
        )

    def _take(self, board: Board, news: dict[str, Any]) -> bool:
        """Take a batch in; `False` where PostgreSQL has to be asked."""
        if news["seq"] <= board.seq:
            return True
        if news["prev"] != board.seq:
            return False
        board.apply(news["seq"], news["bids"], news["asks"])
        self._tape.take(news["trades"])
        self._at = news["at"]
        self._telling.soon()
        self._telling_ticker.soon()
        return not board.ran_short

    # Telling

    def _tell(self) -> None:
        assert self._board is not None
        for depth, book in list(self._books.items()):
            if book.listeners:
                book.follow(self._board, self._at)
            else:
                del self._books[depth]
        self._tape.follow()

    def _tell_ticker(self) -> None:
        assert self._board is not None
        bid, bid_quantity = self._best(self._board.bids)
        ask, ask_quantity = self._best(self._board.asks)
        self._ticker.follow(
            {
                "channel": "ticker",
                "market": self.spec.symbol,
                "seq": self._board.seq,
                "ts": max(self._at, self._known_at),
                "last": self._tape.last_price,
                "bestBid": bid,
                "bestBidQuantity": bid_quantity,
                "bestAsk": ask,
                "bestAskQuantity": ask_quantity,
                **self._known,
            }
        )

    def _best(self, side: Side) -> tuple[str | None, str | None]:
        for price, quantity in levels_text(self.spec, side.top(1)):
            return price, quantity
        return None, None
