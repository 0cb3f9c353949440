"""A chain to test contracts on: raw JSON-RPC, one transaction a block, answers as plain values.

It is not the platform's chain client; it knows every artifact, so it can name any refusal or event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
from eth_abi.abi import decode, encode
from eth_account import Account
from sha3 import keccak_256

ROOT = Path(__file__).resolve().parents[2]
PACKAGE_ARTIFACTS = ROOT / "src/deedbook/integrations/sapphire/abi"
TEST_ARTIFACTS = Path(__file__).resolve().parent / "artifacts"

CHAIN_ID = 31337
GAS_LIMIT = 12_000_000
GAS_PRICE = 100 * 10**9
PURSE = hex(10**24)


@dataclass(frozen=True)
class Artifact:
    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes

    def entries(self, kind: str) -> Iterator[dict[str, Any]]:
        return (entry for entry in self.abi if entry["type"] == kind)

    def function(self, name: str) -> dict[str, Any]:
        return next(entry for entry in self.entries("function") if entry["name"] == name)

    def constructor_types(self) -> list[str]:
        return [abi_type(item) for entry in self.entries("constructor") for item in entry["inputs"]]


@dataclass(frozen=True)
class Wallet:
    address: str
    key: bytes


@dataclass(frozen=True)
class Refusal:
    name: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Event:
    name: str
    contract: str
    args: tuple[Any, ...]


@dataclass(frozen=True)
class RawLog:
    contract: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Receipt:
    gas_used: int
    contract_address: str | None
    events: tuple[Event, ...]
    logs: tuple[RawLog, ...]

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [event.args for event in self.events if event.name == name]


class CallRefused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class Evm:
    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx2.Client(base_url=url, timeout=20)

    def close(self) -> None:
        self._client.close()

    def rpc(self, method: str, *params: object) -> Any:
        answer = self.answer(method, *params)
        if "error" not in answer:
            return answer["result"]
        data = answer["error"].get("data")
        if isinstance(data, str) and data != "0x":
            raise CallRefused(decode_refusal(bytes.fromhex(data[2:])))
        raise RuntimeError(answer["error"])

    def answer(self, method: str, *params: object) -> dict[str, Any]:
        """As the node gives it, errors too."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer: dict[str, Any] = self._client.post("/", json=body).json()
        return answer

    def wallet(self) -> Wallet:
        account = Account.create()
        address = str(account.address).lower()
        self.rpc("anvil_setBalance", address, PURSE)
        return Wallet(address, bytes(account.key))

    def send(self, sender: Wallet, data: bytes, to: str | None = None, gas: int = GAS_LIMIT) -> Receipt:
        nonce = int(self.rpc("eth_getTransactionCount", sender.address, "latest"), 16)
        transaction = {
            "data": data,
            "gas": gas,
            "gasPrice": GAS_PRICE,
            "nonce": nonce,
            "chainId": CHAIN_ID,
            "value": 0,
        }
        if to is not None:
            transaction["to"] = bytes.fromhex(to[2:])
        signed = Account.sign_transaction(transaction, sender.key)
        return self._mined(self.rpc("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex()))

    def send_as(self, sender: str, data: bytes, to: str) -> Receipt:
        """Send as a contract, which has no key."""
        self.rpc("anvil_setBalance", sender, PURSE)
        self.rpc("anvil_impersonateAccount", sender)
        call = {"from": sender, "to": to, "data": "0x" + data.hex(), "gas": hex(GAS_LIMIT)}
        return self._mined(self.rpc("eth_sendTransaction", call))

    def deploy(self, sender: Wallet, name: str, *args: object) -> Contract:
        artifact = artifact_of(name)
        arguments: bytes = encode(artifact.constructor_types(), args)
        receipt = self.send(sender, artifact.bytecode + arguments)
        assert receipt.contract_address is not None
        return Contract(self, receipt.contract_address, artifact)

    def at(self, address: str, name: str) -> Contract:
        return Contract(self, address, artifact_of(name))

    def code(self, address: str) -> bytes:
        return bytes.fromhex(self.rpc("eth_getCode", address, "latest")[2:])

    def now(self) -> int:
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def travel(self, timestamp: int) -> None:
        self.rpc("evm_setNextBlockTimestamp", timestamp)
        self.rpc("evm_mine")
        assert self.now() == timestamp

    def _mined(self, transaction_hash: str) -> Receipt:
        self.rpc("evm_mine")
        receipt = self.rpc("eth_getTransactionReceipt", transaction_hash)
        assert receipt["status"] == "0x1", "reverted; ask Contract.refusal for the reason"
        events = tuple(event for log in receipt["logs"] if (event := decode_event(log)) is not None)
        logs = tuple(_raw_log(log) for log in receipt["logs"])
        return Receipt(int(receipt["gasUsed"], 16), receipt["contractAddress"], events, logs)


@dataclass(frozen=True)
class Contract:
    evm: Evm
    address: str
    artifact: Artifact

    def read(self, function: str, *args: object) -> Any:
        """Ask as nobody: on Sapphire an unsigned call has no sender, so every view must answer like this."""
        return self._call({}, function, args)

    def send(self, sender: Wallet, function: str, *args: object) -> Receipt:
        return self.evm.send(sender, self.calldata(function, *args), self.address)

    def refusal(self, sender: Wallet, function: str, *args: object) -> Refusal:
        try:
            answer = self._call({"from": sender.address}, function, args)
        except CallRefused as refused:
            return refused.refusal
        raise AssertionError(f"{function} was not refused but answered {answer!r}")

    def calldata(self, function: str, *args: object) -> bytes:
        entry = self.artifact.function(function)
        types = [abi_type(item) for item in entry["inputs"]]
        arguments: bytes = encode(types, args)
        return keccak(signature(entry))[:4] + arguments

    def _call(self, fields: dict[str, str], function: str, args: Sequence[object]) -> Any:
        call = {**fields, "to": self.address, "data": "0x" + self.calldata(function, *args).hex()}
        return self.decoded(function, self.evm.rpc("eth_call", call, "latest"))

    def decoded(self, function: str, answer: str) -> Any:
        types = [abi_type(item) for item in self.artifact.function(function)["outputs"]]
        values = tuple(decode(types, bytes.fromhex(answer[2:])))
        return values[0] if len(values) == 1 else values


def keccak(data: bytes) -> bytes:
    return bytes(keccak_256(data).digest())


def role(name: str) -> bytes:
    return keccak(name.encode())


def abi_type(item: dict[str, Any]) -> str:
    kind = str(item["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(abi_type(part) for part in item['components'])}){kind.removeprefix('tuple')}"


def signature(entry: dict[str, Any]) -> bytes:
    return f"{entry['name']}({','.join(abi_type(item) for item in entry['inputs'])})".encode()


@cache
def artifact_of(name: str) -> Artifact:
    folder = next(
        folder for folder in (PACKAGE_ARTIFACTS, TEST_ARTIFACTS) if (folder / f"{name}.json").exists()
    )
    content = json.loads((folder / f"{name}.json").read_text())
    return Artifact(name, tuple(content["abi"]), bytes.fromhex(content["bytecode"][2:]))


@cache
def all_artifacts() -> tuple[Artifact, ...]:
    files = [*PACKAGE_ARTIFACTS.glob("*.json"), *TEST_ARTIFACTS.glob("*.json")]
    return tuple(artifact_of(file.stem) for file in sorted(files))


@cache
def _entries(kind: str) -> dict[bytes, dict[str, Any]]:
    return {
        keccak(signature(entry)): entry for artifact in all_artifacts() for entry in artifact.entries(kind)
    }


def decode_refusal(data: bytes) -> Refusal:
    for selector, entry in _entries("error").items():
        if data[:4] == selector[:4]:
            types = [abi_type(item) for item in entry["inputs"]]
            return Refusal(entry["name"], tuple(decode(types, data[4:])))
    if data[:4] == keccak(b"Panic(uint256)")[:4]:
        return Refusal("Panic", (int.from_bytes(data[4:], "big"),))
    raise AssertionError(f"a refusal no artifact declares: {data.hex()}")


def _raw_log(log: dict[str, Any]) -> RawLog:
    topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
    return RawLog(log["address"], topics, bytes.fromhex(log["data"][2:]))


def decode_event(log: dict[str, Any]) -> Event | None:
    entry = _entries("event").get(bytes.fromhex(log["topics"][0][2:]))
    if entry is None:
        return None
    topics = iter(bytes.fromhex(topic[2:]) for topic in log["topics"][1:])
    plain = [abi_type(item) for item in entry["inputs"] if not item["indexed"]]
    values = iter(decode(plain, bytes.fromhex(log["data"][2:])))
    args = [
        decode([abi_type(item)], next(topics))[0] if item["indexed"] else next(values)
        for item in entry["inputs"]
    ]
    return Event(entry["name"], log["address"], tuple(args))
