"""`deedbook` as a person at a terminal runs it: a home and ports of its own, commands, signals, what is left."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from deedbook.infra.embedded.pidfile import read_holder
from tests.support.servers import QUICK_START, free_port, in_memory
from tests.support.waiting import eventually

PORTS = (
    "PORT",
    "DEEDBOOK_POSTGRES_PORT",
    "DEEDBOOK_VALKEY_PORT",
    "DEEDBOOK_ANVIL_PORT",
    "DEEDBOOK_PERMISSIONS_PORT",
    "DEEDBOOK_KYC_PORT",
)
RUNNING = "Deedbook is running"


@dataclass
class Terminal:
    """A home, and the commands that are run in it."""

    home: Path
    environ: dict[str, str]
    _started: list["Up"] = field(default_factory=list)

    @classmethod
    def new(cls) -> "Terminal":
        home = Path(tempfile.mkdtemp(prefix="deedbook-home-", dir=in_memory()))
        home.chmod(0o711)  # PostgreSQL's account passes through where the tests run as root
        environ = {name: str(free_port()) for name in PORTS}
        # Few confirmations: the six contracts of a new home would take 15 s otherwise.
        return cls(home, {**environ, "DEEDBOOK_HOME": str(home), "SAPPHIRE_CONFIRMATIONS": "2"})

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.environ['PORT']}"

    def environment(self, **more: str) -> dict[str, str]:
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DEEDBOOK_", "SAPPHIRE_"))
        }
        return {**ours, **QUICK_START, **self.environ, **more}

    async def command(
        self, *arguments: str, within_s: float = 90, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "deedbook", *arguments],
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=within_s,
        )

    def start(self, *arguments: str, **more: str) -> "Up":
        """Start a command that stays."""
        log = self.home.with_name(f"{self.home.name}-{len(self._started)}.log")
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "deedbook", *arguments],
                env=self.environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        up = Up(process, log)
        self._started.append(up)
        return up

    async def up(self, *arguments: str, **more: str) -> "Up":
        """`deedbook up`, until it says that it runs."""
        up = self.start("up", *arguments, **more)
        await up.says(RUNNING)
        return up

    async def nothing_is_left(self, *, within_s: float = 10) -> None:
        """No process of this home lives."""

        async def none() -> bool:
            return not processes_of(self.home)

        await eventually(none, f"no process of {self.home} lives", within_s=within_s)

    async def markets(self) -> dict[str, str]:
        """The contracts of the markets, by symbol."""
        async with httpx2.AsyncClient(base_url=self.api_url, timeout=10, trust_env=False) as http:
            listed = (await http.get("/api/v1/markets")).raise_for_status().json()["data"]
        return {market["tokenSymbol"]: market["contractAddress"] for market in listed}

    async def ready(self) -> bool:
        try:
            async with httpx2.AsyncClient(base_url=self.api_url, timeout=10, trust_env=False) as http:
                answer = await http.get("/readyz")
        except httpx2.HTTPError:
            return False
        assert answer.status_code in (200, 503), answer.text
        return set(answer.json().get("checks", {}).values()) == {"ok"}

    def close(self) -> None:
        """End everything and forget the home."""
        for up in self._started:
            up.kill()
            up.log.unlink(missing_ok=True)
        for pid in processes_of(self.home):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)


@dataclass
class Up:
    """A command that stays."""

    process: "subprocess.Popen[bytes]"
    log: Path

    async def says(self, text: str, *, within_s: float = 90) -> str:
        """Wait until it has written this; all that it has written."""

        async def said() -> str:
            written = self.log.read_text(errors="replace")
            if text in written:
                return written
            assert self.process.poll() is None, f"ended with {self.process.poll()}:\n{written}"
            return ""

        return await eventually(said, f"{text!r} is written to {self.log}", within_s=within_s)

    async def stop(self, number: signal.Signals = signal.SIGINT, *, within_s: float = 30) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(number)
        started = time.monotonic()
        code = await asyncio.to_thread(self.process.wait, within_s)
        assert time.monotonic() - started < within_s
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def processes_of(home: Path) -> dict[int, str]:
    """The living processes that belong to a home: by their arguments, their environment, or a pid file (Valkey
    writes its title over both)."""
    mark, found = str(home).encode(), dict[int, str]()
    recorded = {holder.server.pid for file in home.rglob("*.pid") if (holder := read_holder(file))}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pid, state = int(entry.name), (entry / "stat").read_text().rpartition(")")[2].split()[0]
            command, environ = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            ours = mark in command + environ or pid in recorded
            if state not in "ZX" and ours and pid != os.getpid():
                found[pid] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def children_by_name(home: Path, names: Mapping[str, str]) -> dict[str, int]:
    """The process of each name, which is told by a piece of its command."""
    living = processes_of(home)
    return {
        name: next(pid for pid, command in living.items() if piece in command)
        for name, piece in names.items()
    }
