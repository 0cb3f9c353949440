"""Processor time by process."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from deedbook.bench import cost
from deedbook.infra.embedded import Home, Server
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
# A child works until it has used 0.3 s of processor time; then both only wait.
WORKS = """
import subprocess, sys, time
child = "import time\\nwhile time.process_time() < 0.3: pass\\ntime.sleep(60)"
subprocess.run([sys.executable, "-c", child])
"""


class Working(Server):
    name = "working"
    stop_signal = signal.SIGTERM

    def command(self) -> Sequence[str]:
        return [sys.executable, "-c", WORKS]

    async def is_ready(self) -> bool:
        return True


async def test_time_of_a_server_includes_that_of_its_children(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.open()
    async with Working(home.path / "run" / "working", 0, log_file=None, port_setting="") as server:

        async def worked() -> bool:
            return cost.cpu_us(home).get("working", 0) >= 250_000

        await eventually(worked, "its child has worked", within_s=10)
        assert cost.cpu_us(home)["working"] < 3_000_000
        assert server.poll() is None
    assert "working" not in cost.cpu_us(home)


def test_cost_is_told_per_unit_and_without_what_was_started_again() -> None:
    before = {"api": 1000, "worker": 9000, "gone": 5}
    after = {"api": 5000, "worker": 100, "new": 7}
    assert cost.per_unit(before, after, 4) == {"api": 1000}
