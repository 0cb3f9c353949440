"""Which process holds a server's data, and how to end one that outlived its supervisor.

A pid alone proves nothing, since pids are used again: a process is its pid and its birth, the start time
that the kernel (or `ps`) tells.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deedbook.infra.embedded.errors import AlreadyRunning

POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    birth: str

    @classmethod
    def current(cls) -> "Process":
        return cls(os.getpid(), birth_of(os.getpid()) or "")

    @classmethod
    def parse(cls, text: str) -> "Process":
        pid, _, birth = text.partition(":")
        return cls(int(pid), birth)

    def __str__(self) -> str:
        return f"{self.pid}:{self.birth}"

    def is_alive(self) -> bool:
        birth = birth_of(self.pid)
        return birth is not None and birth == self.birth


@dataclass(frozen=True, slots=True)
class Holder:
    """The server of a data directory and the supervisor that started it."""

    server: Process
    supervisor: Process


def birth_of(pid: int) -> str | None:
    """When this process began; None when there is none, or only a zombie."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _birth_by_ps(pid)
    except ProcessLookupError:
        return None
    return None if state in "ZX" else fields[18]


def _birth_by_ps(pid: int) -> str | None:
    command = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    listed = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    state, _, started = listed.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip().replace(" ", "_")


def pid_file_of(data: Path) -> Path:
    """Beside the data, so that whoever finds the data finds their holder."""
    return data.with_name(f"{data.name}.pid")


def read_holder(pid_file: Path) -> Holder | None:
    try:
        server, supervisor = pid_file.read_text().split()
        return Holder(Process.parse(server), Process.parse(supervisor))
    except (FileNotFoundError, ValueError):
        return None


async def retire_orphan(name: str, pid_file: Path, stop_signal: signal.Signals, timeout_s: float) -> None:
    """Ends the server that a dead supervisor left behind; a server with a living supervisor is refused."""
    holder = read_holder(pid_file)
    if holder is not None and holder.server.is_alive():
        if holder.supervisor.is_alive():
            owner = holder.supervisor.pid
            raise AlreadyRunning(name, holder.server.pid, f"process {owner} started it, stop that first")
        await _end(name, holder.server, stop_signal, timeout_s)
    with suppress(FileNotFoundError):
        os.unlink(pid_file)


async def _end(name: str, server: Process, stop_signal: signal.Signals, timeout_s: float) -> None:
    for number, patience_s in ((stop_signal, timeout_s), (signal.SIGKILL, timeout_s)):
        try:
            with suppress(ProcessLookupError):
                os.kill(server.pid, number)
        except PermissionError:
            why = f"a dead process left it behind and we may not stop it; end process {server.pid}"
            raise AlreadyRunning(name, server.pid, why) from None
        if await wait_until(lambda: not server.is_alive(), time.monotonic() + patience_s):
            return
    raise AlreadyRunning(name, server.pid, "a dead process left it behind and it does not end")


async def wait_until(condition: Callable[[], bool], deadline: float) -> bool:
    """Whether it came true before the deadline (of the monotonic clock)."""
    while not condition():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True
