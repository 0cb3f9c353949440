"""An OpenID Connect issuer over real HTTP with real keys, which can be told to change them, fall silent, or lie."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

AUDIENCE = "deedbook"
NAMES = {"RS256": "rsa-1", "ES256": "ec-1", "EdDSA": "ed-1"}


WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)
"""A key that no issuer should have; this one publishes it."""


def new_key(algorithm: str) -> Any:
    match algorithm:
        case "RS256":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return Ed25519PrivateKey.generate()


def as_jwk(private: Any, algorithm: str, key_id: str) -> dict[str, Any]:
    told = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
    return {**told, "kid": key_id, "use": "sig", "alg": algorithm}


@dataclass
class Issuer:
    """Where it is, what it signs with, and how often it was asked."""

    url: str = ""
    private: dict[str, Any] = field(
        default_factory=lambda: {algorithm: new_key(algorithm) for algorithm in NAMES}
    )
    published: list[dict[str, Any]] = field(default_factory=list)
    calls_itself: str = ""
    silent: bool = False
    asked: int = 0

    def __post_init__(self) -> None:
        self.publish()

    def publish(self) -> None:
        self.published = [as_jwk(self.private[name], name, key_id) for name, key_id in NAMES.items()]
        self.published.append(as_jwk(WEAK, "RS256", "weak"))

    def claims(self, subject: str = "ada", **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        told = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 300, "jti": "1"}
        return {name: value for name, value in {**told, **changes}.items() if value is not None}

    def token(
        self,
        subject: str = "ada",
        algorithm: str = "RS256",
        headers: dict[str, Any] | None = None,
        key: Any = None,
        **changes: Any,
    ) -> str:
        """A token that holds, unless something is said otherwise."""
        named = {"kid": NAMES[algorithm], "typ": "JWT", **(headers or {})}
        return jwt.encode(
            self.claims(subject, **changes),
            key or self.private[algorithm],
            algorithm=algorithm,
            headers=named,
        )

    def signed(self, header: dict[str, Any], payload: bytes, key: Any = None) -> str:
        """A token of exactly this text, with a signature that holds under the issuer's key or another."""
        body = f"{_part(json.dumps(header).encode())}.{_part(payload)}"
        signature = jwt.get_algorithm_by_name("RS256").sign(body.encode(), key or self.private["RS256"])
        return f"{body}.{_part(signature)}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            body: dict[str, Any] = {"issuer": self.calls_itself or self.url, "jwks_uri": f"{self.url}/keys"}
            if b"/keys" in head.split(b"\r\n", 1)[0]:
                body = {"keys": self.published}
            status, told = ("500 No", b"{}") if self.silent else ("200 OK", json.dumps(body).encode())
            lines = f"HTTP/1.1 {status}\r\nContent-Length: {len(told)}\r\nConnection: close\r\n\r\n"
            writer.write(lines.encode() + told)
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def oidc_issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    server = await asyncio.start_server(issuer.answer, "127.0.0.1", 0)
    issuer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/realms/desk"
    async with server:
        yield issuer


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
