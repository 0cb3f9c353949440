"""The signing identity on disk: made once, guarded, renewed when its certificate ends."""

import contextlib
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from deedbook.permissions.certificate import Keyring, load_or_make

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "made" / "key.pem", tmp_path / "made" / "certificate.pem"


def test_first_start_makes_a_guarded_key_and_a_year_long_certificate(paths: tuple[Path, Path]) -> None:
    key_path, certificate_path = paths
    identity = load_or_make(*paths, NOW)
    assert stat.S_IMODE(key_path.stat().st_mode) == 0o600
    assert identity.key.key_size == 2048
    certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "sns.amazonaws.com"
    assert certificate.issuer == certificate.subject
    assert certificate.not_valid_before_utc <= NOW
    assert certificate.not_valid_after_utc == NOW + timedelta(days=365)
    certificate.verify_directly_issued_by(certificate)
    assert {path.name for path in key_path.parent.iterdir()} == {"key.pem", "certificate.pem"}


def test_second_start_finds_the_same_identity_and_guards_the_key_again(paths: tuple[Path, Path]) -> None:
    first = load_or_make(*paths, NOW)
    paths[0].chmod(0o644)
    second = load_or_make(*paths, NOW + timedelta(days=364))
    assert second.fingerprint == first.fingerprint
    assert stat.S_IMODE(paths[0].stat().st_mode) == 0o600


def test_expired_certificate_is_renewed_for_the_same_key(paths: tuple[Path, Path]) -> None:
    keyring = Keyring(*paths, contextlib.nullcontext)
    first = keyring.current(NOW)
    assert keyring.current(NOW + timedelta(days=300)) is first
    later = NOW + timedelta(days=366)
    renewed = keyring.current(later)
    assert renewed.fingerprint != first.fingerprint
    assert renewed.certificate.public_key() == first.certificate.public_key()
    assert renewed.certificate.not_valid_after_utc == later + timedelta(days=365)
    assert load_or_make(*paths, later).fingerprint == renewed.fingerprint


def test_certificate_of_another_key_is_replaced(paths: tuple[Path, Path]) -> None:
    first = load_or_make(*paths, NOW)
    paths[0].unlink()
    second = load_or_make(*paths, NOW)
    assert isinstance(second.certificate.public_key(), rsa.RSAPublicKey)
    assert second.certificate.public_key() == second.key.public_key()
    assert second.fingerprint != first.fingerprint


def test_key_of_another_kind_is_refused(paths: tuple[Path, Path]) -> None:
    paths[0].parent.mkdir()
    other = ec.generate_private_key(ec.SECP256R1())
    paths[0].write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(TypeError, match="not an RSA key"):
        load_or_make(*paths, NOW)
