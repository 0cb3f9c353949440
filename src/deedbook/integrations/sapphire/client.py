"""Ethereum JSON-RPC over HTTP, as far as we need it. Every call has a timeout; every answer is checked."""

import re
from typing import Any

import httpx2

from deedbook.chain.errors import ChainUnavailable, TransactionReverted
from deedbook.chain.ports import LOG_ROUNDS
from deedbook.chain.terms import Call, Log, Receipt
from deedbook.identity.terms import Address
from deedbook.integrations.answers import Answer, NoAnswer, ask

MAX_ANSWER_BYTES = 16 * 1024 * 1024
MAX_LOGS = 10_000
MAX_TOPICS = 4
_BATCH = 50
_REVERTED = 3
"""The error code of an `eth_call` that the contract undid; older nodes say so only in words."""
_HAS_IT = ("already known", "alreadyknown", "already imported", "known transaction", "already exists")
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_HASH = re.compile(r"0x[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")


class _RpcError(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(_printable(str(error.get("message", ""))[:500]))
        self.code = error.get("code")
        self.data = _revert_data(error.get("data"))

    @property
    def is_revert(self) -> bool:
        return self.code == _REVERTED or "revert" in str(self).lower()


class SapphireClient:
    """A node at a URL. Implements the `Chain` port."""

    def __init__(
        self, url: str, timeout_s: float = 5.0, *, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        # The URL as it is: a base URL would gain a slash at its end, and with keys in the path that is another.
        self._url = url
        self._timeout_s = timeout_s
        self._http = httpx2.AsyncClient(timeout=timeout_s, trust_env=False, transport=transport)
        self._next_id = 0

    async def close(self) -> None:
        await self._http.aclose()

    async def chain_id(self) -> int:
        return _quantity(await self._ask("eth_chainId"))

    async def head(self) -> int:
        return _quantity(await self._ask("eth_blockNumber"))

    async def block_hash(self, number: int) -> str | None:
        block = await self._ask("eth_getBlockByNumber", hex(number), False)
        if block is None:
            return None
        if not isinstance(block, dict) or _quantity(block.get("number")) != number:
            raise ChainUnavailable("the node answered with another block")
        return _matching(_HASH, block.get("hash"))

    async def gas_price(self) -> int:
        return _quantity(await self._ask("eth_gasPrice"))

    async def nonce(self, wallet: Address) -> int:
        # "latest", not "pending": Sapphire's gateway has no pending state.
        return _quantity(await self._ask("eth_getTransactionCount", wallet, "latest"))

    async def code(self, address: Address) -> bytes:
        return _data(await self._ask("eth_getCode", address, "latest"))

    async def call(self, to: Address, data: bytes, block: int | None = None) -> bytes:
        at = "latest" if block is None else hex(block)
        for left in (2, 1, 0):
            try:
                return _data(await self._request("eth_call", {"to": to, "data": "0x" + data.hex()}, at))
            except _RpcError as error:
                if error.is_revert:
                    raise TransactionReverted(_reason(error)) from None
                # Anvil looks up "latest" first, and in that moment a new block may replace it.
                if not left or "BlockOutOfRange" not in str(error):
                    raise ChainUnavailable(f"eth_call: {error}") from None
        raise AssertionError("unreachable")

    async def send(self, raw: bytes) -> str | None:
        try:
            await self._request("eth_sendRawTransaction", "0x" + raw.hex())
        except _RpcError as error:
            words = str(error).lower()
            return None if any(known in words for known in _HAS_IT) else str(error)
        return None

    async def receipts(self, tx_hashes: list[str]) -> dict[str, Receipt]:
        found = {}
        for start in range(0, len(tx_hashes), _BATCH):
            batch = tx_hashes[start : start + _BATCH]
            answers = await self._batch([("eth_getTransactionReceipt", [tx_hash]) for tx_hash in batch])
            for tx_hash, answer in zip(batch, answers, strict=True):
                if answer is not None:
                    found[tx_hash] = _receipt(tx_hash, answer)
        return found

    async def logs(self, address: Address, topics: list[bytes], first: int, last: int) -> list[Log]:
        assert 0 <= last - first < LOG_ROUNDS, "more rounds than Sapphire searches at once"
        wanted = {
            "address": address,
            "topics": ["0x" + topic.hex() for topic in topics],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        answer = await self._ask("eth_getLogs", wanted)
        if not isinstance(answer, list) or len(answer) > MAX_LOGS:
            raise ChainUnavailable("the node answered no list of logs, or far too long a one")
        found = [_log(entry) for entry in answer]
        if any(log.address != address for log in found):
            raise ChainUnavailable("the node answered with another contract's log")
        return found

    async def revert_reason(self, wallet: Address, call: Call, block: int) -> str:
        asked = {
            "from": wallet,
            "gas": hex(call.gas),
            "data": "0x" + call.data.hex(),
            **({"to": call.to} if call.to else {}),
        }
        # Many nodes keep no state but the newest; most reasons still stand there.
        for at in (hex(block), "latest"):
            try:
                await self._request("eth_call", asked, at)
            except _RpcError as error:
                if error.is_revert:
                    return _reason(error)
            else:
                return "undone by the contract; the same call passes now"
        return "undone by the contract; the node gave no reason"

    async def _ask(self, method: str, *params: Any) -> Any:
        try:
            return await self._request(method, *params)
        except _RpcError as error:
            raise ChainUnavailable(f"{method}: {error}") from None

    async def _request(self, method: str, *params: Any) -> Any:
        message = self._message(method, list(params))
        return _result(await self._post(message), message["id"])

    async def _batch(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        messages = [self._message(method, params) for method, params in calls]
        body = await self._post(messages)
        if not isinstance(body, list) or len(body) != len(messages):
            raise ChainUnavailable("the node does not answer batches")
        answers = {
            entry["id"]: entry for entry in body if isinstance(entry, dict) and _is_id(entry.get("id"))
        }
        try:
            return [_result(answers.get(message["id"]), message["id"]) for message in messages]
        except _RpcError as error:
            raise ChainUnavailable(f"the node answered a batch badly: {error}") from None

    def _message(self, method: str, params: list[Any]) -> dict[str, Any]:
        self._next_id += 1
        return {"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params}

    async def _post(self, body: Any) -> Any:
        try:
            answer: Answer = await ask(
                self._http,
                "POST",
                self._url,
                within_s=self._timeout_s * 2,
                at_most=MAX_ANSWER_BYTES,
                json=body,
            )
            if answer.status != 200:
                raise ChainUnavailable(f"the node answered {answer.status}")
            return answer.json()
        except NoAnswer as nothing:
            raise ChainUnavailable(f"the node: {nothing}") from None


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _result(body: Any, message_id: int) -> Any:
    if not isinstance(body, dict):
        raise ChainUnavailable("the node answered something that is no JSON-RPC")
    if isinstance(body.get("error"), dict):
        raise _RpcError(body["error"])
    if "result" not in body or body.get("id") != message_id:
        raise ChainUnavailable("the node answered something that is no JSON-RPC, or another question")
    return body["result"]


def _quantity(value: Any) -> int:
    return int(_matching(_QUANTITY, value), 16)


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value.lower()):
        raise ChainUnavailable("the node answered something that is no number, hash or address")
    return value.lower()


def _data(value: Any) -> bytes:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ChainUnavailable("the node answered something that is no data")
    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        raise ChainUnavailable("the node answered something that is no data") from None


def _receipt(tx_hash: str, answer: Any) -> Receipt:
    if not isinstance(answer, dict) or answer.get("transactionHash") != tx_hash:
        raise ChainUnavailable("the node answered with another transaction's receipt")
    created, logs = answer.get("contractAddress"), answer.get("logs", [])
    if not isinstance(logs, list) or len(logs) > MAX_LOGS:
        raise ChainUnavailable(
            "the node answered a receipt without a list of logs, or with far too long a one"
        )
    return Receipt(
        tx_hash=tx_hash,
        block_number=_quantity(answer.get("blockNumber")),
        block_hash=_matching(_HASH, answer.get("blockHash")),
        succeeded=_quantity(answer.get("status")) == 1,
        gas_used=_quantity(answer.get("gasUsed")),
        contract_address=Address(_matching(_ADDRESS, created)) if created is not None else None,
        logs=tuple(_log(entry) for entry in logs),
    )


def _log(entry: Any) -> Log:
    topics = entry.get("topics") if isinstance(entry, dict) else None
    if not isinstance(topics, list) or len(topics) > MAX_TOPICS or entry.get("removed") is True:
        raise ChainUnavailable("the node answered something that is no log")
    return Log(
        tx_hash=_matching(_HASH, entry.get("transactionHash")),
        block_number=_quantity(entry.get("blockNumber")),
        block_hash=_matching(_HASH, entry.get("blockHash")),
        log_index=_quantity(entry.get("logIndex")),
        address=Address(_matching(_ADDRESS, entry.get("address"))),
        topics=tuple(bytes.fromhex(_matching(_HASH, topic)[2:]) for topic in topics),
        data=_data(entry.get("data")),
    )


def _revert_data(value: Any) -> bytes:
    try:
        return bytes.fromhex(str(value).removeprefix("0x"))
    except ValueError:
        return b""


def _reason(error: _RpcError) -> str:
    # Imported here: processes that only read the chain do without the Ethereum libraries.
    from deedbook.integrations.sapphire.refusals import in_words

    if not error.data:
        return str(error)
    told = f"execution reverted: {in_words(error.data) or '0x' + error.data[:128].hex()}"
    return _printable(told[:500])


def _printable(text: str) -> str:
    """Words of a node or a foreign contract as they may be stored and shown: no NUL, no half surrogates."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
