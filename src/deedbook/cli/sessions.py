"""Sessions between commands, so that each command does not sign in anew: access tokens, which last for minutes, in a
file that its owner alone can read."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deedbook.cli.profiles import profiles_file, write_secret

if TYPE_CHECKING:
    from deedbook.client.flow import Session

MAX_KEPT = 50


def sessions_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Beside the profiles."""
    return profiles_file(environ).with_name("sessions.json")


@contextmanager
def kept_session(session: "Session") -> Iterator[None]:
    """Begin with the token that the last command of this account left, and leave one for the next. One that has run out
    is renewed by the client."""
    if session.signer is None or session.sign_in is None:
        yield
        return
    file, name = sessions_file(), f"{session.url} {session.signer.address}"
    session.token = before = _read(file).get(name)
    try:
        yield
    finally:
        if session.token is not None and session.token != before:
            _keep(file, name, session.token)


def _read(file: Path) -> dict[str, str]:
    """What was kept; nothing where that cannot be read, since signing in again is all that it costs."""
    try:
        told = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(token) for name, token in told.items()} if isinstance(told, dict) else {}


def _keep(file: Path, name: str, token: str) -> None:
    others = [(known, kept) for known, kept in _read(file).items() if known != name]
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"sessions.{os.getpid()}")
    write_secret(draft, json.dumps(dict([*others[1 - MAX_KEPT :], (name, token)])) + "\n")
    draft.replace(file)
