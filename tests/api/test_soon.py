"""Work that waits for more of its kind."""

import asyncio

from deedbook.api.soon import Soon
from tests.support.waiting import eventually

NEVER_S = 3600.0


async def test_what_is_asked_meanwhile_is_done_together_and_what_comes_later_again() -> None:
    asked, done = ["a", "b", "c"], list[str]()
    going_on, may_end = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        done.append("".join(asked))
        going_on.set()
        await may_end.wait()

    soon = Soon(0.01, work)
    for _ in asked:
        soon.ask()
    await asyncio.wait_for(going_on.wait(), 10)
    assert done == ["abc"]
    asked.append("d")
    soon.ask()  # the first is under way still
    may_end.set()

    async def again() -> bool:
        return done == ["abc", "abcd"]

    await eventually(again, "it is done again, after the first")
    await soon.close()
    assert done == ["abc", "abcd"]


async def test_what_waits_is_done_at_once_when_it_closes_and_waited_for() -> None:
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append("done")

    soon = Soon(NEVER_S, work)
    soon.ask()
    await asyncio.wait_for(soon.close(), 10)
    assert done == ["done"]
    await soon.close()
    assert done == ["done"]
