"""EIP-712 typed data: what accounts sign when they commit money. Pure, and on the hot path.

The fields are the request's own, as readable text, so that a wallet shows what will happen; the settlement
contract hashes and parses the very same text. Type hashes are computed once, domain separators once a domain.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deedbook.identity.signatures import checksum_address, keccak
from deedbook.identity.terms import Address

NAME, VERSION = "Deedbook", "1"
_DOMAIN_TYPE = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_WORD = 32
_FALSE, _TRUE = bytes(_WORD), bytes(_WORD - 1) + b"\1"


@dataclass(frozen=True)
class Domain:
    """Where a signature holds: one chain, one settlement contract. Anywhere else it is worth nothing."""

    chain_id: int
    verifying_contract: Address

    def as_wire(self) -> dict[str, Any]:
        """As wallets take it (`eth_signTypedData_v4`)."""
        return {
            "name": NAME,
            "version": VERSION,
            "chainId": self.chain_id,
            "verifyingContract": checksum_address(self.verifying_contract),
        }


@functools.lru_cache(maxsize=8)
def domain_separator(domain: Domain) -> bytes:
    return keccak(
        _DOMAIN_TYPE
        + keccak(NAME.encode())
        + keccak(VERSION.encode())
        + domain.chain_id.to_bytes(_WORD, "big")
        + bytes.fromhex(domain.verifying_contract[2:]).rjust(_WORD, b"\0")
    )


@functools.lru_cache(maxsize=16_384)
def _hashed(text: str) -> bytes:
    """Most texts are the same few in every order: sides, types, symbols, prices."""
    return keccak(text.encode())


@functools.lru_cache(maxsize=16_384)
def _address(value: str) -> bytes:
    return bytes.fromhex(value[2:]).rjust(_WORD, b"\0")


def _bool(value: bool) -> bytes:
    return _TRUE if value else _FALSE


def _uint32(value: int) -> bytes:
    assert 0 <= value < 1 << 32
    return value.to_bytes(_WORD, "big")


def _uint256(value: int) -> bytes:
    return value.to_bytes(_WORD, "big")  # It refuses what is negative or longer.


_ENCODERS: Mapping[str, Callable[[Any], bytes]] = {
    "string": _hashed,
    "address": _address,
    "bool": _bool,
    "uint32": _uint32,
    "uint256": _uint256,
}


class Struct:
    """A type that is signed: its name and its fields in their order."""

    def __init__(self, name: str, fields: Sequence[tuple[str, str]]) -> None:
        self.name = name
        self.fields = tuple(fields)
        text = f"{name}({','.join(f'{kind} {field}' for field, kind in self.fields)})"
        self.type_hash = keccak(text.encode())
        self._encoders = tuple((field, _ENCODERS[kind]) for field, kind in self.fields)

    def digest(self, domain: Domain, values: Mapping[str, Any]) -> bytes:
        """The 32 bytes that are signed. `values` has every field: text, canonical addresses, whole numbers."""
        assert len(values) == len(self.fields), f"{self.name} has other fields"
        encoded = [self.type_hash]
        encoded += [encode(values[field]) for field, encode in self._encoders]
        return keccak(b"\x19\x01" + domain_separator(domain) + keccak(b"".join(encoded)))

    def as_wire(self) -> list[dict[str, str]]:
        """The type as wallets take it."""
        return [{"name": field, "type": kind} for field, kind in self.fields]


DEPOSIT = Struct(
    "Deposit",
    [
        ("trader", "address"),
        ("token", "address"),
        ("amount", "string"),
        ("nonce", "string"),
        ("expiry", "uint256"),
    ],
)
WITHDRAWAL = Struct(
    "Withdrawal",
    [
        ("trader", "address"),
        ("token", "address"),
        ("amount", "string"),
        ("destination", "address"),
        ("nonce", "string"),
        ("expiry", "uint256"),
    ],
)
TRANSFER = Struct(
    "Transfer",
    [
        ("from", "address"),
        ("token", "address"),
        ("amount", "string"),
        ("to", "address"),
        ("nonce", "string"),
        ("expiry", "uint256"),
    ],
)
ORDER = Struct(
    "Order",
    [
        ("trader", "address"),
        ("tradingPairId", "string"),
        ("side", "string"),
        ("orderType", "string"),
        ("timeInForce", "string"),
        ("postOnly", "bool"),
        ("selfTrade", "string"),
        ("quantity", "string"),
        ("price", "string"),
        ("stopPrice", "string"),
        ("maxFeeBps", "uint32"),
        ("clientOrderId", "string"),
        ("nonce", "string"),
        ("expiry", "uint256"),
    ],
)
SWAP = Struct(
    "Swap",
    [
        ("trader", "address"),
        ("tradingPairId", "string"),
        ("side", "string"),
        ("amountIn", "string"),
        ("minAmountOut", "string"),
        ("maxFeeBps", "uint32"),
        ("nonce", "string"),
        ("expiry", "uint256"),
    ],
)
STRUCTS = (DEPOSIT, WITHDRAWAL, TRANSFER, ORDER, SWAP)
