"""Prices outside: a far side over real HTTP that speaks as CoinGecko and as issuers do, and one in memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from deedbook.kernel.ids import PairId, new_uuid
from deedbook.marketdata import FeedKind, PriceSource, Quote, Silence, SourceId
from deedbook.marketdata.terms import Told

SCALE = 10**18


def source(
    kind: FeedKind, locator: str, pair_id: PairId | None = None, *, base: str = "LUXAPT", quote: str = "USDC"
) -> PriceSource:
    """One that takes any price that is at most an hour old."""
    pair = pair_id or PairId(new_uuid())
    return PriceSource(SourceId(new_uuid()), pair, kind, locator, base, quote, 3600, 1, 10**38)


@dataclass
class FakeFeeds:
    """Every source says what it was told to say, and those that were told nothing are silent."""

    says: dict[SourceId, Told] = field(default_factory=dict)
    asked: int = 0

    async def ask(self, sources: Sequence[PriceSource]) -> dict[SourceId, Told]:
        self.asked += 1
        return {
            source.source_id: self.says.get(source.source_id, Silence("it says nothing"))
            for source in sources
        }

    def say(self, source_id: SourceId, price: str, observed_at: datetime) -> None:
        whole, _, fraction = price.partition(".")
        self.says[source_id] = Quote(int(whole + fraction.ljust(18, "0")), observed_at)


@dataclass
class PriceDesk:
    """A small HTTP server. `coins` and `navs` are what it knows; `body` and `status` have it answer anything."""

    port: int = 0
    coins: dict[str, dict[str, Any]] = field(default_factory=dict)
    navs: dict[str, dict[str, Any]] = field(default_factory=dict)
    body: bytes | None = None
    status: int = 200
    delay_s: float = 0.0
    headers: str = ""
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _answer(self, target: str) -> bytes:
        if self.body is not None:
            return self.body
        parts = urlsplit(target)
        if parts.path.startswith("/nav/"):
            return json.dumps(self.navs[parts.path.removeprefix("/nav/")]).encode()
        wanted = parse_qs(parts.query)["ids"][0].split(",")
        # Prices are written as they stand, so that no float of ours rounds them.
        coins = ",".join(
            f'"{coin}":{{"usd":{told["usd"]},"last_updated_at":{told["at"]}}}'
            for coin, told in self.coins.items()
            if coin in wanted
        )
        return f"{{{coins}}}".encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *lines = head.split("\r\n")
            target = line.split(" ")[1]
            told = {name.lower(): value for name, _, value in (entry.partition(": ") for entry in lines)}
            self.seen.append((target, told))
            await asyncio.sleep(self.delay_s)
            body = self._answer(target)
            start = f"HTTP/1.1 {self.status} X\r\ncontent-type: application/json\r\n{self.headers}"
            writer.write(f"{start}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def price_desk() -> AsyncIterator[PriceDesk]:
    """It answers while this lasts."""
    desk = PriceDesk()
    server = await asyncio.start_server(desk.serve, "127.0.0.1", 0)
    desk.port = server.sockets[0].getsockname()[1]
    async with server:
        yield desk
