"""The quick way to market data, past everything that stands before other routes. It takes plain requests for what a
copy tells. Whatever is unusual (a cursor, a parameter that is odd, a pair that nobody has asked for lately, no copy, a
browser from elsewhere) goes the long way to the route, counted once."""

import re
from collections.abc import Mapping, Sequence

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from deedbook.api import marks
from deedbook.api.deps import note_address, require_room
from deedbook.api.errors import refused
from deedbook.api.showcase import Kind, Reading, Showcase
from deedbook.kernel.errors import RateLimited
from deedbook.kernel.ids import PairId
from deedbook.marketdata import Interval
from deedbook.trading.pairs import PairDirectory

PAIRS, EVERYTHING = "/trading/pairs/{id}/", "/trading/stats"
DEFAULTS = {Kind.BOOK: 100, Kind.TRADES: 50, Kind.CANDLES: 100}
"""How many are shown to who does not say."""
MOST = {Kind.BOOK: 100, Kind.TRADES: 200, Kind.CANDLES: 499}
_HOW_MANY = re.compile(rb"[1-9][0-9]{0,2}")
_INTERVALS = {interval.value.encode(): interval for interval in Interval}


class QuickReads:
    """Before the app, so that none of its detours is taken."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], prefix: str) -> None:
        self._app = app
        found = {
            route.path: route
            for route in routes
            if isinstance(route, APIRoute) and "GET" in (route.methods or ())
        }
        self._routes: Mapping[Kind, APIRoute] = {
            kind: found[EVERYTHING if kind is Kind.ALL_STATS else PAIRS + kind.value] for kind in Kind
        }
        kinds = "|".join(kind.value for kind in Kind if kind is not Kind.ALL_STATS)
        self._pattern = re.compile(rf"{prefix}/trading/(?:stats|pairs/([A-Za-z0-9-]{{1,80}})/({kinds}))")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reading = self._wanted(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if reading is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        response = await self._look(request, reading)
        if response is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._routes[reading.kind]
        await response(scope, receive, send)

    async def _look(self, request: Request, reading: Reading) -> Response | None:
        """The answer, or none: then the guard has nothing left to do."""
        showcase: Showcase = request.app.state.showcase
        note_address(request, request.app.state.resources)
        seen = await showcase.look(request.state.address, reading)
        try:
            require_room(request, seen.standing)
        except RateLimited as refusal:
            return refused(request, refusal)
        request.state.caller, request.state.guarded = None, True
        if seen.told is None:
            return None
        return marks.answer(seen.told.body, request.headers.get("if-none-match"), seen.told.mark)

    def _wanted(self, scope: Scope) -> Reading | None:
        match = self._pattern.fullmatch(scope["path"])
        if match is None or any(name == b"origin" for name, _ in scope["headers"]):
            return None
        if match[1] is None:
            return Reading(Kind.ALL_STATS, None) if not scope["query_string"] else None
        known: PairDirectory = scope["app"].state.known_pairs
        spec = known.known(match[1])
        return _reading(Kind(match[2]), spec.pair_id, scope["query_string"]) if spec is not None else None


def _reading(kind: Kind, pair_id: PairId, query: bytes) -> Reading | None:
    """What is asked for; `None` where the route must look at the query."""
    limit, interval, seen = DEFAULTS.get(kind, 0), Interval.ONE_MINUTE, set[bytes]()
    for part in query.split(b"&") if query else ():
        name, _, value = part.partition(b"=")
        if name in seen:
            return None
        seen.add(name)
        if kind is Kind.CANDLES and name == b"interval" and value in _INTERVALS:
            interval = _INTERVALS[value]
        elif kind in MOST and name == _how_many(kind) and _HOW_MANY.fullmatch(value):
            limit = int(value)
        else:
            return None
    return Reading(kind, pair_id, limit, interval) if limit <= MOST.get(kind, 0) else None


def _how_many(kind: Kind) -> bytes:
    return b"depth" if kind is Kind.BOOK else b"limit"
