"""Ethereum JSON-RPC over HTTP, as far as we need it. Every call has a timeout; every answer is checked."""

from typing import Any

import httpx2

from deedbook.chain.errors import ChainUnavailable, TransactionReverted
from deedbook.chain.terms import Receipt
from deedbook.identity.terms import Address

MAX_ANSWER_BYTES = 16 * 1024 * 1024
_HAS_IT = ("already known", "already imported", "known transaction", "already exists")
_BATCH = 50


class _RpcError(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error.get("message", "")))
        self.data = error.get("data")


class SapphireClient:
    """A node at a URL. Implements the `Chain` port."""

    def __init__(self, url: str, timeout_s: float = 5.0) -> None:
        self._http = httpx2.AsyncClient(base_url=url, timeout=timeout_s, trust_env=False)
        self._next_id = 0

    async def close(self) -> None:
        await self._http.aclose()

    async def chain_id(self) -> int:
        return _quantity(await self._ask("eth_chainId"))

    async def head(self) -> int:
        return _quantity(await self._ask("eth_blockNumber"))

    async def block_hash(self, number: int) -> str | None:
        block = await self._ask("eth_getBlockByNumber", hex(number), False)
        return str(block["hash"]) if isinstance(block, dict) else None

    async def gas_price(self) -> int:
        return _quantity(await self._ask("eth_gasPrice"))

    async def nonce(self, wallet: Address) -> int:
        # "latest", not "pending": Sapphire's gateway has no pending state.
        return _quantity(await self._ask("eth_getTransactionCount", wallet, "latest"))

    async def code(self, address: Address) -> bytes:
        return _data(await self._ask("eth_getCode", address, "latest"))

    async def call(self, to: Address, data: bytes) -> bytes:
        try:
            return _data(await self._request("eth_call", {"to": to, "data": "0x" + data.hex()}, "latest"))
        except _RpcError as error:
            raise TransactionReverted(_reason(error)) from None

    async def send(self, raw: bytes) -> str | None:
        try:
            await self._request("eth_sendRawTransaction", "0x" + raw.hex())
        except _RpcError as error:
            words = str(error).lower()
            return None if any(known in words for known in _HAS_IT) else str(error)[:500]
        return None

    async def receipts(self, tx_hashes: list[str]) -> dict[str, Receipt]:
        found = {}
        for start in range(0, len(tx_hashes), _BATCH):
            batch = tx_hashes[start : start + _BATCH]
            answers = await self._batch([("eth_getTransactionReceipt", [tx_hash]) for tx_hash in batch])
            for tx_hash, answer in zip(batch, answers, strict=True):
                if isinstance(answer, dict):
                    found[tx_hash] = _receipt(tx_hash, answer)
        return found

    async def revert_reason(self, wallet: Address, to: Address | None, data: bytes, block: int) -> str:
        call = {"from": wallet, "data": "0x" + data.hex(), **({"to": to} if to else {})}
        try:
            await self._request("eth_call", call, hex(block))
        except _RpcError as error:
            return _reason(error)
        return "undone on the chain; the same call passes now (out of gas, or the state has changed)"

    async def _ask(self, method: str, *params: Any) -> Any:
        try:
            return await self._request(method, *params)
        except _RpcError as error:
            raise ChainUnavailable(f"{method}: {error}"[:500]) from None

    async def _request(self, method: str, *params: Any) -> Any:
        body = await self._post(self._message(method, list(params)))
        if not isinstance(body, dict):
            raise ChainUnavailable("the node answered something that is no JSON-RPC")
        return _result(body)

    async def _batch(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        messages = [self._message(method, params) for method, params in calls]
        body = await self._post(messages)
        if not isinstance(body, list) or len(body) != len(messages):
            raise ChainUnavailable("the node does not answer batches")
        by_id = {entry.get("id"): entry for entry in body if isinstance(entry, dict)}
        try:
            return [_result(by_id[message["id"]]) for message in messages]
        except (KeyError, _RpcError) as error:
            raise ChainUnavailable(f"the node answered a batch badly: {error}"[:500]) from None

    def _message(self, method: str, params: list[Any]) -> dict[str, Any]:
        self._next_id += 1
        return {"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params}

    async def _post(self, body: Any) -> Any:
        try:
            response = await self._http.post("", json=body)
            if response.status_code != 200 or len(response.content) > MAX_ANSWER_BYTES:
                raise ChainUnavailable(f"the node answered {response.status_code}")
            return response.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise ChainUnavailable(f"the node does not answer: {type(error).__name__}") from error


def _result(body: dict[str, Any]) -> Any:
    if "error" in body and isinstance(body["error"], dict):
        raise _RpcError(body["error"])
    if "result" not in body:
        raise ChainUnavailable("the node answered something that is no JSON-RPC")
    return body["result"]


def _quantity(value: Any) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise ChainUnavailable("the node answered something that is no number") from None


def _data(value: Any) -> bytes:
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except (AttributeError, ValueError):
        raise ChainUnavailable("the node answered something that is no data") from None


def _receipt(tx_hash: str, answer: dict[str, Any]) -> Receipt:
    if answer.get("transactionHash") != tx_hash:
        raise ChainUnavailable("the node answered with another transaction's receipt")
    created = answer.get("contractAddress")
    return Receipt(
        tx_hash=tx_hash,
        block_number=_quantity(answer.get("blockNumber")),
        block_hash=str(answer.get("blockHash")),
        succeeded=_quantity(answer.get("status")) == 1,
        gas_used=_quantity(answer.get("gasUsed")),
        contract_address=Address(created.lower()) if isinstance(created, str) else None,
    )


def _reason(error: _RpcError) -> str:
    data = f" ({error.data[:300]})" if isinstance(error.data, str) and error.data != "0x" else ""
    return f"{error}{data}"[:500]
