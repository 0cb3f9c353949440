"""Sign-in messages and tokens, good and bad, for the tests of this room."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from deedbook.identity import SignInPolicy, service
from deedbook.infra.database import Database
from deedbook.kernel.clock import to_wire
from deedbook.stack.wallet import Wallet

POLICY = SignInPolicy(
    domain="localhost:3000",
    chain_id=31337,
    issuer="http://localhost:3000",
    secret="a-secret-of-the-tests-a-secret-of-the-tests",
    access_ttl_s=600,
    refresh_ttl_s=86_400,
)
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True)
class Message:
    """An EIP-4361 message, field by field; `text` puts it together."""

    address: str
    nonce: str
    domain: str = POLICY.domain
    uri: str = "http://localhost:3000"
    version: str = "1"
    chain_id: str = "31337"
    statement: str = "Sign in to Deedbook.\n"
    scheme: str = ""
    issued_at: str = field(default_factory=lambda: to_wire(datetime.now(UTC)))
    more: str = ""

    @property
    def text(self) -> str:
        """As the `siwe` library (2 and 3) and viem put it together: a missing statement leaves its empty line."""
        return (
            f"{self.scheme}{self.domain} wants you to sign in with your Ethereum account:\n{self.address}\n\n"
            f"{self.statement}\nURI: {self.uri}\nVersion: {self.version}\nChain ID: {self.chain_id}\n"
            f"Nonce: {self.nonce}\nIssued At: {self.issued_at}{self.more}"
        )

    def but(self, **changes: str) -> "Message":
        return replace(self, **changes)


async def message(db: Database, wallet: Wallet) -> Message:
    """A message that holds, with a nonce of its own."""
    async with db.transaction() as tx:
        nonce, _ = await service.new_nonce(tx)
    return Message(wallet.address, nonce)


async def sign_in(db: Database, wallet: Wallet, told: Message | None = None) -> service.Credentials:
    told = told or await message(db, wallet)
    async with db.transaction() as tx:
        return await service.sign_in(tx, POLICY, told.text, wallet.sign(told.text))


def moment(**shift: float) -> str:
    """A time, this far from now."""
    return to_wire(datetime.now(UTC) + timedelta(**shift))


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unverified."""
    head, body, _ = (part + "=" * (-len(part) % 4) for part in token.split("."))
    return json.loads(base64.urlsafe_b64decode(head)), json.loads(base64.urlsafe_b64decode(body))


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims).encode())}."


def hs256(header: dict[str, Any], claims: dict[str, Any], key: bytes) -> str:
    """A token signed by HMAC, as an attacker would with our public key."""
    signing = unsigned({**header, "alg": "HS256"}, claims)[:-1]
    return signing + "." + base64url(hmac.new(key, signing.encode(), hashlib.sha256).digest())
