"""A server that lives and dies with this process: started, watched, stopped. What is particular to one
server is in the module of its name."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from deedbook.infra.embedded.accounts import Caller, RunAs
from deedbook.infra.embedded.errors import PortTaken, StartFailed
from deedbook.infra.embedded.pidfile import (
    POLL_S,
    Process,
    pid_file_of,
    read_holder,
    retire_orphan,
    wait_until,
)

LOOPBACK = "127.0.0.1"
LOG_TAIL_LINES = 20
LOG_KEPT_BYTES = 16 * 2**20
LAUNCHER = Path(__file__).with_name("launch.py")


class Server(ABC):
    """One child process that serves one data directory on one loopback port.

    Start it from a thread that lives as long as the server should, in practice the main thread: on Linux
    the kernel stops the server when the thread that started it ends, which is how a killed parent leaves
    no servers behind. The server has its own session, so Ctrl-C reaches only the parent.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    host = LOOPBACK
    keeps_data = True
    """Whether it goes on where it stopped. What does not cannot be started again under those who rely on it."""

    niceness = 0
    """How far it steps back for others who want the same processor, as `nice` counts it."""

    def __init__(self, data: Path, port: int, *, log_file: Path | None, port_setting: str) -> None:
        self.data = data.absolute()
        self.port = port
        self.log_file = (log_file or self.data.with_name(f"{self.data.name}.log")).absolute()
        self._port_setting = port_setting
        self._run_as: RunAs = Caller()
        self._child: subprocess.Popen[bytes] | None = None

    # What each server says about itself

    async def prepare(self) -> None:  # noqa: B027 - not every server has something to prepare
        """Makes the data usable before the start. Nothing else runs on them at this time."""

    @abstractmethod
    def command(self) -> Sequence[str]: ...

    @abstractmethod
    async def is_ready(self) -> bool:
        """Whether the server answers. Raises when waiting longer is of no use."""

    async def after_start(self) -> None:  # noqa: B027
        """The rest of the start, with the server answering."""

    def may_retry(self, log_tail: str) -> bool:
        """Whether the server ended for a reason that passes by itself."""
        del log_tail
        return False

    # The life of the process

    @property
    def pid(self) -> int:
        assert self._child is not None, f"{self.name} has not been started"
        return self._child.pid

    def poll(self) -> int | None:
        """None while the server runs, else the exit code (negative: ended by that signal)."""
        assert self._child is not None, f"{self.name} has not been started"
        return self._child.poll()

    async def make_way(self, timeout_s: float = 30.0) -> None:
        """Find out whether this can be started: an orphan of ours is ended, a stranger on the port is an
        error. Whoever starts several servers asks each of them first, so that none is started in vain."""
        self._make_directories()
        await retire_orphan(self.name, pid_file_of(self.data), self.stop_signal, timeout_s)
        self._require_free_port()

    async def start(self, timeout_s: float = 60.0) -> None:
        """Returns when the server answers. Ends an orphan that a killed parent left on the same data."""
        assert self._child is None or self._child.poll() is not None, f"{self.name} already runs"
        deadline = time.monotonic() + timeout_s
        await self.make_way(timeout_s)
        try:
            await self.prepare()
            await self._launch_until_ready(deadline)
            await self.after_start()
        except BaseException:  # a cancelled start leaves no server behind either
            self._kill()
            raise

    async def stop(self, timeout_s: float = 30.0) -> int | None:
        """Asks, waits, then kills. Returns the exit code; harmless when nothing runs."""
        if self._child is None:
            return None
        if self._child.poll() is None:
            self._child.send_signal(self.stop_signal)
            await wait_until(lambda: self.poll() is not None, time.monotonic() + timeout_s)
        self._kill()
        return self._child.returncode

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def run_tool(self, command: Sequence[str], timeout_s: float = 120.0) -> None:
        """A short-lived program of this server on the same data, under the same safeguards."""
        log_start = self._log_size()
        tool = self._spawn(command)
        deadline = time.monotonic() + timeout_s
        try:
            await wait_until(lambda: tool.poll() is not None, deadline)
        finally:
            if tool.poll() is None:
                tool.kill()
            code = tool.wait()
        if code != 0:
            what = f"could not prepare its data ({Path(command[0]).name} ended with {code})"
            raise StartFailed(self.name, what, self.log_file, self._log_tail(log_start))

    # Details

    def _make_directories(self) -> None:
        for directory in (self.data.parent, self.log_file.parent):
            directory.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self.log_file.stat().st_size > LOG_KEPT_BYTES:
                self.log_file.replace(self.log_file.with_name(f"{self.log_file.name}.1"))

    def _require_free_port(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise PortTaken(self.name, self.host, self.port, self._port_setting) from error

    async def _launch_until_ready(self, deadline: float) -> None:
        while True:
            log_start = self._log_size()
            self._child = self._spawn(self.command())
            if await self._wait_until_ready(deadline):
                return
            tail = self._log_tail(log_start)
            if self._child.poll() is None:
                raise StartFailed(self.name, "did not answer in time", self.log_file, tail)
            if not self.may_retry(tail) or time.monotonic() > deadline:
                self._require_free_port()  # somebody may have been quicker than the server
                raise StartFailed(self.name, f"ended with {self._child.returncode}", self.log_file, tail)
            await asyncio.sleep(POLL_S * 5)

    async def _wait_until_ready(self, deadline: float) -> bool:
        while self.poll() is None and time.monotonic() < deadline:
            if await self.is_ready():
                return True
            await asyncio.sleep(POLL_S)
        return False

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """On this thread, never on a pool's: see the class. Only fork and exec happen here."""
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(pid_file_of(self.data))]
        launcher += [str(Process.current()), str(int(self.stop_signal)), str(self.niceness)]
        launcher.append(self._run_as.launch_argument())
        log = os.open(self.log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            return subprocess.Popen(
                [*launcher, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
                start_new_session=True,
            )
        finally:
            os.close(log)

    def _environment(self) -> dict[str, str]:
        """Nothing of ours: the parent's environment holds secrets, and a server reads none of it."""
        passed = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        return passed | {"LC_ALL": "C", "HOME": str(self.data.parent)}

    def _kill(self) -> None:
        """Ends what is left of the server, its own children included, and forgets the pid file."""
        if self._child is None:
            return
        if self._child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        holder = read_holder(pid_file_of(self.data))
        if holder is not None and holder.server.pid == self._child.pid:
            pid_file_of(self.data).unlink(missing_ok=True)

    def _log_size(self) -> int:
        try:
            return self.log_file.stat().st_size
        except FileNotFoundError:
            return 0

    def _log_tail(self, start: int) -> str:
        with self.log_file.open("rb") as log:
            log.seek(max(start, self._log_size() - 64 * 1024))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])
