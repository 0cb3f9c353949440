"""The clients of a feed bench: opened, cut off one by one or all at once, and compared with what HTTP tells."""

import asyncio
import time
from collections.abc import Sequence

import httpx2

from deedbook.bench.follower import Follower
from deedbook.bench.run import BenchFailed

HOST = "127.0.0.1"
KEEP_BOOKS = 25
"""One in so many clients keeps a whole copy of its book and checks its sum at every message."""
OPENED_AT_ONCE = 25


class Crowd:
    """So many clients on these markets, in turn."""

    def __init__(self, port: int, markets: Sequence[str], clients: int) -> None:
        self._port = port
        self._markets = markets
        self._clients = clients
        self._counting = False
        self.followers: list[Follower] = []
        self.gone: list[Follower] = []
        """Those that were cut off; what they have heard still counts."""

    @property
    def all(self) -> list[Follower]:
        """Everybody who was ever there."""
        return [*self.followers, *self.gone]

    async def open(self) -> None:
        """Let them come.

        Raises:
            BenchFailed: one could not.
        """
        try:
            for start in range(0, self._clients, OPENED_AT_ONCE):
                numbers = range(start, min(start + OPENED_AT_ONCE, self._clients))
                self.followers += await asyncio.gather(*(self._follower(number) for number in numbers))
        except (OSError, TimeoutError) as trouble:
            raise BenchFailed(
                f"a socket did not open: {trouble}; a stack that runs already may need a higher "
                "WS_CONNECTIONS_PER_ADDRESS"
            ) from trouble

    def count(self) -> None:
        """From now on what they hear counts."""
        self._counting = True
        for follower in self.followers:
            follower.counting = True

    async def cut_now_and_then(self, every_s: float, stopping: asyncio.Event) -> None:
        """Cut off one after the other of those that keep a book, and let it come back at once.

        Raises:
            OSError · TimeoutError: it could not.
        """
        number = 0
        while not stopping.is_set():
            try:
                await asyncio.wait_for(stopping.wait(), every_s)
            except TimeoutError:
                await self._come_back(number)
                number = number + KEEP_BOOKS if number + KEEP_BOOKS < self._clients else 0

    async def cut_all(self, within_s: float) -> list[float]:
        """Cut everybody off, and let all come back within so long: how long each took until they knew everything again.

        Raises:
            OSError · TimeoutError: one could not.
        """
        for follower in self.followers:
            follower.close()
        started = time.perf_counter()

        async def back(number: int) -> float:
            planned = started + number * within_s / self._clients
            await asyncio.sleep(max(0.0, planned - time.perf_counter()))
            await self._come_back(number)
            return time.perf_counter() - planned

        return list(await asyncio.gather(*(back(number) for number in range(self._clients))))

    async def differences(self, http: httpx2.AsyncClient) -> list[str]:
        """The books that were kept and are not what HTTP tells; nothing trades meanwhile."""
        found: list[str] = []
        for follower in self.followers:
            if follower.book is None:
                continue
            told = (await http.get(f"/trading/pairs/{follower.market}/orderbook")).raise_for_status().json()
            same = follower.book.seq == told["seq"] and follower.book.levels() == (told["bids"], told["asks"])
            if not same or follower.book.checksum() != told["checksum"]:
                found.append(
                    f"the book of {follower.market} at {follower.book.seq} is not that of {told['seq']}"
                )
        return found

    def close(self) -> None:
        for follower in self.followers:
            follower.close()

    async def _come_back(self, number: int) -> None:
        former = self.followers[number]
        former.close()
        self.gone.append(former)
        self.followers[number] = await self._follower(number)
        self.followers[number].counting = self._counting

    async def _follower(self, number: int) -> Follower:
        market = self._markets[number % len(self._markets)]
        return await Follower.open(HOST, self._port, market, keeps_book=number % KEEP_BOOKS == 0)
