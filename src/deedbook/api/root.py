"""At the root: alive, ready, metrics, the contract, and the page that explains every error code."""

import asyncio
import html
import ipaddress
import time
from collections.abc import Awaitable
from typing import Any, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from deedbook import chain, custody
from deedbook.api.deps import PUBLIC, ResourcesDep, access
from deedbook.api.errors import status_of
from deedbook.api.live import asyncapi
from deedbook.infra import inbox, joblog, outbox, schema
from deedbook.infra.telemetry import (
    FAILED_EVENTS,
    FAILED_JOBS,
    JOB_OUTCOMES,
    LANE_DEPTH,
    MATCHING,
    MATCHING_KEY,
    MATCHING_SUM,
    NOTIFICATION_AGE,
    NOTIFICATION_OUTCOMES_KEY,
    NOTIFICATIONS,
    POOL,
    QUEUE_AGE,
    QUEUE_DEPTH,
    RECONCILIATION_AGE,
    RECONCILIATION_BREAKS,
    REGISTRY,
    RELAY_LAG,
    SETTLEMENT_AGE,
    SETTLEMENT_FAILURES,
    SETTLEMENT_GAS,
    SETTLEMENT_LAG,
    SETTLEMENT_WAITING,
    SETTLEMENTS,
    STUCK,
    VAULT_EVENTS_WAITING,
    WATCHER_BLOCK,
    WATCHER_STOPPED,
)
from deedbook.kernel.errors import Refusal, RouteNotFound, Unavailable
from deedbook.notifications import views as notification_views
from deedbook.settlement import views as settlements
from deedbook.trading.stuck import stuck
from deedbook.wiring import Resources, open_queues

router = APIRouter(tags=["health"])

CHECK_TIMEOUT_S = 2.0
OUTCOMES_KEY = "deedbook:job-outcomes"


class NotReady(Unavailable):
    """This process cannot serve yet, or not now; the members name each dependency and how it is."""

    code, title = "not_ready", "Not ready"


@router.get("/healthz", openapi_extra=access(PUBLIC, bucket="health"))
async def healthz() -> dict[str, str]:
    """Alive."""
    return {"status": "ok"}


@router.get("/readyz", openapi_extra=access(PUBLIC, bucket="health"))
async def readyz(resources: ResourcesDep) -> JSONResponse:
    """Ready: each dependency by name. Without the permission service or the chain we still serve reads."""
    checks = {
        "database": _database(resources),
        "redis": _redis(resources),
        "permissions": resources.permissions.ping(),
        "chain": resources.node.head(),
    }
    outcomes = await asyncio.gather(*(_check(check) for check in checks.values()))
    found = dict(zip(checks, outcomes, strict=True))
    if found["database"] != "ok":
        raise NotReady("the database is not usable", extra=found)
    return JSONResponse({"ready": True, "checks": found})


@router.get("/openapi.json", openapi_extra=access(PUBLIC, bucket="health"), include_in_schema=False)
async def contract(request: Request) -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/asyncapi.json", openapi_extra=access(PUBLIC, bucket="health"), include_in_schema=False)
async def socket_contract(request: Request) -> JSONResponse:
    """The AsyncAPI document of the WebSocket."""
    return JSONResponse(asyncapi.document(request.app.state.public_url, "/api/v1/ws"))


@router.get("/metrics", openapi_extra=access(PUBLIC, bucket="health"), response_class=PlainTextResponse)
async def metrics(request: Request, resources: ResourcesDep) -> Response:
    """Prometheus metrics: this process's own, and the queues, relay and inbox of the whole installation. In
    production they are shown to private addresses alone."""
    if resources.settings.production and not _is_from_inside(request):
        raise RouteNotFound
    try:
        await _collect_database(resources)
        await _collect_watcher(resources)
        await _collect_reconciliation(resources)
        await _collect_settlement(resources)
        await _collect_stuck(resources)
        await _collect_notifications(resources)
    except Unavailable:
        RELAY_LAG.clear()
    try:
        await _collect_redis(resources)
    except (RedisError, OSError, TimeoutError):
        QUEUE_DEPTH.clear()
    pool = resources.db.pool
    POOL.labels("open").set(pool.get_size())
    POOL.labels("idle").set(pool.get_idle_size())
    POOL.labels("limit").set(pool.get_max_size())
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


@router.get("/docs/errors", openapi_extra=access(PUBLIC, bucket="health"), response_class=HTMLResponse)
async def error_codes() -> HTMLResponse:
    """What every error code means."""
    rows = "".join(
        f'<tr id="{html.escape(code)}"><td><code>{html.escape(code)}</code><td>{status_of(refusal)}'
        f"<td>{html.escape(refusal.title)}<td>{html.escape((refusal.__doc__ or '').strip())}"
        for code, refusal in sorted(Refusal.registry.items())
    )
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Deedbook error codes</title>'
        '<meta name="viewport" content="width=device-width"><h1>Error codes</h1>'
        f"<table><thead><tr><th>Code<th>Status<th>Meaning<th>More<tbody>{rows}</table></html>"
    )
    return HTMLResponse(page)


def _is_from_inside(request: Request) -> bool:
    """From a private address, and not through a proxy that TRUSTED_PROXIES does not name: behind such a proxy
    everybody seems to come from inside."""
    peer = request.client.host if request.client else ""
    proxies = request.app.state.resources.settings.TRUSTED_PROXIES
    if "x-forwarded-for" in request.headers and peer not in proxies:
        return False
    try:
        return ipaddress.ip_network(request.state.address).is_private
    except ValueError:
        return False


async def _check(check: Awaitable[Any]) -> str:
    try:
        await asyncio.wait_for(check, CHECK_TIMEOUT_S)
    except Refusal as refusal:
        return refusal.code
    except (RedisError, OSError, TimeoutError):
        return "unavailable"
    return "ok"


async def _database(resources: Resources) -> None:
    async with resources.db.reading() as connection:
        await schema.require_current(connection)


async def _redis(resources: Resources) -> None:
    await resources.redis.ping()


async def _collect_database(resources: Resources) -> None:
    for sink, lag in (await outbox.lag_s(resources.db)).items():
        RELAY_LAG.labels(sink).set(lag)
    FAILED_EVENTS.set(await inbox.failed_count(resources.db))
    QUEUE_AGE.clear()
    FAILED_JOBS.clear()
    for queue, record in (await joblog.records(resources.db)).items():
        age = time.time() - record.oldest_pending.timestamp() if record.oldest_pending else 0.0
        QUEUE_AGE.labels(queue).set(max(age, 0.0))
        FAILED_JOBS.labels(queue).set(record.failed)


async def _collect_watcher(resources: Resources) -> None:
    found = await custody.standing(resources.db, resources.settings.SAPPHIRE_CHAIN_ID)
    if found is not None:
        WATCHER_BLOCK.set(found.block_number)
        WATCHER_STOPPED.set(found.stopped_reason is not None)
        VAULT_EVENTS_WAITING.labels("failing").set(found.failing)
        VAULT_EVENTS_WAITING.labels("depth").set(found.unprocessed - found.failing)


async def _collect_reconciliation(resources: Resources) -> None:
    for run in await custody.reconciliation_runs(resources.db, None, 1):
        RECONCILIATION_BREAKS.set(len(run["breaks"]))
        RECONCILIATION_AGE.set(max(time.time() - run["created_at"].timestamp(), 0.0))


async def _collect_notifications(resources: Resources) -> None:
    NOTIFICATION_AGE.clear()
    for channel, age in (await notification_views.oldest_waiting_s(resources.db)).items():
        NOTIFICATION_AGE.labels(channel).set(age)


async def _collect_settlement(resources: Resources) -> None:
    told = await settlements.summary(resources.db)
    for gauge in (SETTLEMENT_FAILURES, SETTLEMENT_WAITING, LANE_DEPTH):
        gauge.clear()
    for status, number in told.by_status.items():
        SETTLEMENTS.labels(status).set(number)
    for reason, number in told.failures.items():
        SETTLEMENT_FAILURES.labels(_word(reason)).inc(number)
    for reason, number in told.waiting_by_reason.items():
        SETTLEMENT_WAITING.labels(_word(reason)).inc(number)
    SETTLEMENT_AGE.set(told.oldest_open_s)
    SETTLEMENT_LAG.labels("0.5").set(told.lag_p50_s)
    SETTLEMENT_LAG.labels("0.99").set(told.lag_p99_s)
    SETTLEMENT_GAS.set(told.gas_per_trade or 0)
    for stage, number in (await chain.lane_depth(resources.db)).items():
        LANE_DEPTH.labels(stage.value).set(number)


async def _collect_stuck(resources: Resources) -> None:
    late = await stuck(resources.db)
    STUCK.labels("orders").set(late.orders)
    STUCK.labels("commands").set(late.commands)


def _word(reason: str) -> str:
    """The contract's own reasons by name; whatever else a node has said is one of them, so that labels have an end."""
    return reason if reason.replace("_", "").isalnum() else "other"


async def _collect_redis(resources: Resources) -> None:
    for name, queue in open_queues(resources.redis).items():
        for state, count in (await queue.counts()).items():
            QUEUE_DEPTH.labels(name, state.value).set(count)
    outcomes = await cast("Awaitable[dict[str, str]]", resources.redis.hgetall(OUTCOMES_KEY))
    for field, total in outcomes.items():
        queue_name, _, outcome = field.partition("|")
        JOB_OUTCOMES.labels(queue_name, outcome).set(float(total))
    sent = await cast("Awaitable[dict[str, str]]", resources.redis.hgetall(NOTIFICATION_OUTCOMES_KEY))
    for field, total in sent.items():
        channel, _, outcome = field.partition("|")
        NOTIFICATIONS.labels(channel, outcome).set(float(total))
    matching = await cast("Awaitable[dict[str, str]]", resources.redis.hgetall(MATCHING_KEY))
    for field, total in matching.items():
        measure, _, bound = field.partition("|")
        gauge = MATCHING_SUM.labels(measure) if bound == "sum" else MATCHING.labels(measure, bound)
        gauge.set(float(total))
