"""All feeds behind one port: each source is asked where it lives, all at the same time, and one that is silent holds
nobody else up."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

from deedbook.chain.ports import Chain
from deedbook.integrations.answers import NoAnswer
from deedbook.integrations.outward import Lookup, PublicTransport, look_up
from deedbook.integrations.prices import chainlink, nav
from deedbook.integrations.prices.coingecko import CoinGecko
from deedbook.marketdata.terms import FeedKind, PriceSource, Silence, SourceId, Told

AT_ONCE = 20


@dataclass(frozen=True)
class Feeds:
    """Implements the `PriceFeeds` port. `private_too` lets issuers' feeds be on our own network, for development."""

    chain: Chain
    coingecko_url: str
    coingecko_key: str | None
    timeout_s: float
    private_too: bool = False
    lookup: Lookup = look_up

    async def ask(self, sources: Sequence[PriceSource]) -> dict[SourceId, Told]:
        """What each source says now; never an exception for what others do."""
        coins = [source for source in sources if source.kind is FeedKind.COINGECKO]
        others = [source for source in sources if source.kind is not FeedKind.COINGECKO]
        outward = PublicTransport(private_too=self.private_too, lookup=self.lookup)
        async with (
            httpx2.AsyncClient(timeout=self.timeout_s, trust_env=False, transport=outward) as anywhere,
            httpx2.AsyncClient(timeout=self.timeout_s, trust_env=False) as http,
        ):
            gecko = CoinGecko(http, self.coingecko_url, self.coingecko_key, self.timeout_s)
            room = asyncio.Semaphore(AT_ONCE)
            asking = asyncio.gather(*(self._one(anywhere, room, source) for source in others))
            found, each = await asyncio.gather(gecko.quotes(coins), asking)
        return found | {source.source_id: told for source, told in zip(others, each, strict=True)}

    async def _one(self, http: httpx2.AsyncClient, room: asyncio.Semaphore, source: PriceSource) -> Told:
        async with room:
            try:
                if source.kind is FeedKind.NAV:
                    return await nav.quote(http, source, self.timeout_s)
                return await chainlink.quote(self.chain, source)
            except NoAnswer as nothing:
                return Silence(str(nothing))
