"""EIP-712 typed data by the types that the platform publishes: nothing of them is written down here.

A type is used only where it has exactly the fields that the caller means to sign.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sha3

Fields = Sequence[Mapping[str, str]]
_DOMAIN = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
DOMAIN_FIELDS: Fields = [{"name": name, "type": kind} for name, kind in _DOMAIN]
WORD = 32


def keccak(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest


def digest(domain: Mapping[str, Any], name: str, fields: Fields, values: Mapping[str, Any]) -> bytes:
    """The 32 bytes that are signed.

    Raises:
        ValueError: the type has other fields than the values, or a kind that is not signed here.
    """
    struct = struct_hash(name, fields, values)
    known = {field: domain[field] for field, _ in _DOMAIN}
    return keccak(b"\x19\x01" + struct_hash("EIP712Domain", DOMAIN_FIELDS, known) + struct)


def struct_hash(name: str, fields: Fields, values: Mapping[str, Any]) -> bytes:
    """The hash of one struct.

    Raises:
        ValueError: see `digest`.
    """
    names, kinds = [field["name"] for field in fields], [field["type"] for field in fields]
    if sorted(names) != sorted(values):
        raise ValueError(
            f"{name} has the fields {', '.join(names)}, which are not those that are to be signed"
        )
    type_text = f"{name}({','.join(f'{kind} {field}' for kind, field in zip(kinds, names, strict=True))})"
    words = [_word(kind, values[field]) for kind, field in zip(kinds, names, strict=True)]
    return keccak(keccak(type_text.encode()) + b"".join(words))


def _word(kind: str, value: Any) -> bytes:
    encode = _ENCODERS.get(kind)
    if encode is None:
        raise ValueError(f"{kind} is not signed here")
    return encode(value)


_ENCODERS: Mapping[str, Callable[[Any], bytes]] = {
    "string": lambda value: keccak(value.encode()),
    "address": lambda value: bytes.fromhex(value[2:]).rjust(WORD, b"\0"),
    "bool": lambda value: int(value).to_bytes(WORD, "big"),
    "uint32": lambda value: int(value).to_bytes(WORD, "big"),
    "uint256": lambda value: int(value).to_bytes(WORD, "big"),
}


def checksum_address(address: str) -> str:
    """EIP-55 form, for people and wallets."""
    digits = address[2:].lower()
    hashed = keccak(digits.encode()).hex()
    return "0x" + "".join(
        char.upper() if int(nibble, 16) >= 8 else char for char, nibble in zip(digits, hashed, strict=False)
    )
