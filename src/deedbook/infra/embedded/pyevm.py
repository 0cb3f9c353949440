"""The chain for machines where no anvil can be had: py-evm, in memory. It comes with the Python packages."""

import http.client
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from deedbook.infra.embedded.anvil import ask_node
from deedbook.infra.embedded.process import LOOPBACK, Server

BLOCK_TIME_S = 1.0
"""Blocks have whole seconds, each after the one before: closer together they would run ahead of the clock."""


class EmbeddedPyEvm(Server):
    """A chain that begins anew each time: whoever relies on what was on it must begin anew too."""

    name = "py-evm"
    stop_signal = signal.SIGTERM
    keeps_data = False

    def __init__(
        self,
        directory: Path,
        port: int,
        chain_id: int = 31337,
        block_time: float = BLOCK_TIME_S,
        *,
        idle_block_time: float | None = None,
        log_file: Path | None = None,
        port_setting: str = "DEEDBOOK_ANVIL_PORT",
    ) -> None:
        super().__init__(directory, port, log_file=log_file, port_setting=port_setting)
        self.chain_id = chain_id
        self._paces = (block_time, idle_block_time or block_time)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def command(self) -> Sequence[str]:
        numbers = (self.port, self.chain_id, *self._paces)
        return [sys.executable, "-m", "deedbook.infra.embedded.evm", *(str(number) for number in numbers)]

    async def is_ready(self) -> bool:
        try:
            return int(str(await self.rpc("eth_chainId")), 16) == self.chain_id
        except (OSError, http.client.HTTPException):
            return False

    async def rpc(self, method: str, *params: object) -> object:
        """One JSON-RPC call."""
        return await ask_node(self.port, method, *params)
