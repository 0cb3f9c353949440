"""The application: routes, the guard before them, and what every request passes through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from starlette.routing import WebSocketRoute

from deedbook import __version__
from deedbook.api import console, errors, root
from deedbook.api.callers import Callers
from deedbook.api.deps import IDEMPOTENCY_KEY, guard
from deedbook.api.examples import show_examples
from deedbook.api.hot import Express
from deedbook.api.key_log import KeyLog
from deedbook.api.key_use import KeyUses
from deedbook.api.live.accounts import Accounts
from deedbook.api.live.hub import Hub
from deedbook.api.live.operations import Operations
from deedbook.api.live.session import Live
from deedbook.api.live.socket import Counted
from deedbook.api.middleware import Cors, Envelope
from deedbook.api.quick_reads import QuickReads
from deedbook.api.ratelimit import Limiter
from deedbook.api.shelf import Shelf
from deedbook.api.showcase import Showcase
from deedbook.api.traced import Traced, noting
from deedbook.api.turnstile import Turnstile
from deedbook.api.v1 import (
    admin,
    alerts,
    api_keys,
    audit,
    auth,
    catalogue,
    compliance,
    contacts,
    custody,
    custody_desk,
    documents,
    leaderboard,
    ledger,
    live,
    marketdata,
    markets,
    notifications,
    orders,
    orders_fast,
    own_custody,
    people,
    price_sources,
    push,
    reconciliation,
    settlements,
    sign_ins,
    swaps,
    tokens,
    trading,
    webhooks,
    webhooks_out,
)
from deedbook.api.v1.schemas.common import Problem
from deedbook.identity import KeyRing, Recognition
from deedbook.infra.settings import Settings
from deedbook.infra.tracing import tracer
from deedbook.integrations.entity_permissions.sns import SnsVerifier
from deedbook.integrations.oidc.client import OidcIssuers
from deedbook.kernel.jobs import ORDER_MATCHING
from deedbook.trading.bells import Bells
from deedbook.trading.entry import OrderEntry
from deedbook.trading.pairs import PairDirectory
from deedbook.wiring import Resources, open_queues, open_resources

PREFIX = "/api/v1"
KNOWN_PAIRS_S = 60.0
# The first that matches is called: fixed addresses stand before those with an id in their place.
_MODULES = (
    auth,
    api_keys,
    sign_ins,
    markets,
    documents,
    leaderboard,
    notifications,
    contacts,
    push,
    webhooks_out,
    ledger,
    custody_desk,
    own_custody,
    people,
    custody,
    alerts,
    compliance,
    tokens,
    orders_fast,
    orders,
    trading,
    swaps,
    marketdata,
    settlements,
    catalogue,
    webhooks,
    admin,
    audit,
    price_sources,
    reconciliation,
    live,
)
_OUR_IDS = ("X-Request-Id", "X-Correlation-Id")
_REF = "#/components/schemas/{model}"
_PROBLEM: dict[str, Any] = {
    "description": "Refused, as RFC 9457 problem details",
    "content": {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}},
}


def create_app(settings: Settings) -> FastAPI:
    """The app. Its connections open when it starts and close when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings, "api") as resources:
            join(app, resources)
            yield
            await part(app)

    app = FastAPI(
        title="Deedbook",
        version=__version__,
        description="Issue, approve, tokenize and trade real-world assets.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(guard)],
        responses={"4XX": _PROBLEM, "5XX": _PROBLEM},
        redirect_slashes=False,
    )
    app.state.public_url = settings.public_url
    app.state.shelf = Shelf.read()
    errors.install(app)
    for module in _MODULES:
        app.include_router(module.router, prefix=PREFIX)
    app.include_router(root.router)
    app.include_router(console.router)
    counted = Counted(settings.WS_CONNECTIONS_PER_ADDRESS)
    # It sees to itself who may open it: the guard knows requests alone.
    app.router.routes.append(WebSocketRoute(f"{PREFIX}/ws", Live(counted)))
    if settings.CORS_ORIGINS:
        app.add_middleware(
            Cors,
            allow_origins=list(settings.CORS_ORIGINS),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "If-Match",
                "If-None-Match",
                *_OUR_IDS,
            ],
            expose_headers=[
                "ETag",
                "Idempotent-Replayed",
                "RateLimit",
                "RateLimit-Policy",
                "Retry-After",
                *_OUR_IDS,
            ],
        )
    app.add_middleware(QuickReads, routes=[*trading.router.routes, *marketdata.router.routes], prefix=PREFIX)
    app.add_middleware(Envelope)
    if tracer().on:
        app.add_middleware(Traced)
    else:
        app.state.express = Express(app, orders_fast.router.routes, PREFIX)
    _describe(app)
    return app


def join(app: FastAPI, resources: Resources) -> None:
    """Give the app what its routes work with."""
    settings = resources.settings
    app.state.resources = resources
    app.state.limiter = Limiter(resources.redis, settings)
    app.state.issuers = _issuers(settings)
    recognition = Recognition(
        resources.db, KeyRing(resources.db), resources.sign_in_policy.issuer, app.state.issuers
    )
    app.state.recognition = recognition
    app.state.key_uses = KeyUses(resources.db)
    app.state.key_log = KeyLog(resources.redis)
    app.state.sns = SnsVerifier(
        settings.SNS_TOPIC_ARNS, settings.WEBHOOK_MAX_AGE_S, settings.SNS_PINNED_CERTIFICATE
    )
    app.state.callers = Callers(recognition.read, recognition.callers)
    app.state.turnstile = Turnstile(resources.redis, app.state.limiter)
    app.state.showcase = Showcase(resources.redis, app.state.limiter)
    bells = Bells(open_queues(resources.redis)[ORDER_MATCHING.name])
    app.state.known_pairs = PairDirectory(resources.db, spec_s=KNOWN_PAIRS_S)
    used = app.state.turnstile.used
    app.state.entry = OrderEntry(resources.db, resources.gate, bells, noting(used) if tracer().on else used)
    operations = Operations(resources.db, settings.SAPPHIRE_CHAIN_ID)
    app.state.hub = Hub(resources.db, resources.redis, recognition, operations)
    app.state.accounts = Accounts(resources.db, app.state.entry.pairs)


async def part(app: FastAPI) -> None:
    """Finish what its routes have begun."""
    await app.state.hub.close()
    await app.state.accounts.close()
    await app.state.entry.close()
    await app.state.turnstile.close()
    await app.state.key_uses.close()
    await app.state.key_log.close()
    await app.state.showcase.close()
    if app.state.issuers is not None:
        await app.state.issuers.close()


def _issuers(settings: Settings) -> OidcIssuers | None:
    """Those whom the environment names, if any."""
    if not settings.oidc_audiences:
        return None
    private_too = not settings.production
    return OidcIssuers(settings.oidc_audiences, timeout_s=settings.OIDC_TIMEOUT_S, private_too=private_too)


def _describe(app: FastAPI) -> None:
    """Put into the OpenAPI document what FastAPI cannot know: how to sign in, and the shape of a refusal."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        schema = plain()
        components = schema.setdefault("components", {})
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        for model in (Problem, *orders_fast.READ_BY_HAND):
            told = model.model_json_schema(ref_template=_REF)
            components["schemas"].update(told.pop("$defs", {}))
            components["schemas"][model.__name__] = told
        for operation in (operation for path in schema["paths"].values() for operation in path.values()):
            for parameter in operation.get("parameters", ()):
                _describe_parameter(parameter, operation)
        show_examples(schema)
        return schema

    app.openapi = described  # type: ignore[method-assign]


def _describe_parameter(parameter: dict[str, Any], operation: dict[str, Any]) -> None:
    """A header or a query parameter may be missing and is never null; some routes need a key."""
    choices = parameter["schema"].pop("anyOf", ())
    parameter["schema"].update(*(choice for choice in choices if choice != {"type": "null"}))
    if parameter["name"] == IDEMPOTENCY_KEY:
        parameter["required"] = operation["x-idempotency-key-required"]
