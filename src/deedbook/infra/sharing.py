"""Sharing round trips: whatever is asked while a call is under way shares the next one.

Alone, a question goes out at once; under load one call carries hundreds. Calls can be kept apart, where one costs as
much as many questions.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, Generic, TypeVar, cast

Q = TypeVar("Q")
A = TypeVar("A")


class Alone(Generic[A]):
    """The answer to the one question of an asker."""

    __slots__ = ("_answer",)

    def __init__(self) -> None:
        self._answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()

    def tell(self, place: int, answer: A | Exception) -> None:
        if self._answer.done():
            return  # Who asked is gone.
        if isinstance(answer, Exception):
            self._answer.set_exception(answer)
        else:
            self._answer.set_result(answer)

    def __await__(self) -> Generator[Any, None, A]:
        return self._answer.__await__()


class Together(Generic[A]):
    """Answers to several questions of one asker, who waits for all of them at once."""

    __slots__ = ("_all", "_answers", "_missing")

    def __init__(self, count: int) -> None:
        assert count > 0
        self._answers: list[A | Exception | None] = [None] * count
        self._missing = count
        self._all: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def tell(self, place: int, answer: A | Exception) -> None:
        """Answer one of them. Each is answered once."""
        self._answers[place] = answer
        self._missing -= 1
        if not self._missing and not self._all.done():
            self._all.set_result(None)

    async def all(self) -> list[A | Exception]:
        """The answers, in the order of the questions."""
        await self._all
        return cast("list[A | Exception]", self._answers)


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
        self._waiting: list[tuple[Q, Alone[A] | Together[A], int]] = []
        self._calling: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """The answer to one question.

        Raises:
            Exception: whatever `call` has given as its answer, or raised.
        """
        alone: Alone[A] = Alone()
        self._waiting.append((question, alone, 0))
        self._start()
        return await alone

    async def ask_all(self, questions: Sequence[Q]) -> list[A | Exception]:
        """The answers to some questions, in their order, or what `call` has raised."""
        if not questions:
            return []
        together: Together[A] = Together(len(questions))
        self._waiting += [(question, together, place) for place, question in enumerate(questions)]
        self._start()
        return await together.all()

    async def close(self) -> None:
        """Finish what was begun."""
        if self._calling is not None:
            await self._calling

    def _start(self) -> None:
        if self._calling is None:
            self._calling = asyncio.create_task(self._run())

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

    async def _answer(self, batch: "list[tuple[Q, Alone[A] | Together[A], int]]") -> None:
        answers: Sequence[A | Exception]
        try:
            answers = await self._call([question for question, _, _ in batch])
        except Exception as error:
            answers = [error] * len(batch)
        for (_, asker, place), answer in zip(batch, answers, strict=True):
            asker.tell(place, answer)
