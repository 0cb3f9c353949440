"""The node over HTTP, and its pace: a second a block while there is work, slower while there is none."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import uvicorn

from deedbook.infra.embedded.evm.chain import EvmChain
from deedbook.infra.embedded.evm.rpc import Node
from deedbook.infra.embedded.pace import BLOCKS_AFTER_WORK
from deedbook.infra.settings import DEVELOPMENT_KEYS

MAX_BODY_BYTES = 4 * 1024 * 1024
LOOK_S = 0.05
Message = MutableMapping[str, Any]


class Application:
    """Everything that touches the chain runs on one thread, in the order in which it comes."""

    def __init__(self, chain_id: int, block_time: float, idle_block_time: float) -> None:
        rich = tuple(sorted(DEVELOPMENT_KEYS))
        self._chain = EvmChain(chain_id, rich)
        self._node = Node(self._chain, rich)
        self._block_time = block_time
        self._idle_block_time = idle_block_time
        self._thread = ThreadPoolExecutor(1, "chain")

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        status, answer = await self._answer(await _body(receive))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def mine(self) -> None:
        """Until cancelled."""
        quick_blocks_left, mined_at = BLOCKS_AFTER_WORK, time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            if self._chain.waiting:
                quick_blocks_left = BLOCKS_AFTER_WORK
            pause_s = self._block_time if quick_blocks_left > 0 else self._idle_block_time
            if time.monotonic() - mined_at >= pause_s:
                mined_at = time.monotonic()
                await self._on_the_thread(self._chain.mine)
                quick_blocks_left = max(0, quick_blocks_left - 1)

    async def _answer(self, body: bytes | None) -> tuple[int, bytes]:
        try:
            message = orjson.loads(body or b"")
        except orjson.JSONDecodeError:
            return 400, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no JSON"}}'
        return 200, orjson.dumps(await self._on_the_thread(lambda: self._node.answer(message)))

    async def _on_the_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes | None:
    """The body, or `None` where it is too long."""
    body, more = b"", True
    while more and len(body) <= MAX_BODY_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return None if more else body


def serve(port: int, chain_id: int, block_time: float, idle_block_time: float) -> None:
    """Serve until told to stop. A chain that is no longer mined ends the process: whoever watches it sees that."""
    asyncio.run(_serve(port, Application(chain_id, block_time, idle_block_time)))


async def _serve(port: int, application: Application) -> None:
    config = uvicorn.Config(application, host="127.0.0.1", port=port, lifespan="off", log_level="warning")
    serving = asyncio.create_task(uvicorn.Server(config).serve())
    mining = asyncio.create_task(application.mine())
    done, _ = await asyncio.wait({serving, mining}, return_when=asyncio.FIRST_COMPLETED)
    mining.cancel()
    for task in done:
        task.result()
