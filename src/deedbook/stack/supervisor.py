"""The supervisor: starts what is missing, keeps it running, stops it in order."""

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from deedbook.chain import bind_network, lane, nonces
from deedbook.identity import rotate_signing_key
from deedbook.infra.database import Database
from deedbook.infra.embedded import (
    EmbeddedError,
    EmbeddedPostgres,
    EmbeddedPyEvm,
    EmbeddedValkey,
    Home,
    Server,
)
from deedbook.infra.embedded.process import LOOPBACK
from deedbook.infra.schema import SchemaOutOfDate, migrate, require_current
from deedbook.infra.settings import Settings, load_settings
from deedbook.integrations.sapphire.platform import deploy_platform
from deedbook.kernel.clock import SystemClock
from deedbook.stack import environment, local_chain
from deedbook.stack.demo_people import prepare_people
from deedbook.stack.ports import Ports
from deedbook.stack.processes import DeedbookProcess
from deedbook.wiring import WorkerResources, open_worker_resources

log = structlog.get_logger(__name__)

WATCH_S = 0.2
RESTARTS_MAX = 10
RESTARTS_WITHIN_S = 60.0
RESTART_PAUSE_S = 0.1
RESTART_PAUSE_MAX_S = 5.0
STOP_S = 25.0
PATIENCE_S = 30.0
"""On a busy machine a new server's first connections take their time, and everything starts at once here."""
OURS = ("worker", "matcher", "relay", "scheduler")
FIRST = ("PostgreSQL", "Valkey", "matcher", "api")
STEPS_BACK = 5
"""All others let those go first whom people wait for, where all want the same processor."""
Progress = Callable[[str], None]
T = TypeVar("T")


class StackFailed(Exception):
    """A part of the stack cannot be kept running."""


class StoppedEarly(Exception):
    """Somebody stopped the stack before it had started."""


@dataclass(frozen=True)
class RunningStack:
    """A stack that runs. `environ` is what its processes share on top of ours."""

    home: Home
    settings: Settings
    environ: dict[str, str]
    broken: "asyncio.Future[None]"

    @property
    def api_url(self) -> str:
        return f"http://localhost:{self.settings.PORT}"


@asynccontextmanager
async def running_stack(
    settings: Settings, home: Home, *, fresh: bool, progress: Progress, stopping: asyncio.Event
) -> AsyncIterator[RunningStack]:
    """Run the whole stack while this lasts. The home must not be in use.

    Raises:
        EmbeddedError · SettingsError: says what is wrong and what to change.
        StackFailed: a part keeps falling over.
        StoppedEarly: `stopping` was set before everything had started.
    """
    with home.held():
        environment.forget(home)  # of one that was killed: none of ours may take it over
        if fresh:
            await home.fresh()
        await local_chain.forget_a_lost_chain(home, progress)
        keeper = _Keeper()
        try:
            environ = await _unless(stopping, _start(keeper, home, settings, Ports(), progress))
            environment.remember(home, environ)
            watching = asyncio.create_task(keeper.watch())
            try:
                yield RunningStack(home, load_with(environ), environ, watching)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
        finally:
            environment.forget(home)
            progress("Stopping")
            await keeper.stop()


async def _unless(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """The work's result, unless told to stop first."""
    task, told = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise StoppedEarly
        return task.result()
    finally:
        await _end(task, told)


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """All of them at once; when one fails the others end before this does."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _end(*tasks)


async def _end(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Keeper:
    """Keeps servers running: one that falls over is started again, unless it keeps falling over."""

    def __init__(self) -> None:
        self._servers: list[Server] = []

    async def start(self, server: Server) -> None:
        await server.start()
        self._servers.append(server)

    async def watch(self) -> None:
        """Until cancelled. Each server is watched on its own: the start of one may have to wait until another
        was started again."""
        await _together(*(self._watch(server) for server in self._servers))

    async def _watch(self, server: Server) -> None:
        restarts: deque[float] = deque()
        while True:
            await asyncio.sleep(WATCH_S)
            if server.poll() is None:
                continue
            if not server.keeps_data:
                raise StackFailed(f"{server.name} has ended, and all that it held with it: start again")
            now = time.monotonic()
            while restarts and restarts[0] < now - RESTARTS_WITHIN_S:
                restarts.popleft()
            if len(restarts) == RESTARTS_MAX:
                raise StackFailed(f"{server.name} keeps falling over; see {server.log_file}")
            await asyncio.sleep(min(RESTART_PAUSE_S * (2 ** len(restarts) - 1), RESTART_PAUSE_MAX_S))
            restarts.append(now)
            log.warning("restarting", server=server.name, exit_code=server.poll())
            try:
                await server.start()
            except EmbeddedError as error:
                log.warning("restart_failed", server=server.name, error=str(error))

    async def stop(self) -> None:
        """In reverse order of start: our processes while their servers still answer."""
        ours = [server for server in self._servers if isinstance(server, DeedbookProcess)]
        await asyncio.gather(*(server.stop(STOP_S) for server in ours), return_exceptions=True)
        others = [server for server in self._servers if server not in ours]
        await asyncio.gather(*(server.stop() for server in others), return_exceptions=True)


async def _start(
    keeper: _Keeper, home: Home, settings: Settings, ports: Ports, progress: Progress
) -> dict[str, str]:
    parts = environment.embedded_parts(settings)
    servers, urls = _servers(home, parts, ports)
    environ = environment.shared_environment(home, settings, ports, urls)
    if any(isinstance(server, EmbeddedPyEvm) for server in servers):
        local_chain.remember_it_is_in_memory(home, progress)
        if settings.SAPPHIRE_CONFIRMATIONS is None:
            environ["SAPPHIRE_CONFIRMATIONS"] = local_chain.FORGETFUL_CONFIRMATIONS
    full = load_with(environ)
    api = _process(home, environ, "api", full.PORT, "/readyz", host=full.HOST)
    port = ports.DEEDBOOK_PERMISSIONS_PORT
    permissions = _process(home, environ, "permissions", port, "/healthz", "DEEDBOOK_PERMISSIONS_PORT")
    kyc = _process(home, environ, "kyc", ports.DEEDBOOK_KYC_PORT, "/healthz", "DEEDBOOK_KYC_PORT")
    services = [*([permissions] if parts.permissions else []), *([kyc] if parts.kyc else [])]
    others = [*services, *(_process(home, environ, name) for name in OURS)]
    for server in (*servers, *others):
        server.niceness = 0 if server.name in FIRST else STEPS_BACK
    ports_needed = [*servers, api, *services]
    await _together(*(server.make_way() for server in ports_needed))
    progress("Starting PostgreSQL, Valkey and the chain")
    await _together(*(keeper.start(server) for server in servers))
    progress("Bringing the database up to date")
    await _migrate(full)
    progress("Deploying the platform's contracts; starting worker, relay and scheduler meanwhile")
    # Mostly waiting for confirmations, so the others can use the time. The API comes last: what it answers
    # can then also be carried out.
    await _together(_deploy(full), *(keeper.start(process) for process in others))
    progress("Starting the API")
    await _together(keeper.start(api), prepare_people(full, progress))
    return environ


async def _migrate(settings: Settings) -> None:
    """Bring the schema up to date; where it is already, without loading the tool for it."""
    assert settings.DATABASE_URL is not None
    dsn = settings.DATABASE_URL.get_secret_value()
    db = await Database.connect(dsn, pool_size=1, acquire_timeout_s=PATIENCE_S, application="deedbook-up")
    try:
        async with db.reading() as connection:
            await require_current(connection)
    except SchemaOutOfDate:
        await asyncio.to_thread(migrate, dsn)
    finally:
        await db.close()


async def _deploy(settings: Settings) -> None:
    async with open_worker_resources(settings, "up", acquire_timeout_s=PATIENCE_S) as resources:
        await prepare(resources)


def _servers(home: Home, parts: environment.Embedded, ports: Ports) -> tuple[list[Server], dict[str, str]]:
    """The servers that are ours to start, and where they will be."""
    servers: list[Server] = []
    urls: dict[str, str] = {}
    if parts.postgres:
        postgres = EmbeddedPostgres(
            home.postgres_data(),
            ports.DEEDBOOK_POSTGRES_PORT,
            home.secret("postgres"),
            log_file=home.log_file("postgres"),
        )
        servers.append(postgres)
        urls["DATABASE_URL"] = postgres.dsn()
    if parts.valkey:
        valkey = EmbeddedValkey(
            home.valkey_data,
            ports.DEEDBOOK_VALKEY_PORT,
            home.secret("valkey"),
            log_file=home.log_file("valkey"),
        )
        servers.append(valkey)
        urls["REDIS_URL"] = valkey.url()
    if parts.chain:
        node = local_chain.local_chain(home, ports)
        servers.append(node)
        urls["SAPPHIRE_RPC_URL"] = node.url
    return servers, urls


async def prepare(resources: WorkerResources) -> None:
    """What must stand before the processes start: the chain bound, the contracts deployed, a signing key."""
    await bind_network(resources.db, resources.node, resources.settings.SAPPHIRE_CHAIN_ID)
    await first_signing_key(resources.db, resources)
    clock = SystemClock()

    async def drive() -> None:
        await lane.step(resources.db, resources.node, resources.signer, resources.lane_policy, clock.now())

    await nonces.check_nonces(resources.db, resources.node, resources.signer)
    await deploy_platform(
        resources.db,
        resources.node,
        resources.signer.address,
        resources.settings.SAPPHIRE_CHAIN_ID,
        resources.settings.SAPPHIRE_CASH_TOKEN,
        drive,
        resources.settings.FEE_ACCOUNT,
    )


async def first_signing_key(db: Database, resources: WorkerResources) -> None:
    """Make the key that signs access tokens, where there is none."""
    async with db.transaction() as tx:
        await rotate_signing_key(tx, resources.sign_in_policy, older_than_s=resources.signing_key_rotation_s)


def load_with(environ: dict[str, str]) -> Settings:
    """The settings as a process sees them that is started with this on top of our environment."""
    before = {name: os.environ.get(name) for name in environ}
    os.environ.update(environ)
    try:
        return load_settings()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _process(
    home: Home,
    environ: dict[str, str],
    command: str,
    port: int = 0,
    health: str = "",
    port_setting: str = "PORT",
    *,
    host: str = LOOPBACK,
) -> DeedbookProcess:
    return DeedbookProcess(
        command,
        home.path / "run",
        home.log_file(command),
        environ,
        host=host,
        port=port,
        health=f"http://127.0.0.1:{port}{health}" if health else "",
        port_setting=port_setting,
    )
