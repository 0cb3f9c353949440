"""Recovering who signed. Strict about form, since one signature must have exactly one encoding here."""

import sha3
from coincurve import PublicKey

from deedbook.identity.errors import SignatureMalformed
from deedbook.identity.terms import Address

_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HALF_ORDER = _CURVE_ORDER // 2


def keccak(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (not SHA3-256)."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest


def personal_digest(message: str) -> bytes:
    """The digest that wallets sign for a text (EIP-191, version 0x45)."""
    data = message.encode()
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(data)).encode() + data)


def recover(digest: bytes, signature: bytes) -> Address:
    """The address that signed `digest`.

    Raises:
        SignatureMalformed: not 65 bytes, v other than 27 or 28, s in the upper half (EIP-2), or no such key.
    """
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise SignatureMalformed("send 65 bytes r, s, v with v 27 or 28")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not (0 < r < _CURVE_ORDER and 0 < s <= _HALF_ORDER):
        raise SignatureMalformed("r or s is out of range, or s is in the upper half")
    try:
        key = PublicKey.from_signature_and_message(
            signature[:64] + bytes([signature[64] - 27]), digest, hasher=None
        )
    except Exception:
        raise SignatureMalformed("no key gives this signature") from None
    return Address("0x" + keccak(key.format(compressed=False)[1:])[12:].hex())


def parse_signature(text: str) -> bytes:
    """Read `0x` and 130 hex digits.

    Raises:
        SignatureMalformed: anything else.
    """
    if len(text) != 132 or not text.startswith("0x"):
        raise SignatureMalformed("a signature is 0x and 130 hex digits")
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise SignatureMalformed("a signature is 0x and 130 hex digits") from None


def parse_address(text: str) -> Address | None:
    """Canonical form of an address, or `None`. Mixed case must carry a right EIP-55 checksum."""
    if len(text) != 42 or not text.startswith("0x") or not text.isascii():
        return None
    digits = text[2:]
    if not all(char in "0123456789abcdefABCDEF" for char in digits):
        return None
    if digits.lower() != digits and checksum_address(Address(text.lower())) != text:
        return None
    return Address(text.lower())


def checksum_address(address: Address) -> str:
    """EIP-55 form, for people and wallets."""
    digits = address[2:]
    hashed = keccak(digits.encode()).hex()
    return "0x" + "".join(
        char.upper() if int(nibble, 16) >= 8 else char for char, nibble in zip(digits, hashed, strict=False)
    )
