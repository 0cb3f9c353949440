"""The application: routes, limits, the answers to what goes wrong, and the courier's life.

There is no authentication here, on purpose: its network must be private. See the package's docstring.
"""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from deedbook.permissions import desk_routes, outbox, routes
from deedbook.permissions.bounds import BodyLimit
from deedbook.permissions.certificate import Keyring
from deedbook.permissions.config import PermissionsConfig
from deedbook.permissions.delivery import Courier
from deedbook.permissions.errors import Refusal
from deedbook.permissions.instants import Clock, utc_now
from deedbook.permissions.services import Services
from deedbook.permissions.sns import Topic
from deedbook.permissions.store import Store

_ECHO_CHARS_MAX = 2000

log = structlog.get_logger("deedbook.permissions")


def create_app(config: PermissionsConfig, *, clock: Clock = utc_now) -> FastAPI:
    """Nothing is opened before the application starts: files and tables are made in its lifespan."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = Store(
            config.database_path,
            clock=clock,
            webhook_urls=config.webhook_urls,
            busy_timeout_s=config.busy_timeout_s,
        )
        try:
            courier = _prepare(config, store, clock)
            app.state.services = Services(config, store)
            courier.start(config.webhook_urls)
            try:
                yield
            finally:
                await courier.stop()
        finally:
            store.close()

    app = FastAPI(title="Deedbook permission service", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(Refusal, _answer_refusal)
    app.add_exception_handler(sqlite3.OperationalError, _answer_busy)
    app.include_router(routes.router)
    app.include_router(desk_routes.router)
    return app


def _prepare(config: PermissionsConfig, store: Store, clock: Clock) -> Courier:
    keyring = Keyring(config.key_path, config.certificate_path, store.write)
    keyring.current(clock())
    with store.write() as tx:
        for url in config.webhook_urls:
            outbox.subscribe(tx, url)
    topic = Topic(config.topic_arn, config.region, config.signature_version)
    return Courier(store=store, keyring=keyring, topic=topic, policy=config.delivery, clock=clock)


def _answer_refusal(request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, Refusal)
    return JSONResponse({"detail": str(refusal)}, status_code=refusal.status)


def _answer_invalid(request: Request, invalid: Exception) -> JSONResponse:
    assert isinstance(invalid, RequestValidationError)
    return JSONResponse({"detail": [_problem(error) for error in invalid.errors()]}, status_code=400)


def _problem(error: dict[str, Any]) -> dict[str, Any]:
    """One problem as JSON. What was sent is echoed only when it is short and can be written at all."""
    problem = {name: value for name, value in error.items() if name not in ("input", "ctx", "url")}
    if "ctx" in error:
        problem["ctx"] = {name: str(value) for name, value in error["ctx"].items()}
    try:
        echo = json.dumps(error.get("input"), allow_nan=False, ensure_ascii=False)
        echo.encode()
    except (TypeError, ValueError):
        return problem
    return {**problem, "input": error.get("input")} if len(echo) <= _ECHO_CHARS_MAX else problem


def _answer_busy(request: Request, error: Exception) -> JSONResponse:
    log.error("storage failed", why=str(error))
    return JSONResponse({"detail": "The storage is busy or unavailable"}, status_code=503)
