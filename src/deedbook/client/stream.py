"""The live feeds: one socket, opened again whenever it ends, and everything subscribed again where it was.

async with AsyncClient(url, signer=signer) as client, client.stream() as stream:
    async for book in stream.book("HARBOR-USDC"):
        print(book.bids(1), book.asks(1))
"""

import asyncio
import json
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from deedbook.client.answers import Order
from deedbook.client.channels import (
    BalancesChannel,
    BookChannel,
    CandlesChannel,
    Channel,
    EventsChannel,
    Message,
    TickerChannel,
    TradesChannel,
)
from deedbook.client.errors import DeedbookError, Unreachable
from deedbook.client.flow import PREFIX
from deedbook.client.flows.people import have_token
from deedbook.client.live_book import BookOutOfStep
from deedbook.client.orders import NewOrder, SignedOrder
from deedbook.client.problems import error_of
from deedbook.client.reading import read
from deedbook.client.refusals import DuplicateOrder, Unauthenticated

if TYPE_CHECKING:
    from deedbook.client.client import AsyncClient

C = TypeVar("C", bound=Channel[Any])
SILENCE_S = 5.0
"""Heartbeats come every second: after so long without anything the line is cut."""
FIRST_PAUSE_S = 0.1
MAX_PAUSE_S = 5.0
GIVE_UP_S = 300.0
TOO_FAR = "resume_too_far"


class _Again(Exception):
    """Leave this connection for another."""


class Stream:
    """One socket at a time. Leave it by `async with`; what listens hears of its end."""

    def __init__(self, client: "AsyncClient", *, give_up_s: float = GIVE_UP_S) -> None:
        self._client, self._give_up_s = client, give_up_s
        self._channels: dict[tuple[str, str | None, str | None], Channel[Any]] = {}
        self._asked: dict[int, tuple[dict[str, Any], asyncio.Future[Message]]] = {}
        self._subscribing: dict[int, Channel[Any]] = {}
        self._ids = 0
        self._socket: ClientConnection | None = None
        self._authenticated = False
        self._pause_s: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._speaking = asyncio.Lock()
        self._saying: set[asyncio.Task[None]] = set()

    def book(self, market: str, depth: int = 100) -> BookChannel:
        """The book of a pair, each time that it has changed. It is one object, and always proven."""
        return self._hear(BookChannel(market, depth))

    def ticker(self, market: str) -> TickerChannel:
        """The best prices of a pair and the last."""
        return self._hear(TickerChannel("ticker", market))

    def trades(self, market: str) -> TradesChannel:
        """The last hundred trades of a pair, and each that follows, once."""
        return self._hear(TradesChannel("trades", market))

    def candles(self, market: str, interval: str = "1m") -> CandlesChannel:
        """The last hundred candles of a pair, and each that changes."""
        return self._hear(CandlesChannel("candles", market, interval=interval))

    def orders(self, from_seq: int | None = None) -> EventsChannel:
        """What happens to my orders from now on, or after `from_seq`; 0 is everything there is."""
        return self._hear(EventsChannel("orders", from_seq))

    def fills(self, from_seq: int | None = None) -> EventsChannel:
        """My trades."""
        return self._hear(EventsChannel("fills", from_seq))

    def settlements(self, from_seq: int | None = None) -> EventsChannel:
        """My trades' way to the chain."""
        return self._hear(EventsChannel("settlements", from_seq))

    def balances(self) -> BalancesChannel:
        """All that I have, by symbol, each time that some of it has changed."""
        return self._hear(BalancesChannel("balances"))

    async def place(self, order: NewOrder | SignedOrder) -> Order:
        """Place an order over the socket; when that ends before the answer came, it is sent again, and counts once.

        Raises:
            DeedbookError: it was refused.
        """
        sent = order if isinstance(order, SignedOrder) else await self._client.sign(order)
        try:
            return await self._ask({"op": "order", "order": dict(sent.body)})
        except DuplicateOrder as duplicate:
            return await self._client.order(str(duplicate.problem["firstId"]))

    async def cancel(self, order_id: UUID | str) -> Order:
        """Cancel an order over the socket.

        Raises:
            DeedbookError: it was refused.
        """
        return await self._ask({"op": "cancel", "orderId": str(order_id)})

    def _hear(self, channel: C) -> C:
        if channel.key in self._channels:
            raise ValueError(f"{channel.name} of {channel.market or 'mine'} is heard already")
        self._channels[channel.key] = channel
        saying = asyncio.get_running_loop().create_task(self._subscribe(channel))
        self._saying.add(saying)  # so that it is not collected half-way
        saying.add_done_callback(self._saying.discard)
        return channel

    async def _ask(self, message: dict[str, Any]) -> Order:
        self._ids += 1
        number, answer = self._ids, asyncio.get_running_loop().create_future()
        self._asked[number] = ({**message, "id": number}, answer)
        try:
            await self._say(self._asked[number][0], private=True)
            told: Message = await answer
        finally:
            del self._asked[number]
        if told.get("order") is None:
            raise error_of(told.get("status", 0), told["problem"])
        return read(Order, told["order"])

    async def __aenter__(self) -> "Stream":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None, "it was entered"
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._end(Unreachable("the stream was closed"))

    async def _run(self) -> None:
        """However it ends, those who listen hear of it: one that waits for ever would not know."""
        try:
            await self._stay_connected()
        except Exception as error:
            self._end(error)
            raise

    async def _stay_connected(self) -> None:
        """Connect, listen, and come back, until nothing has been heard for too long."""
        loop = asyncio.get_running_loop()
        heard_at, pause = loop.time(), FIRST_PAUSE_S
        while loop.time() - heard_at < self._give_up_s:
            self._pause_s = None
            try:
                if await self._connected():
                    heard_at, pause = loop.time(), FIRST_PAUSE_S
            except DeedbookError as refused:
                if not isinstance(refused, Unreachable):
                    self._end(refused)
                    return
            await asyncio.sleep(self._pause_s if self._pause_s is not None else pause)
            pause = min(pause * 2, MAX_PAUSE_S)
        self._end(Unreachable(f"{self._client.session.url} has not answered for {self._give_up_s:g} s"))

    async def _connected(self) -> bool:
        """One connection, to its end; whether anything was heard."""
        heard = False
        url = self._client.session.url.replace("http", "ws", 1) + f"{PREFIX}/ws"
        proxy: Literal[True] | None = True if self._client.trust_env else None
        with suppress(OSError, TimeoutError, ConnectionClosed, InvalidHandshake, _Again):
            async with connect(url, proxy=proxy, max_queue=None) as socket:
                try:
                    await self._begin(socket)
                    while True:
                        async with asyncio.timeout(SILENCE_S):
                            text = await socket.recv()
                        heard = True
                        await self._take(json.loads(text))
                finally:
                    self._socket, self._authenticated = None, False
                    self._note_the_end(socket)
        return heard

    async def _begin(self, socket: ClientConnection) -> None:
        """Say again, on a new connection, what was wished for on the old one."""
        self._socket, self._subscribing = socket, {}
        for channel in list(self._channels.values()):
            await self._subscribe(channel)
        for message, _ in list(self._asked.values()):
            await self._say(message, private=True)

    async def _subscribe(self, channel: Channel[Any]) -> None:
        self._ids += 1
        self._subscribing[self._ids] = channel
        await self._say({**channel.wish(), "id": self._ids}, private=channel.private)

    async def _say(self, message: dict[str, Any], *, private: bool) -> None:
        """Send where there is a connection; where there is none, the next one begins with it."""
        async with self._speaking:  # so that nothing private is said before who says it
            socket = self._socket
            if socket is None:
                return
            with suppress(ConnectionClosed):
                if private and not self._authenticated:
                    token = await self._client.carry_out_async(have_token(self._client.session))
                    await socket.send(json.dumps({"op": "auth", "id": 0, "token": token}))
                    self._authenticated = True
                await socket.send(json.dumps(message))

    async def _take(self, message: Message) -> None:
        kind, number = message["type"], message.get("id")
        if kind == "serverShutdown":
            self._pause_s = message["reconnectAfterMs"] / 1000
        elif kind == "error" and number == 0:
            self._sign_in_again(error_of(0, message["problem"]))
        elif kind in ("order", "cancel", "error") and number in self._asked:
            self._answer(number, message)
        elif kind == "error" and number in self._subscribing:
            channel = self._subscribing.pop(number)
            self._channels.pop(channel.key, None)
            channel.end(error_of(message["problem"]["status"], message["problem"]))
        elif "channel" in message:
            await self._tell(message)

    def _answer(self, number: int, message: Message) -> None:
        answer = self._asked[number][1]
        if not answer.done():
            answer.set_result(message)

    async def _tell(self, message: Message) -> None:
        key = message["channel"], message.get("market"), message.get("interval")
        channel = self._channels.get(key)
        if channel is None:
            return
        if message["type"] == "subscribed" and not isinstance(channel, EventsChannel):
            return
        try:
            await channel.hear(message)
        except BookOutOfStep:
            await self._subscribe(channel)

    def _sign_in_again(self, refused: DeedbookError) -> NoReturn:
        """The token has run out: the next connection has another.

        Raises:
            _Again: this one is over.
            DeedbookError: there is no way to have another token.
        """
        session = self._client.session
        if not isinstance(refused, Unauthenticated) or session.sign_in is None:
            raise refused
        session.token = None
        raise _Again

    def _note_the_end(self, socket: ClientConnection) -> None:
        if socket.close_code == 4401 and self._client.session.sign_in is not None:
            self._client.session.token = None
        if socket.close_reason == TOO_FAR:
            for channel in [known for known in self._channels.values() if isinstance(known, EventsChannel)]:
                del self._channels[channel.key]
                channel.end(Unreachable("what was missed lies too far back: read the history over HTTP"))

    def _end(self, error: Exception) -> None:
        for channel in self._channels.values():
            channel.end(error)
        for _, answer in self._asked.values():
            if not answer.done():
                answer.set_exception(error)
