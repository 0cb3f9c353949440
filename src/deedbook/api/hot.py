"""The few routes that are called thousands of times a second: declared like all others, so that guard, contract and
tests know them, and answered without the detours that the framework takes for everybody."""

import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from deedbook.api.deps import (
    IDEMPOTENCY_KEY,
    SIGNED_IN,
    count_stranger,
    note_address,
    require_account,
    require_known_parameters,
    scope_of,
    shown_by,
)
from deedbook.api.errors import refused
from deedbook.api.key_use import require_key_may
from deedbook.api.middleware import Envelope
from deedbook.api.ratelimit import WINDOW_S, Limiter
from deedbook.api.strict import StrictRoute
from deedbook.identity import Caller
from deedbook.identity.errors import Unauthenticated
from deedbook.kernel.errors import RateLimited, Refusal

REQUESTS_PER_ORDER = 10
"""How many requests, good or bad, each process reads of one caller for each order or cancel that they may send."""


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

        async def handle(request: Request) -> Response:
            return await answer(request, self)

        return handle


class Express:
    """Leads to the hot routes past everything that stands before the others. Browsers from elsewhere take the long
    way, on which they are told what they may do."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], prefix: str) -> None:
        self._app = app
        self._fast = Envelope(_answered)
        self._exact: dict[tuple[str, str], HotRoute] = {}
        self._others: list[tuple[str, re.Pattern[str], HotRoute]] = []
        for route in routes:
            assert isinstance(route, HotRoute)
            for method in route.methods or ():
                if route.param_convertors:
                    pattern = re.compile(prefix + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", route.path))
                    self._others.append((method, pattern, route))
                else:
                    self._exact[method, prefix + route.path] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._find(scope) if scope["type"] == "http" else None
        if route is None or any(name == b"origin" for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        await self._fast(scope, receive, send)

    def _find(self, scope: Scope) -> HotRoute | None:
        method, path = scope["method"], scope["path"]
        route = self._exact.get((method, path))
        if route is not None:
            scope["path_params"] = {}
            return route
        for its_method, pattern, other in self._others:
            if its_method == method and (found := pattern.fullmatch(path)):
                scope["path_params"] = found.groupdict()
                return other
        return None


async def _answered(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive, send)
    try:
        response = await answer(request, scope["route"])
    except Refusal as refusal:
        response = refused(request, refusal)
    await response(scope, receive, send)


async def answer(request: Request, route: HotRoute) -> Response:
    """The guard of hot routes, and then their endpoint: who is calling, from what was known a moment ago, before
    anything is read.

    Raises:
        Refusal: the guard's (Unauthenticated · RateLimited · Invalid, the first that applies), or the endpoint's.
    """
    state = request.app.state
    try:
        caller = await state.callers.find(shown_by(request))
    except Unauthenticated:
        note_address(request, state.resources)
        await count_stranger(request)
        raise
    request.state.caller = caller
    if caller.key is not None:
        require_key_may(request, caller, scope_of(route))
    require_account(caller)
    require_few_requests(state.limiter, (route.openapi_extra or {})["x-rate-bucket"], caller)
    if request.scope["query_string"]:
        require_known_parameters(request, route)
    response: Response = await route.endpoint(request)
    return response


def require_few_requests(limiter: Limiter, bucket: str, caller: Caller) -> None:
    """What is refused before it is counted as an order has a bound too."""
    limit = limiter.limit_of(bucket, caller.roles) * REQUESTS_PER_ORDER
    if not limiter.may_ask(bucket, caller.user_id, limit):
        raise RateLimited(f"more than {limit} requests in a minute", retry_after_s=float(WINDOW_S))
