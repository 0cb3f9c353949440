"""JSON-RPC over the chain in memory: the methods that programs ask of a node, in the words of the Ethereum JSON-RPC."""

from collections.abc import Callable, Sequence
from typing import Any

from eth_keys import keys
from eth_utils.address import to_checksum_address
from eth_utils.exceptions import ValidationError

from deedbook.infra.embedded.evm.chain import GAS_LIMIT, TIP, Asked, EvmChain, Mined, Refused

INVALID, UNKNOWN_METHOD = -32602, -32601
MAX_BATCH = 200
MAX_BLOCKS = 10_000
Method = Callable[..., Any]


class Node:
    """Answers messages, one at a time."""

    def __init__(self, chain: EvmChain, rich: tuple[str, ...]) -> None:
        self._chain = chain
        opened = [keys.PrivateKey(bytes.fromhex(key.removeprefix("0x"))) for key in rich]
        self._accounts = [to_checksum_address(key.public_key.to_canonical_address()) for key in opened]
        self._methods: dict[str, Method] = {
            "eth_chainId": lambda: hex(chain.chain_id),
            "net_version": lambda: str(chain.chain_id),
            "web3_clientVersion": lambda: "deedbook/py-evm",
            "eth_syncing": lambda: False,
            "eth_accounts": lambda: self._accounts,
            "eth_blockNumber": lambda: hex(chain.head),
            "eth_gasPrice": lambda: hex(chain.base_fee + TIP),
            "eth_maxPriorityFeePerGas": lambda: hex(TIP),
            "eth_feeHistory": self._fee_history,
            "eth_getBlockByNumber": self._block,
            "eth_getBlockByHash": self._block_of_hash,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_getTransactionCount": self._nonce,
            "eth_getBalance": lambda account, at="latest": hex(self._state(at).get_balance(_bytes(account))),
            "eth_getCode": lambda account, at="latest": _hex(self._state(at).get_code(_bytes(account))),
            "eth_getStorageAt": self._storage,
            "eth_getLogs": self._logs,
            "eth_call": lambda asked, at="latest": _hex(chain.call(_asked(asked), self._number(at))),
            "eth_estimateGas": lambda asked, at="latest": hex(
                chain.estimate(_asked(asked), self._number(at))
            ),
            "eth_sendRawTransaction": lambda raw: _hex(chain.submit(_bytes(raw))),
            "txpool_status": lambda: {"pending": hex(chain.waiting), "queued": "0x0"},
            "evm_mine": self._mine,
            "anvil_setBalance": self._set_balance,
        }

    def answer(self, message: Any) -> Any:
        """What is answered to a message, or to a batch of them."""
        if not isinstance(message, list):
            return self._answer_one(message)
        if not 0 < len(message) <= MAX_BATCH:
            return _error(None, Refused(f"a batch has 1 to {MAX_BATCH} messages", code=-32600))
        return [self._answer_one(one) for one in message]

    def _answer_one(self, message: Any) -> dict[str, Any]:
        told = message if isinstance(message, dict) else {}
        number, name, params = told.get("id"), told.get("method"), told.get("params", [])
        method = self._methods.get(name) if isinstance(name, str) else None
        if method is None or not isinstance(params, list):
            return _error(number, Refused(f"the method {str(name)[:64]} is not here", code=UNKNOWN_METHOD))
        try:
            return {"jsonrpc": "2.0", "id": number, "result": method(*params)}
        except Refused as refused:
            return _error(number, refused)
        except (TypeError, ValueError, KeyError, ValidationError) as error:
            return _error(number, Refused(f"{name}: {type(error).__name__}", code=INVALID))

    # What is asked

    def _number(self, at: Any) -> int:
        """The number of the block that is meant."""
        if at in ("latest", "pending", "safe", "finalized"):
            return self._chain.head
        number = 0 if at == "earliest" else int(at, 16)
        if not 0 <= number <= self._chain.head:
            raise Refused("header not found")
        return number

    def _state(self, at: Any) -> Any:
        return self._chain.state(self._number(at))

    def _nonce(self, account: str, at: Any = "latest") -> str:
        return hex(self._state(at).get_nonce(_bytes(account)))

    def _storage(self, account: str, slot: str, at: Any = "latest") -> str:
        return f"0x{self._state(at).get_storage(_bytes(account), int(slot, 16)):064x}"

    def _block(self, at: Any, whole: bool = False) -> dict[str, Any] | None:
        try:
            number = self._number(at)
        except Refused:
            return None
        header, inside = self._chain.header(number), self._chain.transactions_in(number)
        return {
            "number": hex(number),
            "hash": _hex(header.hash),
            "parentHash": _hex(header.parent_hash),
            "timestamp": hex(header.timestamp),
            "gasLimit": hex(header.gas_limit),
            "gasUsed": hex(header.gas_used),
            "baseFeePerGas": hex(header.base_fee_per_gas),
            "stateRoot": _hex(header.state_root),
            "transactionsRoot": _hex(header.transaction_root),
            "receiptsRoot": _hex(header.receipt_root),
            "miner": to_checksum_address(header.coinbase),
            "difficulty": "0x0",
            "extraData": _hex(header.extra_data),
            "logsBloom": f"0x{header.bloom:0512x}",
            "mixHash": _hex(header.mix_hash),
            "nonce": _hex(header.nonce),
            "sha3Uncles": _hex(header.uncles_hash),
            "size": "0x0",
            "uncles": [],
            "transactions": [
                self._shown(one.transaction, one) if whole else _hex(one.transaction.hash) for one in inside
            ],
        }

    def _block_of_hash(self, wanted: str, whole: bool = False) -> dict[str, Any] | None:
        for number in range(self._chain.head, max(-1, self._chain.head - MAX_BLOCKS), -1):
            if _hex(self._chain.header(number).hash) == wanted:
                return self._block(hex(number), whole)
        return None

    def _transaction(self, wanted: str) -> dict[str, Any] | None:
        mined = self._chain.mined(_bytes(wanted))
        if mined is not None:
            return self._shown(mined.transaction, mined)
        waiting = self._chain.waiting_transaction(_bytes(wanted))
        return self._shown(waiting, None) if waiting is not None else None

    def _receipt(self, wanted: str) -> dict[str, Any] | None:
        mined = self._chain.mined(_bytes(wanted))
        if mined is None:
            return None
        transaction, created = mined.transaction, not mined.transaction.to
        return {
            **self._place(mined),
            "type": hex(getattr(transaction, "type_id", None) or 0),
            "from": to_checksum_address(transaction.sender),
            "to": None if created else to_checksum_address(transaction.to),
            "contractAddress": _created(transaction) if created else None,
            "status": "0x1" if mined.receipt.state_root == b"\x01" else "0x0",
            "gasUsed": hex(mined.gas_used),
            "cumulativeGasUsed": hex(mined.receipt.gas_used),
            "effectiveGasPrice": hex(self._paid(mined)),
            "logsBloom": f"0x{mined.receipt.bloom:0512x}",
            "logs": self._logs_of(mined),
        }

    def _logs(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        first = self._number(wanted.get("fromBlock", "latest"))
        last = min(self._chain.head, int(wanted["toBlock"], 16)) if _is_number(wanted) else self._chain.head
        accounts = _choices(wanted.get("address"))
        topics = [_choices(topic) for topic in wanted.get("topics", [])]
        if last - first >= MAX_BLOCKS:
            raise Refused("too many blocks at once", code=INVALID)
        return [
            log
            for number in range(first, last + 1)
            for mined in self._chain.transactions_in(number)
            for log in self._logs_of(mined)
            if (accounts is None or log["address"].lower() in accounts) and _matches(log["topics"], topics)
        ]

    def _logs_of(self, mined: Mined) -> list[dict[str, Any]]:
        place = self._place(mined)
        return [
            {
                **place,
                "logIndex": hex(mined.first_log + index),
                "address": to_checksum_address(log.address),
                "topics": [f"0x{topic:064x}" for topic in log.topics],
                "data": _hex(log.data),
                "removed": False,
            }
            for index, log in enumerate(mined.receipt.logs)
        ]

    def _place(self, mined: Mined) -> dict[str, Any]:
        return {
            "transactionHash": _hex(mined.transaction.hash),
            "transactionIndex": hex(mined.index),
            "blockNumber": hex(mined.block_number),
            "blockHash": _hex(self._chain.header(mined.block_number).hash),
        }

    def _shown(self, transaction: Any, mined: Mined | None) -> dict[str, Any]:
        place = (
            self._place(mined) if mined else dict.fromkeys(("blockNumber", "blockHash", "transactionIndex"))
        )
        place.pop("transactionHash", None)
        return {
            **place,
            "hash": _hex(transaction.hash),
            "type": hex(getattr(transaction, "type_id", None) or 0),
            "nonce": hex(transaction.nonce),
            "from": to_checksum_address(transaction.sender),
            "to": to_checksum_address(transaction.to) if transaction.to else None,
            "value": hex(transaction.value),
            "gas": hex(transaction.gas),
            "gasPrice": hex(self._paid(mined) if mined else transaction.max_fee_per_gas),
            "input": _hex(transaction.data),
            "chainId": hex(self._chain.chain_id),
        }

    def _paid(self, mined: Mined) -> int:
        base_fee, transaction = self._chain.header(mined.block_number).base_fee_per_gas, mined.transaction
        return int(min(transaction.max_fee_per_gas, transaction.max_priority_fee_per_gas + base_fee))

    def _fee_history(
        self, count: str, newest: Any = "latest", rewards: Sequence[float] = ()
    ) -> dict[str, Any]:
        last = self._number(newest)
        first = max(0, last - min(int(count, 16), 1024) + 1)
        headers = [self._chain.header(number) for number in range(first, last + 1)]
        fees = [header.base_fee_per_gas for header in headers]
        return {
            "oldestBlock": hex(first),
            "baseFeePerGas": [hex(fee) for fee in (*fees, self._chain.base_fee)],
            "gasUsedRatio": [header.gas_used / GAS_LIMIT for header in headers],
            "reward": [[hex(TIP) for _ in rewards] for _ in headers],
        }

    # What is done

    def _mine(self) -> str:
        self._chain.mine()
        return "0x0"

    def _set_balance(self, account: str, balance: str) -> None:
        self._chain.set_balance(_bytes(account), int(balance, 16))


def _asked(told: dict[str, Any]) -> Asked:
    return Asked(
        sender=_bytes(told.get("from") or "0x" + "00" * 20),
        to=_bytes(told.get("to") or "0x"),
        data=_bytes(told.get("data") or told.get("input") or "0x"),
        value=int(told.get("value") or "0x0", 16),
        gas=min(int(told.get("gas") or hex(GAS_LIMIT), 16), GAS_LIMIT),
    )


def _bytes(text: str) -> bytes:
    if not text.startswith("0x"):
        raise ValueError("hex begins with 0x")
    return bytes.fromhex(text[2:])


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _choices(told: Any) -> set[str] | None:
    """The values of which one is wanted; `None` where any will do."""
    if told is None or told == []:
        return None
    return {one.lower() for one in ([told] if isinstance(told, str) else told)}


def _matches(topics: list[str], wanted: list[set[str] | None]) -> bool:
    if len(wanted) > len(topics):
        return False
    return all(some is None or topic in some for topic, some in zip(topics, wanted, strict=False))


def _is_number(wanted: dict[str, Any]) -> bool:
    return str(wanted.get("toBlock", "latest")).startswith("0x")


def _created(transaction: Any) -> str:
    from eth._utils.address import generate_contract_address

    return to_checksum_address(generate_contract_address(transaction.sender, transaction.nonce))


def _error(number: Any, refused: Refused) -> dict[str, Any]:
    told: dict[str, Any] = {"code": refused.code, "message": str(refused)}
    if refused.data is not None:
        told["data"] = _hex(refused.data)
    return {"jsonrpc": "2.0", "id": number, "error": told}
