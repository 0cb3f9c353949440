"""The application: routes, the guard before them, and what every request passes through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from deedbook import __version__
from deedbook.api import errors, root
from deedbook.api.deps import guard
from deedbook.api.middleware import Envelope
from deedbook.api.ratelimit import Limiter
from deedbook.api.v1 import admin, auth, catalogue, documents, markets, webhooks
from deedbook.api.v1.schemas.common import Problem
from deedbook.identity import KeyRing
from deedbook.infra.settings import Settings
from deedbook.integrations.entity_permissions.sns import SnsVerifier
from deedbook.wiring import Resources, open_resources

PREFIX = "/api/v1"
_PROBLEM = {"description": "Refused", "content": {"application/problem+json": {}}, "model": Problem}


def create_app(settings: Settings) -> FastAPI:
    """The app. Its connections open when it starts and close when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings, "api") as resources:
            join(app, resources)
            yield

    app = FastAPI(
        title="Deedbook",
        version=__version__,
        description="Issue, approve, tokenize and trade real-world assets.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        dependencies=[Depends(guard)],
        responses={"4XX": _PROBLEM, "503": _PROBLEM},
        redirect_slashes=False,
    )
    app.state.public_url = settings.public_url
    errors.install(app)
    for module in (auth, markets, documents, catalogue, webhooks, admin):
        app.include_router(module.router, prefix=PREFIX)
    app.include_router(root.router)
    app.add_middleware(Envelope)
    if settings.CORS_ORIGINS:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.CORS_ORIGINS),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "X-Request-Id"],
            expose_headers=["ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id"],
        )
    _describe_security(app)
    return app


def join(app: FastAPI, resources: Resources) -> None:
    """Give the app what its routes work with."""
    settings = resources.settings
    app.state.resources = resources
    app.state.limiter = Limiter(resources.redis, settings)
    app.state.key_ring = KeyRing(resources.db)
    app.state.sns = SnsVerifier(
        settings.SNS_TOPIC_ARNS, settings.WEBHOOK_MAX_AGE_S, settings.SNS_PINNED_CERTIFICATE
    )


def _describe_security(app: FastAPI) -> None:
    plain = app.openapi

    def described() -> dict[str, Any]:
        schema = plain()
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        return schema

    app.openapi = described  # type: ignore[method-assign]
