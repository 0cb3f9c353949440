"""A wallet in memory, for the demo and for tests: signs in as a browser wallet would."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
from coincurve import PrivateKey

from deedbook.identity.typed_data import Domain, Struct
from deedbook.integrations.sapphire.accounts import Account, encode_defunct
from deedbook.kernel.clock import to_wire

STATEMENT = "Sign in to Deedbook."
WAITS_S = 90.0
TOO_MANY = 429


@dataclass(frozen=True)
class Wallet:
    """A key and its address (with checksum). The key is never printed."""

    address: str
    private_key: bytes = field(repr=False)

    @classmethod
    def new(cls) -> "Wallet":
        return cls.from_key(secrets.token_bytes(32))

    @classmethod
    def from_key(cls, private_key: bytes) -> "Wallet":
        return cls(str(Account.from_key(private_key).address), private_key)

    def sign(self, text: str) -> str:
        """`personal_sign` (EIP-191), as `0x…`."""
        signed = Account.sign_message(encode_defunct(text=text), self.private_key)
        return "0x" + bytes(signed.signature).hex()

    def sign_typed(self, domain: Domain, struct: Struct, values: Mapping[str, Any]) -> str:
        """`eth_signTypedData_v4`, as `0x…`."""
        return self.sign_digest(struct.digest(domain, values))

    def sign_digest(self, digest: bytes) -> str:
        """65 bytes r, s, v with low s and v 27 or 28, as `0x…`."""
        signature: bytes = PrivateKey(self.private_key).sign_recoverable(digest, hasher=None)
        return "0x" + (signature[:64] + bytes([27 + signature[64]])).hex()


def sign_in_message(address: str, offer: dict[str, Any]) -> str:
    """The EIP-4361 text for what `POST /auth/nonce` answered."""
    return (
        f"{offer['domain']} wants you to sign in with your Ethereum account:\n{address}\n\n{STATEMENT}\n\n"
        f"URI: {offer['uri']}\nVersion: {offer['version']}\nChain ID: {offer['chainId']}\n"
        f"Nonce: {offer['nonce']}\nIssued At: {to_wire(datetime.now(UTC))}"
    )


def _in_silence(wait_s: float) -> None:
    return


async def sign_in(
    http: httpx2.AsyncClient, wallet: Wallet, waits: Callable[[float], None] = _in_silence
) -> dict[str, Any]:
    """Sign in and answer with the credentials. Who is told to wait does so, for a while; `waits` is told how many
    seconds before each time."""
    offer = (await _post(http, "/auth/nonce", None, waits)).json()
    message = sign_in_message(wallet.address, offer)
    signed = {"message": message, "signature": wallet.sign(message)}
    response = await _post(http, "/auth/siwe", signed, waits)
    credentials: dict[str, Any] = response.json()
    return credentials


async def _post(
    http: httpx2.AsyncClient, path: str, body: dict[str, str] | None, waits: Callable[[float], None]
) -> httpx2.Response:
    until = time.monotonic() + WAITS_S
    while True:
        response = await http.post(path, json=body)
        wait_s = float(response.headers.get("Retry-After", "1"))
        if response.status_code != TOO_MANY or time.monotonic() + wait_s > until:
            return response.raise_for_status()
        waits(wait_s)
        await asyncio.sleep(wait_s)
