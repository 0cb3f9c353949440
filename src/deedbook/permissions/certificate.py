"""The signing key and its self-signed certificate: made at first start, kept in files, renewed when expired.

The certificate stands for the one Amazon publishes, so nobody vouches for it: the receiver pins this file.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import NameOID

COMMON_NAME = "sns.amazonaws.com"
KEY_BITS = 2048
VALID_FOR = timedelta(days=365)
# A message signed in a certificate's last moments would arrive after them.
RENEWED_BEFORE_END = timedelta(hours=1)
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Identity:
    key: RSAPrivateKey
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hexadecimal."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def serves_at(self, now: datetime) -> bool:
        mine = self.certificate.public_key() == self.key.public_key()
        return mine and now < self.certificate.not_valid_after_utc - RENEWED_BEFORE_END


class Keyring:
    """Gives the identity to sign with now. `lock` keeps two processes from making one each."""

    def __init__(
        self, key_path: Path, certificate_path: Path, lock: Callable[[], AbstractContextManager[object]]
    ) -> None:
        self._key_path = key_path
        self._certificate_path = certificate_path
        self._lock = lock
        self._identity: Identity | None = None

    def current(self, now: datetime) -> Identity:
        if self._identity is None or not self._identity.serves_at(now):
            with self._lock():
                self._identity = load_or_make(self._key_path, self._certificate_path, now)
        return self._identity


def load_or_make(key_path: Path, certificate_path: Path, now: datetime) -> Identity:
    """The key outlives its certificates: a renewal does not change who signs."""
    key = _load_key(key_path) if key_path.exists() else _make_key(key_path)
    if certificate_path.exists():
        held = Identity(key, x509.load_pem_x509_certificate(certificate_path.read_bytes()))
        if held.serves_at(now):
            return held
    made = Identity(key, make_certificate(key, now))
    _write(certificate_path, made.certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return made


def make_certificate(key: RSAPrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, COMMON_NAME)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(COMMON_NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _load_key(path: Path) -> RSAPrivateKey:
    path.chmod(0o600)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError(f"the key in {path.name} is not an RSA key")
    return key


def _make_key(path: Path) -> RSAPrivateKey:
    key = generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(path, pem, mode=0o600)
    return key


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Whole or not at all, and never readable by more than `mode` for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
