"""What can go wrong before the servers are up. The reader is the person at the terminal: each message
says which server, which file or port, and what to do next.

    EmbeddedError
    ├─ HomeInUse · NotAHome                        the data directory
    ├─ BinaryMissing · NoAccount                   the machine
    ├─ PortTaken · AlreadyRunning · StartFailed    a server
    └─ DataOutOfReach · PasswordMismatch · StateDamaged   what a server left behind
"""

from pathlib import Path


class EmbeddedError(Exception):
    """Base of everything the embedded servers report."""


class HomeInUse(EmbeddedError):
    """Another process holds the lock of this home."""

    def __init__(self, path: Path, pid: int | None) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(f"{path} is in use by {holder}: stop it, or choose another home with DEEDBOOK_HOME")
        self.pid = pid


class NotAHome(EmbeddedError):
    """A directory that we did not make, and so neither fill nor empty."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is not a Deedbook home: {why}. Choose another directory with DEEDBOOK_HOME")


class BinaryMissing(EmbeddedError):
    """The program of a server is not installed."""


class NoAccount(EmbeddedError):
    """Root may not run PostgreSQL, and this machine offers root nobody else to run it as."""


class PortTaken(EmbeddedError):
    """Somebody else listens where the server should."""

    def __init__(self, server: str, host: str, port: int, setting: str) -> None:
        super().__init__(
            f"{server} cannot listen on {host}:{port}: another program uses this port. "
            f"Stop that program, or choose another port with {setting}"
        )
        self.server = server
        self.port = port


class AlreadyRunning(EmbeddedError):
    """The data belong to a server that is alive and has a living owner, or that we may not stop."""

    def __init__(self, server: str, pid: int, why: str) -> None:
        super().__init__(f"{server} already runs on these data as process {pid}: {why}")
        self.server = server
        self.pid = pid


class StartFailed(EmbeddedError):
    """The server ended, or did not answer in time; the message carries the end of its log."""

    def __init__(self, server: str, what: str, log_file: Path, tail: str) -> None:
        said = f"\n{tail}" if tail else " (it wrote nothing)"
        super().__init__(f"{server} {what}. The end of {log_file}:{said}")
        self.server = server


class DataOutOfReach(EmbeddedError):
    """The account that owns the data can no longer come to them."""


class PasswordMismatch(EmbeddedError):
    """The data directory was made with another password than the one kept in the home."""


class StateDamaged(EmbeddedError):
    """No copy of the chain's state can be read."""
