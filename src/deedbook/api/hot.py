"""The few routes that are called thousands of times a second: declared like all others, so that guard, contract and
tests know them, and answered without the detours that the framework takes for everybody."""

import re
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.routing import BaseRoute
from starlette.types import Message, Scope

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
from deedbook.api.middleware import Marks, broken, observe
from deedbook.api.ratelimit import WINDOW_S, Limiter
from deedbook.api.strict import StrictRoute
from deedbook.identity import Caller
from deedbook.identity.errors import Unauthenticated
from deedbook.infra.database import CORRELATION_ID
from deedbook.infra.telemetry import REQUEST_ID
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


class Answer(NamedTuple):
    """What a hot route answers, with the headers that it sets itself."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @classmethod
    def of(cls, response: Response) -> "Answer":
        return cls(response.status_code, response.raw_headers, bytes(response.body))

    def as_response(self) -> Response:
        response = Response(self.body, self.status)
        response.raw_headers = self.headers
        return response


def json_answer(status: int, body: bytes, *more: tuple[bytes, bytes]) -> Answer:
    length = (b"content-length", b"%d" % len(body))
    return Answer(status, [length, (b"content-type", b"application/json"), *more], body)


class Named(Headers):
    """Headers that are found by their names without a look through all of them."""

    def __init__(self, raw: list[tuple[bytes, bytes]], named: Mapping[bytes, bytes]) -> None:
        super().__init__(raw=raw)
        self._named = named

    def __getitem__(self, key: str) -> str:
        return self._named[key.lower().encode("latin-1")].decode("latin-1")

    def __contains__(self, key: object) -> bool:
        return str(key).lower().encode("latin-1") in self._named


class WholeRequest(Request):
    """A request all of which is there."""

    def __init__(self, scope: Scope, named: Mapping[bytes, bytes], body: bytes) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        super().__init__(scope, receive)
        self._headers = Named(scope["headers"], named)


class HotRoute(StrictRoute):
    """A route whose endpoint takes the request and gives the response. It is for whoever is signed in, and counts
    itself what it takes in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        assert (self.openapi_extra or {})["x-access"] == [SIGNED_IN]

        async def handle(request: Request) -> Response:
            return (await answer(request, self)).as_response()

        return handle


class Express:
    """The way of requests to hot routes that come in one piece, as nearly all do: past the framework and everything
    that stands before the others. Browsers from elsewhere take the long way, on which they are told what they may do.
    """

    def __init__(self, app: FastAPI, routes: Sequence[BaseRoute], prefix: str) -> None:
        self._app = app
        self._exact: dict[tuple[bytes, bytes], HotRoute] = {}
        self._others: list[tuple[bytes, re.Pattern[bytes], HotRoute]] = []
        for route in routes:
            assert isinstance(route, HotRoute)
            for method in route.methods or ():
                if route.param_convertors:
                    pattern = prefix + re.sub(r"{(\w+)}", r"(?P<\1>[A-Za-z0-9-]+)", route.path)
                    self._others.append((method.encode(), re.compile(pattern.encode()), route))
                else:
                    self._exact[method.encode(), (prefix + route.path).encode()] = route

    def find(self, method: bytes, path: bytes) -> tuple[HotRoute, dict[str, str]] | None:
        """The hot route at this address, and what stands in the path."""
        route = self._exact.get((method, path))
        if route is not None:
            return route, {}
        for its_method, pattern, other in self._others:
            if its_method == method and (found := pattern.fullmatch(path)):
                return other, {name: value.decode() for name, value in found.groupdict().items()}
        return None

    async def answer(self, scope: Scope, named: Mapping[bytes, bytes], body: bytes) -> tuple[Answer, bytes]:
        """The answer to a request whose headers are `named`, whatever happens; and the rest of its head."""
        started, marks = time.perf_counter(), Marks.of(named)
        scope["app"], scope["state"] = self._app, {"request_id": marks.request_id}
        CORRELATION_ID.set(marks.correlation_id)
        REQUEST_ID.set(marks.request_id)
        request = WholeRequest(scope, named, body)
        try:
            told = await answer(request, scope["route"])
        except Refusal as refusal:
            told = Answer.of(refused(request, refusal))
        except Exception as error:
            told = Answer.of(broken(request, error))
        observe(scope, told.status, started)
        return told, marks.head(scope, {name for name, _ in told.headers})


async def answer(request: Request, route: HotRoute) -> Answer:
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
    told: Answer = await route.endpoint(request)
    return told


def require_few_requests(limiter: Limiter, bucket: str, caller: Caller) -> None:
    """What is refused before it is counted as an order has a bound too."""
    limit = limiter.limit_of(bucket, caller.roles) * REQUESTS_PER_ORDER
    if not limiter.may_ask(bucket, caller.user_id, limit):
        raise RateLimited(f"more than {limit} requests in a minute", retry_after_s=float(WINDOW_S))
