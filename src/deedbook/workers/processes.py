"""Worker, relay and scheduler as processes: what each opens, runs and closes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from deedbook.chain import bind_network
from deedbook.custody.cache import BalanceCopies
from deedbook.infra import lease, memory, schema
from deedbook.infra.database import Database
from deedbook.infra.redis import connect_redis
from deedbook.infra.settings import Settings
from deedbook.kernel.errors import Unavailable
from deedbook.kernel.jobs import ORDER_MATCHING, SETTLEMENT, QueueSpec
from deedbook.markets.cache import MarketCopies
from deedbook.tokens.cache import TokenCopies
from deedbook.wiring import (
    Resources,
    all_handlers,
    open_queues,
    open_resources,
    open_worker_resources,
    require,
)
from deedbook.workers import jobs, matching
from deedbook.workers import relay as relays
from deedbook.workers.chain import LaneWorker, VaultWatcher
from deedbook.workers.loops import repeat, stop_on_signals, wait
from deedbook.workers.matching import MatcherPool
from deedbook.workers.notification_sinks import NotificationsSink, TradingNotificationsSink
from deedbook.workers.scheduler import REPEAT_S, Scheduler
from deedbook.workers.settlement import SettlementLoop
from deedbook.workers.tally import MatchingTally
from deedbook.workers.trading_sinks import TradingActivitySink, TradingEventsSink

log = structlog.get_logger(__name__)

START_RETRY_S = 1.0
MATCHER_IDLE_TRANSACTION_S = 2.0


async def worker(settings: Settings, queues: Sequence[QueueSpec], *, lane: bool) -> None:
    """Run jobs, move the nonce lane, and where the queue of settlement is served, settle, until told to stop."""
    stopping = stop_on_signals()
    async with open_worker_resources(settings, "worker") as resources:
        await _until_current(resources.db, stopping)
        await _once_available(
            stopping, lambda: bind_network(resources.db, resources.node, settings.SAPPHIRE_CHAIN_ID)
        )
        if stopping.is_set():
            return
        runner = jobs.JobRunner(resources.db, resources, all_handlers(settings))
        lane_stopping = asyncio.Event()
        moving = LaneWorker(resources.db, resources.node, resources.signer, resources.lane_policy)
        lane_task = asyncio.create_task(moving.run(lane_stopping)) if lane else None
        watcher = VaultWatcher(resources, lease.holder_name())
        watcher_task = asyncio.create_task(watcher.run(lane_stopping))
        settling = SettlementLoop(resources, lease.holder_name())
        settling_task = asyncio.create_task(settling.run(lane_stopping)) if SETTLEMENT in queues else None
        memory.settle()
        log.info("worker_started", queues=[spec.name for spec in queues], lane=lane)
        await jobs.serve(settings, runner, queues, stopping)
        # The lane goes on while jobs finish: they may be waiting for it.
        lane_stopping.set()
        await watcher_task
        if settling_task is not None:
            await settling_task
        if lane_task is not None:
            await lane_task
    log.info("worker_stopped")


async def relay(settings: Settings) -> None:
    """Carry rows out until told to stop."""
    stopping = stop_on_signals()
    async with open_resources(settings, "relay") as resources:
        await _until_current(resources.db, stopping)
        if stopping.is_set():
            return
        holder = lease.holder_name()
        queue_redis = connect_redis(settings, max_connections=8)
        queues = open_queues(queue_redis)
        job_sink = relays.JobSink(resources.db, holder, queues, settings.QUEUE_MAX_RETRY_ATTEMPTS)
        sinks = [
            relays.FanOutSink(resources.db, holder, all_handlers(settings)),
            job_sink,
            relays.RedisSink(resources.db, holder, resources.redis, _copies(resources)),
            relays.PermissionsSink(resources.db, holder, resources.permissions),
            TradingEventsSink(resources.db, holder, resources.redis),
            TradingActivitySink(resources.db, holder, resources.permissions),
            NotificationsSink(resources.db, holder),
            TradingNotificationsSink(resources.db, holder),
        ]
        sweeper = relays.Sweeper(resources.db, holder, job_sink, queues)
        memory.settle()
        log.info("relay_started", sinks=[sink.name for sink in sinks])
        await relays.run(sinks, sweeper, stopping)
        for sink in sinks:
            await sink.release()
        await sweeper.release()
        await queue_redis.aclose()
    log.info("relay_stopped")


async def matcher(settings: Settings) -> None:
    """Match pairs until told to stop."""
    stopping = stop_on_signals()
    # Frozen inside a commit it holds the row that says who writes its pair: the database must not wait long for it.
    patience_s = min(settings.DATABASE_IDLE_TRANSACTION_TIMEOUT_S, MATCHER_IDLE_TRANSACTION_S)
    settings = settings.model_copy(update={"DATABASE_IDLE_TRANSACTION_TIMEOUT_S": patience_s})
    async with open_resources(settings, "matcher") as resources:
        await _until_current(resources.db, stopping)
        if stopping.is_set():
            return
        tally = MatchingTally(resources.redis)
        counting = asyncio.create_task(tally.run(stopping))
        pool = MatcherPool(resources.db, resources.redis, matching.holder_name(), tally.observe)
        bells = jobs.listen(settings, ORDER_MATCHING, pool.answer)
        log.info("matcher_started")
        await pool.run(stopping)
        await bells.close(grace_s=jobs.CLOSE_S)
        await counting
    log.info("matcher_stopped")


async def scheduler(settings: Settings) -> None:
    """Keep the schedule standing until told to stop."""
    require(settings, "REDIS_URL")
    stopping = stop_on_signals()
    redis = connect_redis(settings, max_connections=8)
    schedule = Scheduler(open_queues(redis), all_handlers(settings))
    log.info("scheduler_started")
    await repeat("scheduler", stopping, schedule.step, busy_s=REPEAT_S, idle_s=REPEAT_S)
    await redis.aclose()
    log.info("scheduler_stopped")


def _copies(resources: Resources) -> list[relays.Copies]:
    """What the rooms keep in Redis."""
    db, redis = resources.db, resources.redis
    return [MarketCopies(db, redis), TokenCopies(db, redis), BalanceCopies(db, redis)]


async def _until_current(db: Database, stopping: asyncio.Event) -> None:
    """Refuse to work on another schema; wait where the database is only not there yet."""

    async def check() -> None:
        async with db.reading() as connection:
            await schema.require_current(connection)

    await _once_available(stopping, check)


async def _once_available(stopping: asyncio.Event, step: Callable[[], Awaitable[None]]) -> None:
    """Take a step of the start, waiting for what does not answer yet."""
    while not stopping.is_set():
        try:
            await step()
            return
        except schema.SchemaOutOfDate:
            raise
        except Unavailable as error:
            log.warning("start_waits", error=error.detail)
            await wait(stopping, START_RETRY_S)
