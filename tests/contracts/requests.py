"""What accounts sign, made by eth-account alone, and the shapes of signatures that must not pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_keys.constants import SECPK1_N

from .evm import CHAIN_ID, Wallet, keccak
from .world import World

TYPES = {
    "Deposit": "address trader,address token,string amount,string nonce,uint256 expiry",
    "Withdrawal": "address trader,address token,string amount,address destination,string nonce,uint256 expiry",
    "Transfer": "address from,address token,string amount,address to,string nonce,uint256 expiry",
    "Order": (
        "address trader,string tradingPairId,string side,string orderType,string timeInForce,bool postOnly,"
        "string selfTrade,string quantity,string price,string stopPrice,uint32 maxFeeBps,string clientOrderId,"
        "string nonce,uint256 expiry"
    ),
    "Swap": (
        "address trader,string tradingPairId,string side,string amountIn,string minAmountOut,uint32 maxFeeBps,"
        "string nonce,uint256 expiry"
    ),
}
CARRIED_OUT_BY = {"Deposit": "depositFor", "Withdrawal": "withdraw", "Transfer": "transfer"}
HOUR = 3600


@dataclass(frozen=True)
class Request:
    """A request under its domain. `values` stand in the order of its type's fields."""

    kind: str
    values: tuple[Any, ...]
    contract: str
    chain_id: int = CHAIN_ID
    name: str = "Deedbook"
    version: str = "1"

    @property
    def carried_out_by(self) -> str:
        return CARRIED_OUT_BY[self.kind]

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for _, name in self._typed_fields())

    @property
    def digest(self) -> bytes:
        message = self._message()
        return keccak(b"\x19" + message.version + message.header + message.body)

    def signed_by(self, wallet: Wallet) -> bytes:
        return bytes(Account.sign_message(self._message(), wallet.key).signature)

    def changed(self, field: str, value: Any) -> Request:
        values = [value if name == field else old for name, old in zip(self.fields, self.values, strict=True)]
        return replace(self, values=tuple(values))

    def _typed_fields(self) -> list[tuple[str, str]]:
        pairs = [field.split(" ") for field in TYPES[self.kind].split(",")]
        return [(kind, name) for kind, name in pairs]

    def _message(self) -> SignableMessage:
        domain = {
            "name": self.name,
            "version": self.version,
            "chainId": self.chain_id,
            "verifyingContract": self.contract,
        }
        types = {self.kind: [{"name": name, "type": kind} for kind, name in self._typed_fields()]}
        return encode_typed_data(domain, types, dict(zip(self.fields, self.values, strict=True)))


def deposit(world: World, trader: str, token: str, amount: str, nonce: str = "1") -> Request:
    values = (trader, token, amount, nonce, world.evm.now() + HOUR)
    return Request("Deposit", values, world.settlement.address)


def withdrawal(
    world: World, trader: str, token: str, amount: str, destination: str, nonce: str = "1"
) -> Request:
    values = (trader, token, amount, destination, nonce, world.evm.now() + HOUR)
    return Request("Withdrawal", values, world.settlement.address)


def transfer(world: World, from_: str, token: str, amount: str, to: str, nonce: str = "1") -> Request:
    values = (from_, token, amount, to, nonce, world.evm.now() + HOUR)
    return Request("Transfer", values, world.settlement.address)


def high_s(signature: bytes) -> bytes:
    """The other signature by the same key over the same digest."""
    s: int = SECPK1_N - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([27 + 28 - signature[64]])


def compact(signature: bytes) -> bytes:
    """The 64 bytes of ERC-2098."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return signature[:32] + s.to_bytes(32, "big")


def with_v(signature: bytes, v: int) -> bytes:
    return signature[:64] + bytes([v])
