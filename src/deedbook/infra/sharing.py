"""Sharing round trips: whatever is asked while a call is under way shares the next one.

Alone, a question goes out at once; under load one call carries hundreds. Calls can be kept apart, where one costs as
much as many questions.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Shared(Generic[Q, A]):
    """Questions stand in one queue, and one call is under way at a time.

    `call` answers all of them in their order; an answer that is an exception is raised to who asked, and an exception
    of the call itself to all who shared it. From one call's beginning to the next at least `apart_s` pass.
    """

    def __init__(
        self,
        call: Callable[[Sequence[Q]], Awaitable[Sequence[A | Exception]]],
        most: int,
        apart_s: float = 0.0,
    ) -> None:
        self._call = call
        self._most = most
        self._apart_s = apart_s
        self._free_at = 0.0
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._calling: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """The answer to one question.

        Raises:
            Exception: whatever `call` has given as its answer, or raised.
        """
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._calling is None:
            self._calling = asyncio.create_task(self._run())
        return await future

    async def close(self) -> None:
        """Finish what was begun."""
        if self._calling is not None:
            await self._calling

    async def _run(self) -> None:
        try:
            while self._waiting:
                if (early_s := self._free_at - time.monotonic()) > 0:
                    await asyncio.sleep(early_s)
                self._free_at = time.monotonic() + self._apart_s
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._answer(batch)
        finally:
            self._calling = None

    async def _answer(self, batch: "list[tuple[Q, asyncio.Future[A]]]") -> None:
        try:
            answers = await self._call([question for question, _ in batch])
        except Exception as error:
            answers = [error] * len(batch)
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
