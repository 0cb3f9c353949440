"""Anvil, the local chain: interval mining (its automine stalls under bursts), Sapphire's EVM, a state file
that survives kill -9.

Anvil rewrites its state file in place, so a kill in mid-write leaves half a file. We therefore keep the
last complete copy beside it, one interval older at most. Either way the newest blocks may be lost, which
to the platform is a reorganization: confirmations must cover two intervals.
"""

import asyncio
import http.client
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from deedbook.infra.embedded.errors import BinaryMissing, StateDamaged
from deedbook.infra.embedded.pace import Pace
from deedbook.infra.embedded.process import LOOPBACK, Server

VERSION = "1.7.1"
KEPT_STATES = 300
"""Ledger and vault are compared at the block that the watcher has read, which is a few behind the newest. Without a
number the node would keep the newest state alone."""
STATE_INTERVAL_S = 1
GAS_LIMIT = 15_000_000  # Sapphire's max_batch_gas
RPC_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


class EmbeddedAnvil(Server):
    """A chain of our own that goes on where it stopped.

    State is kept for the latest block only: a call at an older block is refused, while blocks, receipts
    and logs stay for ever. Anvil can be given a number of states to keep, but up to 1.7.1 it then grows
    by 0.1 to 0.2 MB with each block, empty or not, whatever the number.

    With `idle_block_time` an idle chain mines at that pace and returns to `block_time` when a transaction
    waits. Each empty block costs 1.4 KB in a file that is written anew every second: at 0.2 s that is
    600 MB after a day of doing nothing. Mining then depends on the event loop that started the server.
    """

    name = "Anvil"
    stop_signal = signal.SIGTERM

    def __init__(
        self,
        state_file: Path,
        port: int,
        chain_id: int = 31337,
        block_time: float = 0.2,
        *,
        idle_block_time: float | None = None,
        tools_dir: Path | None = None,
        log_file: Path | None = None,
        port_setting: str = "DEEDBOOK_ANVIL_PORT",
    ) -> None:
        super().__init__(state_file, port, log_file=log_file, port_setting=port_setting)
        self.chain_id = chain_id
        self._block_time = block_time
        self._pace = None if idle_block_time is None else Pace(self.rpc, block_time, idle_block_time)
        self._tools_dir = tools_dir
        self._tasks: list[asyncio.Task[None]] = []
        self._copying = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    async def prepare(self) -> None:
        await self._end_tasks()
        await asyncio.to_thread(self._alone, restore_state)

    def command(self) -> Sequence[str]:
        mining = ["--no-mining"] if self._pace else ["--block-time", str(self._block_time)]
        return [
            str(find_anvil(self._tools_dir)),
            *("--host", LOOPBACK, "--port", str(self.port), "--chain-id", str(self.chain_id)),
            *("--hardfork", "shanghai", "--gas-limit", str(GAS_LIMIT)),
            *("--state", str(self.data), "--state-interval", str(STATE_INTERVAL_S)),
            *("--prune-history", str(KEPT_STATES), "--silent"),
            *mining,
        ]

    async def is_ready(self) -> bool:
        try:
            return int(str(await self.rpc("eth_chainId")), 16) == self.chain_id
        except (OSError, http.client.HTTPException):
            return False

    async def after_start(self) -> None:
        self._attend(self._keep_good_copies())
        if self._pace:
            self._attend(self._pace.run())

    async def stop(self, timeout_s: float = 30.0) -> int | None:
        await self._end_tasks()
        code = await super().stop(timeout_s)
        await asyncio.to_thread(self._alone, copy_if_complete)
        return code

    async def rpc(self, method: str, *params: object) -> object:
        """One JSON-RPC call, enough to start and pace the node; the chain room has the real client."""
        return await ask_node(self.port, method, *params)

    async def _keep_good_copies(self) -> None:
        while True:
            await asyncio.sleep(STATE_INTERVAL_S)
            await asyncio.to_thread(self._alone, copy_if_complete)

    def _alone(self, work: Callable[[Path], None]) -> None:
        """A cancelled copy goes on in its thread, so the next one waits for it."""
        with self._copying:
            work(self.data)

    def _attend(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._end_if_failed)
        self._tasks.append(task)

    def _end_if_failed(self, task: asyncio.Task[None]) -> None:
        """A chain that nobody mines or keeps looks alive and is not: let whoever polls it see the end."""
        if task.cancelled() or task.exception() is None or self._child is None:
            return
        log.error("local_chain_attendant_failed", exc_info=task.exception())
        self._child.send_signal(self.stop_signal)

    async def _end_tasks(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def find_anvil(tools_dir: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """`DEEDBOOK_ANVIL`, else what npm installed under `tools_dir`, else the PATH."""
    if chosen := environ.get("DEEDBOOK_ANVIL"):
        if os.access(chosen, os.X_OK):
            return Path(chosen)
        raise BinaryMissing(f"DEEDBOOK_ANVIL names {chosen}, which is not a program")
    if tools_dir is not None:
        # npm's own `anvil` is a script that needs Node; the program is in the package of the platform.
        installed = sorted(tools_dir.glob("node_modules/@foundry-rs/anvil-*/bin/anvil"))
        if installed:
            return installed[0].absolute()
    if on_path := shutil.which("anvil", path=environ.get("PATH")):
        return Path(on_path).absolute()
    where = f"--prefix {tools_dir} " if tools_dir is not None else ""
    raise BinaryMissing(
        f"anvil, the local chain, is not installed: run `npm install {where}@foundry-rs/anvil@{VERSION}`, "
        "or name the program in DEEDBOOK_ANVIL, or set SAPPHIRE_RPC_URL to a node of yours"
    )


def good_copy_of(state: Path) -> Path:
    return state.with_name(f"{state.stem}.good{state.suffix}")


def is_complete(state: Path) -> bool:
    """Anvil writes one JSON object from front to back: a file cut short does not parse."""
    try:
        msgspec.json.decode(state.read_bytes(), type=dict[str, msgspec.Raw])
    except (FileNotFoundError, msgspec.DecodeError):
        return False
    return True


def restore_state(state: Path) -> None:
    """Leaves a state that anvil can load, or none for a new chain. What cannot be read is put aside."""
    if is_complete(state):
        return
    good = good_copy_of(state)
    damaged = state.with_name(f"{state.stem}.damaged{state.suffix}")
    if state.exists():
        state.replace(damaged)
    if is_complete(good):
        shutil.copyfile(good, state)
    elif damaged.exists() or good.exists():
        raise StateDamaged(
            f"the state of the local chain cannot be read, nor its copy ({damaged}, {good}): "
            "start afresh, since without it chain and database no longer agree"
        )


def copy_if_complete(state: Path) -> None:
    """Never replaces a good copy by a worse one: anvil may be writing while we read."""
    draft = state.with_name(f"{state.stem}.copy{state.suffix}")
    try:
        shutil.copyfile(state, draft)
    except FileNotFoundError:
        return
    if is_complete(draft):
        draft.replace(good_copy_of(state))


async def ask_node(port: int, method: str, *params: object) -> object:
    """One JSON-RPC call to a node on this machine."""
    return await asyncio.to_thread(_call, port, method, params)


def _call(port: int, method: str, params: Sequence[object]) -> object:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=RPC_TIMEOUT_S)
    try:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = msgspec.json.decode(connection.getresponse().read(), type=dict[str, object])
    except msgspec.DecodeError as error:
        raise http.client.HTTPException(f"{method}: the answer is not JSON-RPC") from error
    finally:
        connection.close()
    if "error" in answer:
        raise http.client.HTTPException(f"{method}: {answer['error']}")
    return answer["result"]
