"""What all commands share: settings, the event loop, flags."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from deedbook.infra.settings import Settings

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]
TRACED = ("api", "worker", "matcher")
"""Processes that do something for an order."""
FreshFlag = Annotated[bool, typer.Option("--fresh", help="Forget everything and start over.")]


def settings_for(process: str) -> "Settings":
    from deedbook.infra.settings import SettingsError, load_settings
    from deedbook.infra.telemetry import configure_logging

    settings = load_settings()
    if settings.traces_to and process in TRACED:
        from deedbook.infra.tracing import start_tracing

        try:
            start_tracing(process, settings.traces_to)
        except ImportError:
            raise SettingsError("tracing needs more packages: pip install 'deedbook[tracing]'") from None
    # The supervisor and the demo speak to a person; their children write the full log.
    quiet = process in ("up", "demo", "bench") and settings.LOG_LEVEL == "info"
    configure_logging(process, "warning" if quiet else settings.LOG_LEVEL)
    return settings


def adopted_settings(process: str) -> "Settings":
    """The settings, completed by the stack that runs in this home, if one does."""
    from deedbook.stack.environment import adopt_running_stack

    adopt_running_stack()
    return settings_for(process)


def run(work: Coroutine[Any, Any, Any], *, exit_code: bool = False) -> Any:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(work)
    if exit_code:
        sys.exit(result)
    return result
