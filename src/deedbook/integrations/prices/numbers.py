"""Prices as others write them, read exactly: no float ever holds one."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from deedbook.integrations.answers import NoAnswer

PLACES = 18
MAX_PRICE = 10**38
_NUMBER = re.compile(r"([0-9]{1,30})(?:\.([0-9]{1,60}))?(?:[eE]([+-]?[0-9]{1,3}))?")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|\+00:00)")


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


def read_json(body: bytes) -> Any:
    """JSON whose numbers stay text.

    Raises:
        NoAnswer: it is no JSON.
    """
    try:
        return json.loads(body, parse_float=Number, parse_int=Number, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise NoAnswer("what came is no JSON") from None


def _refuse(_: str) -> None:
    raise ValueError("no number")


def scaled(text: str) -> int:
    """A positive number as a whole number of 10^-18, rounded down.

    Raises:
        NoAnswer: it is none, or none that a price can be.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise NoAnswer("the price is no positive number")
    whole, fraction, exponent = match[1], match[2] or "", int(match[3] or "0")
    places = PLACES - len(fraction) + exponent
    digits = int(whole + fraction)
    price: int = digits * 10**places if places >= 0 else digits // 10 ** min(-places, 200)
    if not 0 < price <= MAX_PRICE:
        raise NoAnswer("the price is nothing, or beyond all bounds")
    return price


def from_epoch(seconds: int) -> datetime:
    """A moment from seconds.

    Raises:
        NoAnswer: it is none.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise NoAnswer("the moment is none") from None
