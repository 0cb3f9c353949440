"""Sapphire's rules in front of anvil: what its gateway refuses, hides and answers otherwise than other nodes.

async with SapphireProxy(anvil.url) as proxy:
    node = SapphireClient(proxy.url)

"""

import asyncio
from types import TracebackType
from typing import Any, Self

import httpx2
import rlp  # type: ignore[import-untyped]
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from deedbook.chain.ports import LOG_ROUNDS
from deedbook.integrations.sapphire.accounts import Account
from tests.support.servers import free_port

NOBODY = "0x" + "00" * 20
FLOOR_PRICE = 100 * 10**9
MAX_FUTURE_NONCES = 9
MAX_TRANSACTION_BYTES = 128 * 1024
FAILING_CALL_GAS = 2_000_000


class _Refused(Exception):
    """The gateway's answer is an error."""


class SapphireProxy:
    """A JSON-RPC server on a loopback port. `asked` counts the methods, `refused` keeps the refusals."""

    def __init__(self, upstream: str) -> None:
        self._http = httpx2.AsyncClient(base_url=upstream, timeout=10, trust_env=False)
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.port = free_port()
        self.asked: dict[str, int] = {}
        self.refused: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        app = Starlette(routes=[Route("/", self._receive, methods=["POST"])])
        config = uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server._serve())
        while not self._server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None and self._serving is not None
        self._server.should_exit = True
        await self._serving
        await self._http.aclose()

    async def _receive(self, request: Request) -> JSONResponse:
        body = await request.json()
        if isinstance(body, list):
            return JSONResponse([await self._answer(message) for message in body])
        return JSONResponse(await self._answer(body))

    async def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        method, params = message["method"], list(message.get("params", []))
        self.asked[method] = self.asked.get(method, 0) + 1
        try:
            outcome = await self._rule(method, params)
        except _Refused as refusal:
            self.refused.append(f"{method}: {refusal}")
            outcome = {"error": {"code": -32000, "message": str(refusal)}}
        return {"jsonrpc": "2.0", "id": message["id"], **outcome}

    async def _rule(self, method: str, params: list[Any]) -> dict[str, Any]:
        match method:
            case "eth_call":
                # Who calls is not proven, so it is nobody; values and gas of the call stay.
                params[0] = {**params[0], "from": NOBODY}
            case "eth_getTransactionCount":
                params[1] = "latest"
            case "eth_gasPrice":
                return {"result": hex(max(FLOOR_PRICE, int(await self._result(method, params), 16)))}
            case "eth_estimateGas":
                # Sender zero; a call that fails is not told, it only costs more.
                params[0] = {**params[0], "from": NOBODY}
                told = await self._upstream(method, params)
                return told if "result" in told else {"result": hex(FAILING_CALL_GAS)}
            case "eth_getLogs":
                await self._check_rounds(params[0])
            case "txpool_content":
                return {"result": {"pending": {}, "queued": {}}}
            case "eth_getTransactionByHash":
                found = await self._result(method, params)
                return {"result": found if found and found.get("blockNumber") else None}
            case "eth_sendRawTransaction":
                await self._check_transaction(bytes.fromhex(params[0][2:]))
        return await self._upstream(method, params)

    async def _check_rounds(self, wanted: dict[str, Any]) -> None:
        head = int(await self._result("eth_blockNumber", []), 16)
        first, last = (
            int(at, 16) if at.startswith("0x") else head for at in (wanted["fromBlock"], wanted["toBlock"])
        )
        # The gateway compares the difference, so that 101 rounds would pass; we stay below on purpose.
        if last - first > LOG_ROUNDS:
            raise _Refused(f"max allowed of rounds in logs query is: {LOG_ROUNDS}")

    async def _check_transaction(self, raw: bytes) -> None:
        if len(raw) > MAX_TRANSACTION_BYTES:
            raise _Refused("transaction too large")
        fields = rlp.decode(raw)
        nonce, price, v = (int.from_bytes(fields[place]) for place in (0, 1, 6))
        if v < 35:
            raise _Refused("only replay-protected (EIP-155) transactions allowed over RPC")
        if price < FLOOR_PRICE:
            raise _Refused("gas price too low")
        sender = Account.recover_transaction(raw)
        current = int(await self._result("eth_getTransactionCount", [sender, "latest"]), 16)
        if nonce < current:
            raise _Refused("nonce too low")
        if nonce > current + MAX_FUTURE_NONCES:
            raise _Refused("core: invalid nonce")

    async def _result(self, method: str, params: list[Any]) -> Any:
        return (await self._upstream(method, params))["result"]

    async def _upstream(self, method: str, params: list[Any]) -> dict[str, Any]:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = (await self._http.post("/", json=body)).json()
        return {name: answer[name] for name in ("result", "error") if name in answer}
