"""An issuer's feed of net asset values: one JSON object behind an https address.

`{"symbol": "LUXAPT", "currency": "USDC", "nav": "98.25", "asOf": "2026-03-01T12:00:00Z"}`: what one token is worth, as
decimal text. More fields are allowed and not looked at; these four are strict.
"""

from datetime import datetime
from typing import Any

import httpx2

from deedbook.integrations.answers import NoAnswer, ask
from deedbook.integrations.prices.numbers import MOMENT, Number, read_json, scaled
from deedbook.marketdata.terms import PriceSource, Quote

MAX_ANSWER_BYTES = 16 * 1024


async def quote(http: httpx2.AsyncClient, source: PriceSource, timeout_s: float) -> Quote:
    """What the issuer says.

    Raises:
        NoAnswer: nothing usable.
    """
    headers = {"accept": "application/json"}
    answer = await ask(
        http, "GET", source.locator, within_s=timeout_s, at_most=MAX_ANSWER_BYTES, headers=headers
    )
    if answer.status != 200:
        raise NoAnswer(f"the feed answered {answer.status}")
    told = read_json(answer.body)
    if not isinstance(told, dict):
        raise NoAnswer("the answer is no object")
    if (told.get("symbol"), told.get("currency")) != (source.base, source.quote):
        raise NoAnswer("the feed is of another token, or in another currency")
    return Quote(scaled(_text(told.get("nav"))), _moment(told.get("asOf")))


def _text(value: Any) -> str:
    # A JSON number has often been a float before it was written.
    if not isinstance(value, str) or isinstance(value, Number):
        raise NoAnswer("nav is no decimal text")
    return value


def _moment(value: Any) -> datetime:
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        raise NoAnswer("asOf is no moment")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise NoAnswer("asOf is no moment") from None
