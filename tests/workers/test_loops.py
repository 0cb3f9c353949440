"""Loops: they outlive a bug and an outage, and end soon when told to."""

import asyncio
import itertools
import time

import pytest

from deedbook.kernel.errors import Unavailable
from deedbook.workers import loops
from deedbook.workers.loops import repeat
from tests.support.waiting import PATIENCE_S


async def test_loop_goes_on_when_a_step_raises_a_bug() -> None:
    stopping, turns = asyncio.Event(), list[float]()

    async def step() -> bool:
        turns.append(time.monotonic())
        if len(turns) == 1:
            raise KeyError("a bug")
        stopping.set()
        return True

    await asyncio.wait_for(repeat("test", stopping, step, busy_s=0, idle_s=0.01), 5)
    assert len(turns) == 2
    assert turns[1] - turns[0] >= 0.5, "a bug is not repeated in a hurry"


async def test_loop_waits_longer_each_time_while_something_is_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopping, turns, pauses = asyncio.Event(), list[float](), list[float]()
    wait = loops.wait

    async def noted(stopping: asyncio.Event, pause_s: float) -> None:
        pauses.append(pause_s)
        await wait(stopping, pause_s)

    monkeypatch.setattr(loops, "wait", noted)

    async def step() -> bool:
        turns.append(time.monotonic())
        if len(turns) < 4:
            raise Unavailable("away")
        if len(turns) == 6:
            stopping.set()
        return True

    await asyncio.wait_for(repeat("test", stopping, step, busy_s=0.01, idle_s=0.01), 10)
    assert 0.2 <= pauses[0] < pauses[1] < pauses[2]
    assert pauses[3] < 0.2, "and is quick again at once afterwards"
    took = [later - earlier for earlier, later in itertools.pairwise(turns)]
    assert all(one > 0.9 * pause for one, pause in zip(took, pauses, strict=False))


async def test_loop_ends_at_once_when_it_is_told_to_while_it_waits() -> None:
    stopping = asyncio.Event()

    async def step() -> bool:
        return False

    running = asyncio.create_task(repeat("test", stopping, step, busy_s=60, idle_s=60))
    await asyncio.sleep(0.05)
    stopping.set()
    await asyncio.wait_for(running, PATIENCE_S)


async def test_step_is_finished_when_the_loop_is_told_to_end_within_it() -> None:
    stopping, done = asyncio.Event(), list[bool]()

    async def step() -> bool:
        stopping.set()
        await asyncio.sleep(0.1)
        done.append(True)
        return True

    await repeat("test", stopping, step, busy_s=0, idle_s=0)
    assert done == [True]
