"""A real SMTP server (aiosmtpd) that keeps letters and refuses as it is told, with a certificate of its own."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "deedbook", "a-password-of-the-server"


@dataclass
class MailServer:
    """What it got, and what it says to receivers and letters; an empty answer accepts. It is aiosmtpd's handler too."""

    port: int = 0
    to_receivers: str = ""
    to_letters: str = ""
    silent_s: float = 0.0
    letters: list[EmailMessage] = field(default_factory=list)
    signed_in: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if not self.to_receivers:
            envelope.rcpt_tos.append(address)
        return self.to_receivers or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        await asyncio.sleep(self.silent_s)
        if self.to_letters:
            return self.to_letters
        letter = message_from_bytes(envelope.content, policy=default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.signed_in.append(session.authenticated and session.ssl is not None)
        return "250 OK"


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=right, handled=True)


@dataclass(frozen=True)
class Certificate:
    """Of 127.0.0.1, signed by itself: who serves with it, and who trusts it."""

    server: ssl.SSLContext
    trust: ssl.SSLContext
    file: Path


def certificate(directory: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = directory / "mail.pem", directory / "mail.key"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file, key_file)
    return Certificate(server, ssl.create_default_context(cafile=file), file)


@asynccontextmanager
async def mail_server(
    certificate: Certificate | None = None, *, tls: bool = False
) -> AsyncIterator[MailServer]:
    """It takes letters while this lasts: with a certificate after STARTTLS and a sign-in, with `tls` from the first
    byte, without one in plain."""
    handler = MailServer()
    start_tls = certificate is not None and not tls

    def protocol() -> SMTP:
        return SMTP(
            handler,
            tls_context=certificate.server if certificate and start_tls else None,
            require_starttls=start_tls,
            auth_required=start_tls,
            authenticator=_authenticate,
            hostname="mail.test",
        )

    context = certificate.server if certificate and tls else None
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=context)
    handler.port = server.sockets[0].getsockname()[1]
    async with server:
        yield handler
