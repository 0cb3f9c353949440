"""Market data as text: what routes answer, whichever way it was asked for. Copies are put together, not read."""

from collections.abc import Sequence

from deedbook.api.paging import encode_cursor
from deedbook.marketdata import Interval, views


def candle_listing(interval: Interval) -> str:
    """The list that cursors of such candles are bound to."""
    return f"candles-{interval.value}"


def candles(interval: Interval, found: Sequence[str], limit: int) -> str:
    """A page of candles, of which one more is known where there are more."""
    page, more = found[:limit], len(found) > limit
    following = encode_cursor(candle_listing(interval), views.opened_at(page[-1])) if more else None
    return _page(page, following)


def tape(page: Sequence[str], older: int | None) -> str:
    """A page of trades, and the number from which older ones follow."""
    return _page(page, encode_cursor("tape", older) if older is not None else None)


def _page(entries: Sequence[str], following: str | None) -> str:
    cursor = f'"{following}"' if following is not None else "null"
    return f'{{"data":[{",".join(entries)}],"nextCursor":{cursor}}}'
