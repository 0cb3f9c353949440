"""Open load: the plan is kept whatever the answers do, and lateness is charged to the platform."""

import asyncio
import time

from deedbook.bench.load import Load, RequestFailed


async def test_requests_leave_as_planned_when_answers_are_slow() -> None:
    sent: list[float] = []
    all_sent = asyncio.Event()

    async def slow() -> str:
        sent.append(time.perf_counter())
        if len(sent) == 10:
            all_sent.set()
        await asyncio.wait_for(all_sent.wait(), 10)  # the last leaves before the first is answered
        await asyncio.sleep(0.3)
        return "answer"

    load, began = Load[str]("slow", per_s=50), time.perf_counter()
    await load.send([slow] * 10)
    assert sent[-1] - began >= 0.17, "not before its time"
    assert (load.round.count, load.answers) == (10, ["answer"] * 10)
    assert load.round.p50_ms >= 290


async def test_latency_counts_from_the_planned_moment_when_the_sender_was_held_up() -> None:
    async def holds_everybody_up() -> str:
        time.sleep(0.2)
        return ""

    load = Load[str]("held up", per_s=100)
    await load.send([holds_everybody_up] * 3)
    assert load.round.max_ms >= 3 * 200 - 3 * 10


async def test_all_leave_at_once_when_no_rate_is_given() -> None:
    together = asyncio.Barrier(20)

    async def meets_the_others() -> str:
        await asyncio.wait_for(together.wait(), 5)
        return ""

    load = Load[str]("burst", per_s=None)
    await load.send([meets_the_others] * 20)
    assert (load.round.count, load.round.failed, load.round.offered_per_s) == (20, 0, None)


async def test_failed_requests_are_counted_and_not_timed() -> None:
    async def fails() -> str:
        raise RequestFailed("no")

    async def answers() -> str:
        return "yes"

    load = Load[str]("mixed", per_s=None)
    await load.send([fails, answers, fails])
    assert (load.round.count, load.round.failed) == (1, 2)
    assert load.failures == ["no", "no"]
