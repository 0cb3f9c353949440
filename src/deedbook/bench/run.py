"""Running a bench: on the stack that runs in this home, or on one of its own; then the table and the JSON line."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from deedbook.bench.result import BenchResult, Round
from deedbook.infra.embedded import Home
from deedbook.infra.settings import Settings, SettingsError
from deedbook.stack import environment, supervisor
from deedbook.stack.supervisor import StackFailed, StoppedEarly, running_stack
from deedbook.workers.loops import stop_on_signals

LIMITS = (
    "RATE_LIMIT_READS",
    "RATE_LIMIT_WRITES",
    "RATE_LIMIT_AUTH",
    "RATE_LIMIT_WEBHOOKS",
    "RATE_LIMIT_ORDERS",
)
LIFTED = "1000000"


class BenchFailed(Exception):
    """The bench could not measure; says why and what to change."""


@dataclass(frozen=True)
class Stage:
    """Where a bench takes place."""

    settings: Settings
    home: Home
    progress: Callable[[str], None]


Measure = Callable[[Stage], Awaitable[BenchResult]]


def lift_rate_limits(environ: MutableMapping[str, str]) -> None:
    """For the stack that the bench starts: it measures the platform, not how callers are slowed down. Limits that
    the environment names stay."""
    for name in LIMITS:
        environ.setdefault(name, LIFTED)
    environ.setdefault("WS_CONNECTIONS_PER_ADDRESS", "10000")
    environ.setdefault(
        "ACCESS_TOKEN_TTL_S", "3600"
    )  # requests are signed, and get their token, before they leave


async def bench(settings: Settings, measure: Measure, *, as_json: bool) -> int:
    """Measure and tell; the exit code. 0 only when no request failed and every truth held.

    Raises:
        SettingsError: in production.
    """
    if settings.production:
        raise SettingsError("a bench writes what nobody asked for: not in production")
    console = Console(stderr=True)
    try:
        result = await _on_some_stack(settings, measure, console)
    except (BenchFailed, StackFailed) as failure:
        console.print(f"[red]{failure}[/]", highlight=False)
        return 1
    except StoppedEarly:
        return 130
    console.print(table(result))
    for note in result.notes:
        console.print(note, highlight=False)
    if as_json:
        sys.stdout.write(json.dumps(result.as_json()) + "\n")
        sys.stdout.flush()
    return 0 if result.ok else 1


async def _on_some_stack(settings: Settings, measure: Measure, console: Console) -> BenchResult:
    def progress(text: str) -> None:
        console.print(f"[dim]· {text}[/]", highlight=False)

    stopping, home = stop_on_signals(), Home.locate()
    if environment.adopt_running_stack():
        progress("Using the stack that runs already, with its rate limits")
        stage = Stage(supervisor.load_with({}), home, progress)
        return await _unless_stopped(measure(stage), stopping)
    # In a home of its own, and nothing of the last time: books that were left in it would be measured too.
    home = Home(home.path.with_name(home.path.name + "-bench"))
    async with running_stack(settings, home, fresh=True, progress=progress, stopping=stopping) as stack:
        stage = Stage(stack.settings, home, progress)
        return await _unless_stopped(measure(stage), stopping, stack.broken)


async def _unless_stopped(
    work: Awaitable[BenchResult], stopping: asyncio.Event, *others: "asyncio.Future[None]"
) -> BenchResult:
    """The result, unless a signal comes first or the stack breaks."""
    measuring, told = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
    try:
        awaited: set[asyncio.Future[Any]] = {measuring, told, *others}
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
        for broken in others:
            if broken.done():
                broken.result()
        if not measuring.done():
            raise StoppedEarly
        return measuring.result()
    finally:
        for future in (measuring, told):
            future.cancel()
        await asyncio.gather(measuring, told, return_exceptions=True)


def table(result: BenchResult) -> Table:
    table = Table(title=f"{result.name}: {result.rate:g} {result.unit}", title_justify="left")
    for name in ("Round", "Sent at", "Answered", "Failed", "Per second", "p50 ms", "p99 ms", "Longest ms"):
        table.add_column(name, justify="left" if name == "Round" else "right")
    for entry in result.rounds:
        table.add_row(*_cells(entry))
    spent = ", ".join(f"{name} {us:,}" for name, us in result.cpu_us_per_unit.items())
    table.caption = f"Processor time per unit in µs: {spent or 'not known here'}"
    return table


def _cells(entry: Round) -> list[str]:
    sent = f"{entry.offered_per_s:g}/s" if entry.offered_per_s else "once"
    numbers = (entry.rate, entry.p50_ms, entry.p99_ms, entry.max_ms)
    return [entry.name, sent, str(entry.count), str(entry.failed), *(f"{number:g}" for number in numbers)]
