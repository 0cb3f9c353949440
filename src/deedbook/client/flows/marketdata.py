"""What everybody may see."""

from deedbook.client.answers import Book, Candle, Price, PublicTrade, Stats
from deedbook.client.flow import Flow, Session
from deedbook.client.flows.asking import get, page, segment
from deedbook.client.operations import Page


def book(session: Session, pair: str, depth: int = 50) -> Flow[Book]:
    """The best levels of a pair's book."""
    path = f"/trading/pairs/{segment(pair)}/orderbook"
    return (yield from get(session, Book, path, signed_in=False, depth=depth))


def public_trades(session: Session, cursor: str | None, pair: str) -> Flow[Page[PublicTrade]]:
    """A pair's trades, the newest first."""
    path = f"/trading/pairs/{segment(pair)}/trades"
    return (yield from page(session, PublicTrade, path, cursor, signed_in=False))


def candles(session: Session, cursor: str | None, pair: str, interval: str = "1m") -> Flow[Page[Candle]]:
    """A pair's candles, the newest first."""
    path = f"/trading/pairs/{segment(pair)}/candles"
    return (yield from page(session, Candle, path, cursor, signed_in=False, interval=interval))


def stats(session: Session, pair: str) -> Flow[Stats]:
    """A pair's last 24 hours."""
    return (yield from get(session, Stats, f"/trading/pairs/{segment(pair)}/stats", signed_in=False))


def price(session: Session, pair: str) -> Flow[Price]:
    """What a pair is worth, and what sources outside say."""
    return (yield from get(session, Price, f"/trading/pairs/{segment(pair)}/price", signed_in=False))
