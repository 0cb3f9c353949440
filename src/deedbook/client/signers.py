"""Who signs: a key in memory, or whatever a program has in its place."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from coincurve import PrivateKey

from deedbook.client.typed_data import checksum_address, keccak


class Signer(Protocol):
    """An account that signs 32 bytes. `address` is its Ethereum address."""

    @property
    def address(self) -> str: ...

    def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes r, s, v with low s and v 27 or 28, or what a contract wallet takes (ERC-1271)."""


@dataclass(frozen=True)
class LocalSigner:
    """A key in this process. It is never shown."""

    address: str
    _key: PrivateKey = field(repr=False)

    @classmethod
    def from_key(cls, key: bytes | str) -> "LocalSigner":
        """From 32 bytes, or their hex with or without 0x.

        Raises:
            ValueError: it is no key.
        """
        try:
            raw = bytes.fromhex(key.strip().removeprefix("0x")) if isinstance(key, str) else key
            made = PrivateKey(raw)
        except Exception:
            raise ValueError("a key is 32 bytes, as 64 hexadecimal digits") from None
        public = made.public_key.format(compressed=False)[1:]
        return cls(checksum_address("0x" + keccak(public)[12:].hex()), made)

    def sign_digest(self, digest: bytes) -> bytes:
        signature: bytes = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])


@dataclass(frozen=True)
class CallableSigner:
    """Any function that signs 32 bytes: a key service, a hardware wallet, a contract wallet."""

    address: str
    sign: Callable[[bytes], bytes] = field(repr=False)

    def sign_digest(self, digest: bytes) -> bytes:
        return self.sign(digest)


def personal_signature(signer: Signer, text: str) -> str:
    """`personal_sign` (EIP-191), as `0x…`."""
    data = text.encode()
    digest = keccak(b"\x19Ethereum Signed Message:\n" + str(len(data)).encode() + data)
    return "0x" + signer.sign_digest(digest).hex()
