"""The real servers that tests run against, started once and shared."""

import itertools
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedPostgres, EmbeddedValkey
from deedbook.infra.schema import migrate

TEMPLATE = "template_deedbook"
ROOT = Path(__file__).parents[2]
MEMORY = Path("/dev/shm")
ROOM_BYTES = 8 * 2**30
AT_ONCE = 25
QUICK_START = {"PYTHONPYCACHEPREFIX": str(ROOT / ".pytest_cache" / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
"""For processes of ours: compiled once, whatever the machine says. It halves the time of each start."""


@dataclass
class PostgresServer:
    """A server with a migrated template; each test gets a copy of its own in about 30 ms."""

    server: EmbeddedPostgres
    made: int = 0

    async def prepare(self) -> None:
        # Its transactions, in whatever database, would hold back what the relay and the sealer may read, for moments of
        # their own choice; and none of these databases lives long enough to need it.
        await self._execute("ALTER SYSTEM SET autovacuum = off")
        await self._execute("SELECT pg_reload_conf()")
        await self._execute(f"CREATE DATABASE {TEMPLATE}")
        migrate(self.server.dsn(TEMPLATE))

    async def new_database(self) -> str:
        """The connection string of a fresh copy."""
        return await self._copy(TEMPLATE)

    async def copy(self, dsn: str) -> str:
        """The connection string of a copy of this database, to which nobody may be connected."""
        return await self._copy(_name_of(dsn))

    async def _copy(self, template: str) -> str:
        self.made += 1
        name = f"test_{self.made}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.server.dsn(name)

    async def drop(self, dsn: str) -> None:
        await self._execute(f"DROP DATABASE IF EXISTS {_name_of(dsn)} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.server.dsn("postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _name_of(dsn: str) -> str:
    return dsn.rsplit("/", 1)[1].split("?")[0]


@contextmanager
def open_directory() -> Iterator[Path]:
    """A directory that PostgreSQL's account may pass through where the tests run as root. Not one of pytest's:
    it closes those again whenever another run begins, and a server inside them falls over."""
    directory = Path(tempfile.mkdtemp(prefix="deedbook-test-", dir=in_memory()))
    directory.chmod(0o711)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def in_memory() -> Path | None:
    """A place for servers' data that is no disk, where the machine has one with room. A copy of a database takes
    30 ms there, and a second on a disk that others keep busy."""
    try:
        told = os.statvfs(MEMORY)
    except OSError:
        return None
    usable = told.f_bavail * told.f_frsize > ROOM_BYTES and not told.f_flag & os.ST_NOEXEC
    return MEMORY if usable and os.access(MEMORY, os.W_OK) else None


PORTS = range(18_000, 32_000)
"""Below those from which a kernel serves whoever asks for any: no connection takes one before its server does."""
_SHARING = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WHICH = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_next_ports = itertools.count(os.getpid() * 97 // _SHARING * _SHARING + _WHICH, _SHARING)


def free_port() -> int:
    """A port that was free just now, and that this process is never given again, nor those that share the tests with
    it: what is stopped for a while finds its port free when it comes back."""
    for number in itertools.islice(_next_ports, len(PORTS)):
        port = PORTS[number % len(PORTS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def postgres(directory: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(directory / "postgres" / "data", free_port(), "test-password", fast=True)


def valkey(directory: Path) -> EmbeddedValkey:
    return EmbeddedValkey(directory / "valkey" / "data", free_port(), "test-password")


def anvil(
    directory: Path,
    block_time: float = 0.05,
    *,
    idle_block_time: float | None = None,
    port: int | None = None,
) -> EmbeddedAnvil:
    return EmbeddedAnvil(
        directory / "anvil" / "state.json",
        port or free_port(),
        block_time=block_time,
        idle_block_time=idle_block_time,
        tools_dir=ROOT / "contracts",
    )


class PassingAnvil(EmbeddedAnvil):
    """A chain for one run, which nobody restarts. The state file of one that mines for as long as all tests take grows
    to 70 MB, is written anew every second, and is read again by the process of the tests."""

    def command(self) -> Sequence[str]:
        command = list(super().command())
        for option in ("--state", "--state-interval"):
            place = command.index(option)
            del command[place : place + 2]
        return command

    async def after_start(self) -> None:
        """There is no file to keep a copy of."""


def passing_anvil(directory: Path, block_time: float = 0.05) -> PassingAnvil:
    return PassingAnvil(
        directory / "anvil" / "state.json", free_port(), block_time=block_time, tools_dir=ROOT / "contracts"
    )


async def mine(anvil: EmbeddedAnvil, blocks: int) -> None:
    """Let so many blocks pass, a few with each call: on a busy machine many are more than one call waits for."""
    for first in range(0, blocks, AT_ONCE):
        await anvil.rpc("anvil_mine", hex(min(AT_ONCE, blocks - first)))


async def take_back(anvil: EmbeddedAnvil, snapshot: object) -> None:
    """The chain as it was at an `evm_snapshot`, under the clock of today. Anvil sets its clock back too, and what
    expired a minute ago would hold again for every test that follows on this node."""
    assert await anvil.rpc("evm_revert", snapshot)
    await anvil.rpc("evm_setTime", int(time.time()))
