"""What the tests of the embedded servers share: open directories, free ports, processes to kill."""

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from deedbook.infra.embedded.pidfile import birth_of

REPOSITORY = Path(__file__).parents[3]
CONTRACTS = REPOSITORY / "contracts"
PYTHONPATH = os.pathsep.join([str(REPOSITORY / "src"), sysconfig.get_path("purelib")])
PASSWORD = "correct horse"  # with a space: it has to survive config files and URLs
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can step down to another account")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="macOS has no parent-death signal")


@contextmanager
def occupied_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def wait_for(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    return birth_of(pid) is None


class Supervisor:
    """Another process that starts servers with our code, to be killed."""

    def __init__(
        self,
        script: str,
        *arguments: object,
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
        uid: int | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [python, "-W", "error", "-c", script, *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": PYTHONPATH, **(environment or {})},
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
        )

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
