"""CoinGecko's prices: `GET /simple/price`, all coins in one question. Its words stop here.

Source: CoinGecko API, "Coin Price by IDs". Amounts are asked with full precision and read as text.
"""

import re
from collections.abc import Sequence
from typing import Any

import httpx2

from deedbook.integrations.answers import NoAnswer, ask
from deedbook.integrations.prices.numbers import Number, from_epoch, read_json, scaled
from deedbook.marketdata.terms import PriceSource, Quote, Silence, SourceId, Told

MAX_ANSWER_BYTES = 256 * 1024
COINS_AT_ONCE = 100
CURRENCIES = {"USDC": "usd", "USDT": "usd", "TUSD": "usd", "EURC": "eur"}
"""In which currency a pair with this quote token is asked; others under their own names."""
_PRO = "pro-api.coingecko.com"
_SECONDS = re.compile(r"[0-9]{1,12}")


class CoinGecko:
    """One far side; the base address may be another that speaks the same."""

    def __init__(
        self, http: httpx2.AsyncClient, base_url: str, api_key: str | None, timeout_s: float
    ) -> None:
        self._http = http
        self._url = f"{base_url}/simple/price"
        kind = "x-cg-pro-api-key" if _PRO in base_url else "x-cg-demo-api-key"
        self._headers = {kind: api_key} if api_key else {}
        self._timeout_s = timeout_s

    async def quotes(self, sources: Sequence[PriceSource]) -> dict[SourceId, Told]:
        """What it says of each."""
        told: dict[SourceId, Told] = {}
        for start in range(0, len(sources), COINS_AT_ONCE):
            told |= await self._some(sources[start : start + COINS_AT_ONCE])
        return told

    async def _some(self, sources: Sequence[PriceSource]) -> dict[SourceId, Told]:
        try:
            answer = await self._ask(sources)
        except NoAnswer as nothing:
            return {source.source_id: Silence(str(nothing)) for source in sources}
        return {source.source_id: _told(answer, source) for source in sources}

    async def _ask(self, sources: Sequence[PriceSource]) -> dict[str, Any]:
        parameters = {
            "ids": ",".join(sorted({source.locator for source in sources})),
            "vs_currencies": ",".join(sorted({currency_of(source) for source in sources})),
            "include_last_updated_at": "true",
            "precision": "full",
        }
        answer = await ask(
            self._http,
            "GET",
            self._url,
            within_s=self._timeout_s,
            at_most=MAX_ANSWER_BYTES,
            params=parameters,
            headers=self._headers,
        )
        if answer.status != 200:
            raise NoAnswer(f"the service answered {answer.status}")
        told = read_json(answer.body)
        if not isinstance(told, dict):
            raise NoAnswer("the answer is no object")
        return told


def currency_of(source: PriceSource) -> str:
    return CURRENCIES.get(source.quote, source.quote.lower())


def _told(answer: dict[str, Any], source: PriceSource) -> Told:
    try:
        return _quote(answer.get(source.locator), currency_of(source))
    except NoAnswer as nothing:
        return Silence(str(nothing))


def _quote(coin: Any, currency: str) -> Quote:
    if not isinstance(coin, dict):
        raise NoAnswer("the service does not know this coin")
    price, moment = coin.get(currency), coin.get("last_updated_at")
    if not isinstance(price, Number) or not isinstance(moment, Number) or not _SECONDS.fullmatch(moment):
        raise NoAnswer("the coin has no price in this currency, or no time")
    return Quote(scaled(price), from_epoch(int(moment)))
