"""The few routes that are called thousands of times a second: declared like all others, so that guard, contract and
tests know them, and answered without the detours that the framework takes for everybody."""

import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from deedbook.api.callers import Callers
from deedbook.api.deps import (
    IDEMPOTENCY_KEY,
    SIGNED_IN,
    bearer,
    count_stranger,
    note_address,
    require_known_parameters,
    require_room,
)
from deedbook.api.ratelimit import Limiter
from deedbook.api.strict import StrictRoute
from deedbook.identity import Caller
from deedbook.identity.errors import Unauthenticated

REQUESTS_PER_ORDER = 10
"""How many requests, good or bad, each process reads of one caller for each order or cancel that they may send."""

Endpoint = Callable[[Request], Awaitable[Response]]


def a_body(model: type[BaseModel]) -> dict[str, Any]:
    """For `openapi_extra`: the body, which the framework does not read and so does not know."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def a_key() -> dict[str, Any]:
    """For `openapi_extra`: the route honours an Idempotency-Key."""
    schema = {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$", "title": IDEMPOTENCY_KEY}
    told = {"name": IDEMPOTENCY_KEY, "in": "header", "required": False, "schema": schema}
    return {"parameters": [{**told, "description": "Repeat a request safely"}]}


def an_id(more: dict[str, Any] | None = None) -> dict[str, Any]:
    """For `openapi_extra`: there is an id in the route's path, beside what `more` says."""
    schema = {"type": "string", "format": "uuid", "title": "Id"}
    told = {"name": "id", "in": "path", "required": True, "schema": schema}
    return {"parameters": [told, *(more or {}).get("parameters", ())]}


class HotRoute(StrictRoute):
    """A route whose endpoint takes the request and gives the response. It is for whoever is signed in, and counts
    itself what it takes in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        assert (self.openapi_extra or {})["x-access"] == [SIGNED_IN]
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            await recognise(request, self)
            response: Response = await endpoint(request)
            return response

        return handle


class Shortcuts(BaseRoute):
    """Stands before all other routes and leads to the hot ones, without the walk along the others."""

    def __init__(self, declared: Sequence[BaseRoute], prefix: str) -> None:
        self.declared = [route for route in declared if isinstance(route, HotRoute)]
        self._exact: dict[tuple[str, str], HotRoute] = {}
        self._others: list[tuple[str, re.Pattern[str], HotRoute]] = []
        for route in self.declared:
            for method in route.methods or ():
                if route.param_convertors:
                    pattern = re.compile(prefix + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route.path))
                    self._others.append((method, pattern, route))
                else:
                    self._exact[method, prefix + route.path] = route

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        method, path = scope["method"], scope["path"]
        route = self._exact.get((method, path))
        if route is not None:
            return Match.FULL, {"route": route, "path_params": {}}
        for its_method, pattern, other in self._others:
            if its_method == method and (found := pattern.fullmatch(path)):
                return Match.FULL, {"route": other, "path_params": found.groupdict()}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: HotRoute = scope["route"]
        request = Request(scope, receive, send)
        await recognise(request, route)
        response = await route.endpoint(request)
        await response(scope, receive, send)


async def recognise(request: Request, route: HotRoute) -> None:
    """The guard of hot routes: who is calling, from what was known a moment ago, before anything is read.

    Raises:
        Unauthenticated · RateLimited · Invalid: the first that applies.
    """
    state = request.app.state
    note_address(request, state.resources)
    callers: Callers = state.callers
    try:
        caller = await callers.find(bearer(request.headers.get("authorization", "")))
    except Unauthenticated:
        await count_stranger(request)
        raise
    request.state.caller = caller
    _require_few_requests(request, route, caller)
    if request.scope["query_string"]:
        require_known_parameters(request, route)


def _require_few_requests(request: Request, route: HotRoute, caller: Caller) -> None:
    """What is refused before it is counted as an order has a bound too."""
    limiter: Limiter = request.app.state.limiter
    bucket = (route.openapi_extra or {})["x-rate-bucket"]
    limit = limiter.limit_of(bucket, caller.roles) * REQUESTS_PER_ORDER
    require_room(request, limiter.count_here(f"{bucket}-requests", str(caller.user_id), limit))
