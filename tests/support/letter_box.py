"""The far side of what is posted: a small HTTP server that keeps what it gets and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class LetterBox:
    """`statuses` are answered one after the other, the last of them for ever."""

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [200])
    headers: str = ""
    answer: bytes = b"{}"
    delay_s: float = 0.0
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    """Nobody is answered until it is set, as it is in the beginning."""
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *lines = head.split("\r\n")
            method, target, _ = line.split(" ")
            headers = {name.lower(): value for name, _, value in (entry.partition(": ") for entry in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.received.append(Received(method, target, headers, body))
            await asyncio.sleep(self.delay_s)
            await self.answering.wait()
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            start = f"HTTP/1.1 {status} X\r\n{self.headers}content-length: {len(self.answer)}\r\n"
            writer.write(f"{start}connection: close\r\n\r\n".encode() + self.answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def letter_box() -> AsyncIterator[LetterBox]:
    """It answers while this lasts."""
    box = LetterBox()
    box.answering.set()
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box
