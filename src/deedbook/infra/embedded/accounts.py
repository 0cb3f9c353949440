"""Who a server runs as. PostgreSQL refuses root, so root hands it to an account that already exists
(nothing is ever added to the machine) or, where that cannot work, to a user namespace."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED_NAMES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever we are."""

    def launch_argument(self) -> str:
        return "caller"


@dataclass(frozen=True, slots=True)
class Account:
    """An existing account that root steps down to."""

    uid: int
    gid: int

    def launch_argument(self) -> str:
        return f"{self.uid}:{self.gid}"


@dataclass(frozen=True, slots=True)
class UserNamespace:
    """Root itself, seen by the server as an ordinary user. Needs no open directory and no chown, but
    containers without the right to make namespaces refuse it: the second choice."""

    def launch_argument(self) -> str:
        return "namespace"


RunAs = Caller | Account | UserNamespace


def is_root() -> bool:
    return os.geteuid() == 0


def unprivileged_account() -> Account | None:
    for name in UNPRIVILEGED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    return None


def owner_of(path: Path) -> Account:
    status = path.stat()
    return Account(status.st_uid, status.st_gid)


def can_enter(account: Account, directory: Path) -> bool:
    """Asks the kernel rather than reading mode bits, so that ACLs, mounts and containers that may not
    change their uid all get the true answer."""
    return _runs(account, ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(directory)])


def can_run(account: Account, program: Path) -> bool:
    return _runs(account, [str(program), "--version"])


def _runs(account: Account, command: list[str]) -> bool:
    try:
        completed = subprocess.run(
            command,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return completed.returncode == 0
