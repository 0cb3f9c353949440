"""Failpoints: named places where a test may kill, stop or slow a process. A no-op unless `FAILPOINTS` names them.

`FAILPOINTS="deploy.afterSign=kill:1;relay.afterDeliver=sleep:0.5"`. Kinds: `kill:n` (SIGKILL ourselves at the
n-th crossing), `raise:n` (raise `FailpointHit` at the first n crossings), `sleep:s`, `pause:path` (wait until
the file appears). Production refuses to start with the variable set.
"""

import asyncio
import os
import re
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from deedbook.infra.settings import SettingsError


class FailpointHit(Exception):
    """Raised on purpose by a test."""


@dataclass(frozen=True)
class _Action:
    kind: str
    argument: str


_ARGUMENTS = {"kill": r"[1-9]\d*|", "raise": r"[1-9]\d*|", "sleep": r"\d+(\.\d+)?", "pause": ".+"}
_crossed: Counter[str] = Counter()
_actions: dict[str, _Action] = {}


def arm(text: str) -> None:
    """Set the failpoints of this process from the text of `FAILPOINTS`.

    Raises:
        SettingsError: the text is not of the form above.
    """
    actions = dict(_read(piece.strip()) for piece in text.split(";") if piece.strip())
    _actions.clear()
    _crossed.clear()
    _actions.update(actions)


def _read(piece: str) -> tuple[str, _Action]:
    name, _, action = piece.partition("=")
    kind, _, argument = action.partition(":")
    argument_form = _ARGUMENTS.get(kind)
    if not name or argument_form is None or not re.fullmatch(argument_form, argument):
        raise SettingsError(
            f"FAILPOINTS: cannot read {piece!r}; write name=kill:1, raise:1, sleep:0.5 or pause:/file"
        )
    return name, _Action(kind, argument)


async def failpoint(name: str) -> None:
    """Cross the named point."""
    if not _actions or (action := _actions.get(name)) is None:
        return
    _crossed[name] += 1
    match action.kind:
        case "kill":
            if _crossed[name] >= int(action.argument or "1"):
                os.kill(os.getpid(), signal.SIGKILL)
        case "raise":
            if _crossed[name] <= int(action.argument or "1"):
                raise FailpointHit(name)
        case "sleep":
            await asyncio.sleep(float(action.argument))
        case "pause":
            while not Path(action.argument).exists():  # noqa: ASYNC110, ASYNC240 - only ever a test waiting
                await asyncio.sleep(0.02)
