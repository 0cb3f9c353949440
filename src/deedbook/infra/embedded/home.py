"""The data directory of one installation: who uses it, where each server keeps its data, and the secrets
made for them. It starts no server.

    .deedbook/
      deedbook-home      marks the directory as ours, with an id
      lock               held while somebody runs the servers
      secrets/  logs/  valkey/  anvil/  postgres/
      postgres.location  where the PostgreSQL data are instead, if not in postgres/
"""

import fcntl
import os
import secrets
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from deedbook.infra.embedded import accounts
from deedbook.infra.embedded.errors import HomeInUse, NotAHome
from deedbook.infra.embedded.pidfile import pid_file_of, retire_orphan

DEFAULT_NAME = ".deedbook"
MARKER = "deedbook-home"
LOCK = "lock"
LOCATION = "postgres.location"
KEPT_WHEN_FRESH = {MARKER, LOCK, LOCATION}
SECRET_BYTES = 24
ORPHAN_TIMEOUT_S = 30.0


class Home:
    """A directory marked as ours. `outside` is where PostgreSQL's data go when the home is closed to the
    account that must run it."""

    def __init__(self, path: Path, *, outside: Path = Path("/var/lib")) -> None:
        self.path = path.expanduser().absolute()
        self._outside = outside
        self._lock: int | None = None

    @classmethod
    def locate(cls, environ: Mapping[str, str] = os.environ) -> "Home":
        """`DEEDBOOK_HOME`, else `.deedbook` in the clone we run from, else in the current directory."""
        if chosen := environ.get("DEEDBOOK_HOME"):
            return cls(Path(chosen))
        clone = Path(__file__).parents[4]
        return cls((clone if (clone / "pyproject.toml").is_file() else Path.cwd()) / DEFAULT_NAME)

    # Using it

    def open(self) -> None:
        """Makes the home, or recognizes it. Does not take a directory that has something else in it."""
        self.path.mkdir(parents=True, exist_ok=True)
        if self.path.is_symlink() or not self._is_marked():
            self._require_empty()
            _chmod_passable(self.path)
            _write(self.path / MARKER, f"{secrets.token_hex(6)}\n")
        for name in ("secrets", "logs", "valkey", "anvil"):
            (self.path / name).mkdir(mode=0o700, exist_ok=True)
        (self.path / "postgres").mkdir(exist_ok=True)
        _chmod_passable(self.path / "postgres")

    @contextmanager
    def held(self) -> Iterator[None]:
        """The home is ours alone while this lasts; refuses with the pid of whoever has it. The kernel
        lets go of the lock when the holder dies, however it dies."""
        self.open()
        descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._lock_or_refuse(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            self._lock = descriptor
            yield
        finally:
            self._lock = None
            os.close(descriptor)

    async def fresh(self) -> None:
        """Forgets everything: data, secrets, ports. Only while held, and only in a marked home; servers
        left behind by a killed parent are ended first, so that none writes into the void."""
        assert self._lock is not None, "a home is emptied only by who holds it"
        if self.path.is_symlink() or not self._is_marked():
            raise NotAHome(self.path, f"it has no {MARKER} file, so nothing was deleted")
        for data in (self.postgres_data(), self.valkey_data, self.anvil_state, self.chain_in_memory):
            await retire_orphan(data.parent.name, pid_file_of(data), signal.SIGINT, ORPHAN_TIMEOUT_S)
        for directory in filter(None, (self._recorded_location(), self.path)):
            for entry in directory.iterdir():
                if entry.name not in KEPT_WHEN_FRESH:
                    _delete(entry)
        self.open()

    # Where things are

    @property
    def valkey_data(self) -> Path:
        return self.path / "valkey" / "data"

    @property
    def anvil_state(self) -> Path:
        return self.path / "anvil" / "state.json"

    @property
    def chain_in_memory(self) -> Path:
        """Marks that the chain of this home was one that keeps nothing."""
        return self.path / "anvil" / "in-memory"

    def log_file(self, server: str) -> Path:
        return self.path / "logs" / f"{server}.log"

    def postgres_data(self) -> Path:
        """In the home, unless root runs from a directory that PostgreSQL's account cannot enter. What was
        decided once stays decided: the pointer file is then written before any data."""
        inside = self.path / "postgres" / "data"
        recorded = self._recorded_location()
        if recorded is not None:
            return recorded / "data"
        if inside.exists() or not self._is_closed_to_server():
            return inside
        return self._move_outside() / "data" if os.access(self._outside, os.W_OK) else inside

    # What is kept

    def secret(self, name: str) -> str:
        """A random secret, made at its first use. For names see the callers; values are never logged."""
        file = self.path / "secrets" / name
        draft = file.with_name(f"{name}.{os.getpid()}")
        if not file.exists():
            _write(draft, secrets.token_hex(SECRET_BYTES))
            with suppress(FileExistsError):  # somebody else was quicker: theirs counts
                os.link(draft, file)
            draft.unlink()
        return file.read_text().strip()

    # Details

    def _is_marked(self) -> bool:
        return (self.path / MARKER).is_file()

    def _id(self) -> str:
        return (self.path / MARKER).read_text().strip()

    def _require_empty(self) -> None:
        if self.path.is_symlink():
            raise NotAHome(self.path, "it is a symbolic link")
        if any(self.path.iterdir()):
            raise NotAHome(self.path, f"it holds other files and no {MARKER}")

    def _lock_or_refuse(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode().strip()
            raise HomeInUse(self.path, int(holder) if holder.isdigit() else None) from None

    def _is_closed_to_server(self) -> bool:
        account = accounts.unprivileged_account() if accounts.is_root() else None
        return account is not None and not accounts.can_enter(account, self.path)

    def _move_outside(self) -> Path:
        location = self._outside / f"deedbook-{self._id()}"
        location.mkdir(exist_ok=True)
        _chmod_passable(location)
        _write(location / MARKER, f"{self._id()}\n")
        _write(self.path / LOCATION, f"{location}\n")
        return location

    def _recorded_location(self) -> Path | None:
        try:
            location = Path((self.path / LOCATION).read_text().strip())
        except FileNotFoundError:
            return None
        self._require_ours(location)
        return location

    def _require_ours(self, location: Path) -> None:
        """The other directory carries the id of this home: a pointer alone is no reason to use or delete
        it. An id and not our path, so that the clone may be moved."""
        marker = location / MARKER
        if not marker.is_file() or marker.read_text().strip() != self._id():
            raise NotAHome(location, f"it does not carry the id of {self.path}")


def _chmod_passable(directory: Path) -> None:
    """Under root, PostgreSQL's account passes through to its data but cannot look around."""
    directory.chmod(0o711 if accounts.is_root() else 0o700)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _delete(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
