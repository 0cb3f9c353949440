"""Our own processes as children of the supervisor: same pid files, logs and death with the parent as servers."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx2

from deedbook.infra.embedded import Server
from deedbook.infra.embedded.process import LOOPBACK

SETTLE_S = 0.3


class DeedbookProcess(Server):
    """`deedbook <command>` as a child. It is ready when its URL answers, or when it has not fallen over."""

    stop_signal = signal.SIGTERM

    def __init__(
        self,
        command: str,
        run_directory: Path,
        log_file: Path,
        environ: Mapping[str, str],
        *,
        host: str = LOOPBACK,
        port: int = 0,
        health: str = "",
        port_setting: str = "PORT",
    ) -> None:
        self.name = command  # type: ignore[misc]  # one class, several servers
        super().__init__(run_directory / command, port, log_file=log_file, port_setting=port_setting)
        self.host = host
        self._environ = dict(environ)
        self._health = health

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "deedbook", *self.name.split()]

    async def is_ready(self) -> bool:
        if not self._health:
            await asyncio.sleep(SETTLE_S)
            return True
        try:
            async with httpx2.AsyncClient(timeout=2, trust_env=False) as http:
                return (await http.get(self._health)).status_code == 200
        except httpx2.HTTPError:
            return False

    def _require_free_port(self) -> None:
        if self.port:
            super()._require_free_port()

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self._environ, "PYTHONUNBUFFERED": "1"}
