"""What tests of the relay and of the sweeper do: step until nothing is left, wait until a job has run."""

from collections.abc import Awaitable, Callable

from deedbook.infra.bullmq import Delivery
from deedbook.workers.relay import Sink


async def drain(sink: Sink) -> int:
    """Steps until there is nothing more; how many steps did something."""
    steps = 0
    while await sink.step():
        steps += 1
    return steps


def runner(fails: int = 0) -> tuple[list[Delivery], Callable[[Delivery], Awaitable[None]]]:
    """What a worker runs, and the jobs that it has run so; the first `fails` of them in vain."""
    runs: list[Delivery] = []

    async def run(job: Delivery) -> None:
        runs.append(job)
        if len(runs) <= fails:
            raise ZeroDivisionError

    return runs, run


def ran(runs: list[Delivery], times: int = 1) -> Callable[[], Awaitable[bool]]:
    """Whether so many have run, for `eventually`."""

    async def check() -> bool:
        return len(runs) >= times

    return check
