"""Names looked up where a slow one holds up nobody else.

The system's look-up blocks a thread for as long as the name's servers please, half a minute and more, and the loop's
own threads, of which there are few, also open the database's connections. So names that people give have threads of
their own, few too, of which the names of one domain hold but some, and nobody waits long for them: one that comes while
all are held hears that the name is not known, and nothing is looked up for whoever has gone.
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

AT_ONCE = 8
OF_A_DOMAIN = 2
"""Names that end alike mostly have the same servers: as many threads as one who makes them slow can hold."""
SHORT = 3
WITHIN_S = 5.0


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, as the system knows them. Blocks."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def domain_of(host: str) -> str:
    """What one owner has: mostly the last two labels; three where the last two are like `co.uk` or `com.au`, under
    which everybody is. Whoever owns so short a name has as many domains as they like, as anybody has who pays."""
    labels = host.lower().rstrip(".").split(".")
    everybodys = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= SHORT
    return ".".join(labels[-3 if everybodys else -2 :])


class Names:
    """One for each kind of asker, so that none waits for another's slow names."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        within_s: float = WITHIN_S,
        resolving: Callable[[str, int], list[str]] = resolve,
    ) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="names")
        self._within_s = within_s
        self._resolving = resolving
        self._turns: dict[str, _Turn] = {}

    async def look_up(self, host: str, port: int) -> list[str]:
        """All addresses of a name.

        Raises:
            OSError: there is none, or it is not told in time.
        """
        loop = asyncio.get_running_loop()
        domain = domain_of(host)
        try:
            async with asyncio.timeout(self._within_s):
                turn = await self._turn(domain)
                found = self._threads.submit(self._resolving, host, port)
                found.add_done_callback(lambda _: self._let_know(loop, domain, turn))
                return await asyncio.wrap_future(found)
        except UnicodeError:  # a label that is empty or too long, which the system does not even look up
            raise OSError("this is no name") from None

    async def _turn(self, domain: str) -> "_Turn":
        """Wait for a thread that names of this domain may hold."""
        turn = self._turns.setdefault(domain, _Turn())
        turn.wanted += 1
        try:
            await turn.free.acquire()
        except BaseException:
            self._leave(domain, turn)
            raise
        return turn

    def _let_know(self, loop: asyncio.AbstractEventLoop, domain: str, turn: "_Turn") -> None:
        """The thread is free, which may be long after whoever asked has gone."""
        with suppress(RuntimeError):  # the loop is over, and with it all who wait
            loop.call_soon_threadsafe(self._done, domain, turn)

    def _done(self, domain: str, turn: "_Turn") -> None:
        turn.free.release()
        self._leave(domain, turn)

    def _leave(self, domain: str, turn: "_Turn") -> None:
        turn.wanted -= 1
        if not turn.wanted and self._turns.get(domain) is turn:
            del self._turns[domain]


class _Turn:
    """The threads that names of one domain may hold, and how many look-ups hold or want one."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(OF_A_DOMAIN)
        self.wanted = 0
