"""Failpoints: read strictly, and crossed without effect where nobody named them."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deedbook.infra.failpoints import FailpointHit, arm, failpoint
from deedbook.infra.settings import SettingsError
from tests.support.waiting import PATIENCE_S


@pytest.fixture(autouse=True)
def _disarm() -> Iterator[None]:
    yield
    arm("")


async def test_nothing_happens_when_the_point_is_not_named() -> None:
    await failpoint("lane.afterSign")
    arm("lane.beforeSign=raise:1")
    await failpoint("lane.afterSign")


async def test_first_crossings_raise_and_later_ones_pass() -> None:
    arm("a=raise:2")
    for _ in range(2):
        with pytest.raises(FailpointHit):
            await failpoint("a")
    await failpoint("a")


async def test_process_dies_at_the_crossing_that_was_named() -> None:
    program = (
        "import asyncio\nfrom deedbook.infra.failpoints import arm, failpoint\narm('a=kill:3')\n"
        "async def main():\n for n in (1, 2, 3, 4):\n  print(n, flush=True)\n  await failpoint('a')\n"
        "asyncio.run(main())"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert ended.returncode == -9
    assert ended.stdout.split() == ["1", "2", "3"]


async def test_crossing_waits_when_it_is_to_sleep_or_pause(tmp_path: Path) -> None:
    go_on = tmp_path / "go"
    arm(f"a=sleep:0.1; b=pause:{go_on}")
    started = time.monotonic()
    await failpoint("a")
    assert time.monotonic() - started >= 0.1
    waiting = asyncio.create_task(failpoint("b"))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    go_on.touch()
    await asyncio.wait_for(waiting, PATIENCE_S)


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a=",
        "=kill:1",
        "a=explode",
        "a=kill:x",
        "a=kill:0",
        "a=raise:-1",
        "a=sleep:",
        "a=sleep:long",
        "a=pause:",
    ],
)
def test_start_is_refused_when_the_text_cannot_be_read(text: str) -> None:
    with pytest.raises(SettingsError, match="FAILPOINTS"):
        arm(text)
