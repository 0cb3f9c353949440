"""The proxy that the other tests break their connections with, between us and a server that echoes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.fault_proxy import Direction, FaultProxy
from tests.support.waiting import PATIENCE_S, eventually

received = bytearray()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            received.extend(data)
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    received.clear()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with FaultProxy("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()
    await server.wait_closed()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), PATIENCE_S)

    async def is_reset(self) -> bool:
        try:
            await asyncio.wait_for(self.reader.read(1), PATIENCE_S)
        except ConnectionResetError:
            return True
        return False


@asynccontextmanager
async def connected(proxy: FaultProxy) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()


async def test_it_passes_on_what_it_is_given(proxy: FaultProxy) -> None:
    async with connected(proxy) as client:
        await client.send(b"x" * 300_000)
        assert await client.receive(300_000) == b"x" * 300_000
    assert proxy.passed_bytes == dict.fromkeys(Direction, 300_000)


async def test_it_delays(proxy: FaultProxy) -> None:
    async with connected(proxy) as client:
        proxy.delay(0.1)
        started = time.monotonic()
        await client.send(b"hello")
        await client.receive(5)
        assert time.monotonic() - started >= 0.2


async def test_it_refuses_new_connections_until_healed(proxy: FaultProxy) -> None:
    async with connected(proxy) as old:
        await old.send(b"a")
        await old.receive(1)
        proxy.refuse()
        async with connected(proxy) as new:
            assert await new.is_reset()
        await old.send(b"b")
        assert await old.receive(1) == b"b"
    proxy.heal()
    async with connected(proxy) as client:
        await client.send(b"c")
        assert await client.receive(1) == b"c"


@pytest.mark.parametrize("direction", Direction)
async def test_it_swallows_one_direction_until_healed(proxy: FaultProxy, direction: Direction) -> None:
    async with connected(proxy) as client:
        proxy.swallow([direction])
        await client.send(b"hello")
        if direction is Direction.TO_CLIENT:
            await eventually(_heard, "the server has heard it")
        await asyncio.sleep(0.1)
        assert bytes(received) == (b"" if direction is Direction.TO_SERVER else b"hello")
        assert proxy.passed_bytes[Direction.TO_CLIENT] == 0
        proxy.heal()
        assert await client.receive(5) == b"hello"


async def _heard() -> bool:
    return bytes(received) == b"hello"


async def test_it_cuts_open_connections(proxy: FaultProxy) -> None:
    async with connected(proxy) as client:
        await client.send(b"a")
        await client.receive(1)
        proxy.cut()
        assert await client.is_reset()
    async with connected(proxy) as client:
        await client.send(b"b")
        assert await client.receive(1) == b"b"


@pytest.mark.parametrize("deliver", [True, False])
async def test_it_aborts_before_or_after_the_delivery_of_a_pattern(proxy: FaultProxy, deliver: bool) -> None:
    proxy.abort_when(Direction.TO_SERVER, b"COMMIT", deliver=deliver)
    async with connected(proxy) as client:
        await client.send(b"BEGIN;COM")
        await client.receive(9)
        await client.send(b"MIT;")  # a pattern may come in two pieces
        while True:  # the echo may still come through
            try:
                if not await asyncio.wait_for(client.reader.read(1), PATIENCE_S):
                    pytest.fail("the connection ended politely")
            except ConnectionResetError:
                break
    assert bytes(received).endswith(b"MIT;" if deliver else b"COM")
    async with connected(proxy) as client:
        await client.send(b"COMMIT")  # a trap springs once
        assert await client.receive(6) == b"COMMIT"
