"""A TCP proxy that misbehaves on command, for tests of what our clients do when the network does.

    async with FaultProxy("127.0.0.1", postgres.port) as proxy:
        proxy.abort_when(Direction.TO_SERVER, b"COMMIT", deliver=True)   # committed, but nobody was told

Faults hold for connections that are open as well as for new ones, until `heal`.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum, auto
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65536
DELIVERY_S = 0.05  # for the client to read what is delivered before the connection breaks
ANSWER_S = 5.0  # for the server to answer what is delivered: by then it has had its effect


class Direction(Enum):
    TO_SERVER = auto()
    TO_CLIENT = auto()


@dataclass(slots=True)
class Trap:
    """Springs once, when these bytes pass, wherever the packets are cut."""

    direction: Direction
    pattern: bytes
    deliver: bool


@dataclass(slots=True)
class Connection:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    seen: dict[Direction, bytes] = field(default_factory=lambda: dict.fromkeys(Direction, b""))
    mute: bool = False
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    def reset(self) -> None:
        for writer in (self.client, self.server):
            _reset(writer)


class FaultProxy:
    """Listens on a loopback port and passes bytes on to the upstream server, with the faults set."""

    def __init__(self, upstream_host: str, upstream_port: int) -> None:
        self._upstream = (upstream_host, upstream_port)
        self._server: asyncio.Server | None = None
        self._connections: list[Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._latency_s = 0.0
        self._refusing = False
        self._flowing = {direction: asyncio.Event() for direction in Direction}
        self._trap: Trap | None = None
        self.passed_bytes = dict.fromkeys(Direction, 0)
        self.heal()

    # Faults

    def delay(self, latency_s: float) -> None:
        """Each piece of data arrives this much later."""
        self._latency_s = latency_s

    def refuse(self) -> None:
        """New connections are reset at once; open ones stay."""
        self._refusing = True

    def swallow(self, directions: Collection[Direction] = tuple(Direction)) -> None:
        """A network that is cut without a word: nothing arrives, nothing fails. What was sent meanwhile
        arrives after `heal`, as with TCP."""
        for direction in directions:
            self._flowing[direction].clear()

    def cut(self) -> None:
        """All open connections are reset now; new ones are welcome."""
        for connection in self._connections:
            connection.reset()

    def abort_when(self, direction: Direction, pattern: bytes, *, deliver: bool) -> None:
        """The connection in which these bytes pass next is reset, before or after they are delivered."""
        assert pattern, "an empty pattern would spring at once"
        self._trap = Trap(direction, pattern, deliver)

    def heal(self) -> None:
        self._latency_s, self._refusing, self._trap = 0.0, False, None
        for flowing in self._flowing.values():
            flowing.set()

    # Life

    @property
    def port(self) -> int:
        assert self._server is not None, "the proxy has not been started"
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Bytes

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if self._refusing:
            _reset(to_client)
            return
        try:
            from_server, to_server = await asyncio.open_connection(*self._upstream)
        except OSError:
            _reset(to_client)
            return
        connection = Connection(to_client, to_server)
        self._connections.append(connection)
        try:
            await asyncio.gather(
                self._pump(connection, Direction.TO_SERVER, from_client, to_server),
                self._pump(connection, Direction.TO_CLIENT, from_server, to_client),
            )
        finally:
            self._connections.remove(connection)
            to_server.close()  # now: waiting for the other may be cancelled
            await _close(to_client)
            await _close(to_server)

    async def _pump(
        self,
        connection: Connection,
        direction: Direction,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
    ) -> None:
        """Until one side ends; a side that only stops sending may still receive."""
        with contextlib.suppress(ConnectionError):
            while data := await source.read(CHUNK_BYTES):
                if self._latency_s:
                    await asyncio.sleep(self._latency_s)
                await self._flowing[direction].wait()
                if connection.mute:
                    if direction is Direction.TO_CLIENT:
                        connection.answered.set()
                    continue
                if await self._springs(connection, direction, data, sink):
                    return
                await self._pass_on(direction, data, sink)
            if sink.can_write_eof():
                sink.write_eof()

    async def _pass_on(self, direction: Direction, data: bytes, sink: asyncio.StreamWriter) -> None:
        sink.write(data)
        await sink.drain()
        self.passed_bytes[direction] += len(data)

    async def _springs(
        self, connection: Connection, direction: Direction, data: bytes, sink: asyncio.StreamWriter
    ) -> bool:
        trap = self._trap
        if trap is None or trap.direction is not direction:
            return False
        seen = connection.seen[direction] + data
        if trap.pattern not in seen:
            connection.seen[direction] = seen[-len(trap.pattern) :]
            return False
        self._trap = None
        if trap.deliver:
            connection.mute = True  # What was delivered has its effect, and its answer never comes.
            await self._pass_on(direction, data, sink)
            if direction is Direction.TO_SERVER:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(connection.answered.wait(), ANSWER_S)
            else:
                await asyncio.sleep(DELIVERY_S)
        connection.reset()
        return True


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST and not FIN: the other side sees a broken connection, not a polite end."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError, OSError):
        await writer.wait_closed()
