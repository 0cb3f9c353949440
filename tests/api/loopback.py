"""The API behind a real socket, for what only a server can do: framing, sockets' addresses, raw bytes."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deedbook.api.server import Server, config
from tests.support.servers import free_port
from tests.support.world import World

INTERIM = re.compile(rb"\A(HTTP/1\.1 1[0-9][0-9] [^\r]*\r\n\r\n)+")


@asynccontextmanager
async def serving(world: World, most: int | None = None) -> AsyncIterator[str]:
    """The address of a server for this world, in this event loop, set up as `deedbook api` sets it up; or so that it
    is full with fewer."""
    port = free_port()
    settings = config(world.app, "127.0.0.1", port, lifespan="off")
    if most is not None:
        settings.limit_concurrency = most
    server = Server(settings)
    running = asyncio.create_task(server._serve())  # without the signal handlers of `serve`
    for _ in range(500):
        if server.started:
            break
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


async def speak(address: str, *chunks: bytes, pause_s: float = 0.0, wait_s: float = 10.0) -> bytes:
    """Send raw bytes and read until the server closes, falls silent, or answers in full."""
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    answer = b""
    try:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause_s)
        async with asyncio.timeout(wait_s):
            while part := await reader.read(65_536):
                answer += part
                head, _, body = INTERIM.sub(b"", answer).partition(b"\r\n\r\n")
                length = re.search(rb"content-length: *([0-9]+)", head.lower())
                if length and len(body) >= int(length[1]):
                    break
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answer
