"""Orders that come together and fare apart: what became of each, and which of them go on."""

from collections.abc import Awaitable, Iterable
from typing import TypeAlias, TypeVar

from deedbook.kernel.errors import Refusal
from deedbook.trading.intake import Taken

T = TypeVar("T")
Fates: TypeAlias = dict[int, Taken | Refusal]
"""By the place of the order among those that came with it."""


async def fate_of(step: Awaitable[T]) -> T | Refusal:
    """What a step gives, or why it was refused."""
    try:
        return await step
    except Refusal as refusal:
        return refusal


async def each(fates: Fates, steps: Iterable[tuple[int, Awaitable[T]]]) -> dict[int, T]:
    """Go through a step for each, one after the other: hardly ever does one of them wait for anything."""
    return sorted_out(fates, [(place, await fate_of(step)) for place, step in steps])


def sorted_out(fates: Fates, told: Iterable[tuple[int, T | Exception]]) -> dict[int, T]:
    """Those that go on; who was refused has met their fate.

    Raises:
        Exception: what is no refusal.
    """
    on: dict[int, T] = {}
    for place, outcome in told:
        if isinstance(outcome, Refusal):
            fates[place] = outcome
        elif isinstance(outcome, Exception):
            raise outcome
        else:
            on[place] = outcome
    return on
