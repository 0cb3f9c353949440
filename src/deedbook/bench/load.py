"""Open load: requests leave when the plan says, whether or not the earlier ones were answered. Latency counts
from the planned moment, so that a server that falls behind cannot hide it by slowing its clients down."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from deedbook.bench.result import Round
from deedbook.infra import memory

T = TypeVar("T")
LEAD_S = 0.05
"""From the plan to its first request, so that none is late from the start."""


class RequestFailed(Exception):
    """An answer that was not what it should be; it counts as failed, and its time is left out."""


class Load(Generic[T]):
    """One stretch of load: what was answered, and how long each answer took."""

    def __init__(self, name: str, *, per_s: float | None) -> None:
        self._name = name
        self._per_s = per_s
        self._latencies_s: list[float] = []
        self._elapsed_s = 0.0
        self.answers: list[T] = []
        self.failures: list[str] = []

    async def send(self, requests: Sequence[Callable[[], Awaitable[T]]]) -> None:
        """Send them all at the planned moments, and wait for the answers. Each request bounds its own time."""
        memory.settle()  # A look through all that was prepared would be counted as latency.
        started = time.perf_counter() + LEAD_S
        pause_s = 1 / self._per_s if self._per_s else 0.0
        sending = []
        for number, request in enumerate(requests):
            planned = started + number * pause_s
            if (early_s := planned - time.perf_counter()) > 0:
                await asyncio.sleep(early_s)
            sending.append(asyncio.create_task(self._send(planned, request)))
        await asyncio.gather(*sending)
        self._elapsed_s += time.perf_counter() - started

    async def _send(self, planned: float, request: Callable[[], Awaitable[T]]) -> None:
        try:
            answer = await request()
        except RequestFailed as failure:
            self.failures.append(str(failure))
            return
        self._latencies_s.append(time.perf_counter() - planned)
        self.answers.append(answer)

    @property
    def round(self) -> Round:
        return Round.of(
            self._name,
            self._latencies_s,
            elapsed_s=self._elapsed_s,
            failed=len(self.failures),
            offered_per_s=self._per_s,
        )
