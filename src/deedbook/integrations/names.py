"""Names looked up where a slow one holds up nobody else.

The system's look-up blocks a thread for as long as the name's servers please, half a minute and more, and the loop's
own threads, of which there are few, also open the database's connections. So names that people give have threads of
their own, few too, and nobody waits long for them: one that comes while all are held hears that the name is not known,
and nothing is looked up for whoever has gone.
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

AT_ONCE = 8
WITHIN_S = 5.0


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, as the system knows them. Blocks."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


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

    async def look_up(self, host: str, port: int) -> list[str]:
        """All addresses of a name.

        Raises:
            OSError: there is none, or it is not told in time.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._within_s):
                return await loop.run_in_executor(self._threads, self._resolving, host, port)
        except UnicodeError:  # a label that is empty or too long, which the system does not even look up
            raise OSError("this is no name") from None
