"""The platform's key: from the environment, or from an encrypted keystore v3 file. Never logged or shown."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from deedbook.chain.terms import MAX_DATA_BYTES, MAX_GAS, SignedTransaction, UnsignedTransaction
from deedbook.identity import checksum_address, parse_address
from deedbook.identity.terms import Address
from deedbook.infra.settings import Settings, SettingsError
from deedbook.integrations.sapphire.accounts import Account

# The accounts of the mnemonic "test test … junk", which every development chain funds: anybody can spend from them.
DEVELOPMENT_ADDRESSES = frozenset(
    {
        "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
        "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
        "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
        "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
        "0x15d34aaf54267db7d7c367839aaf71a00a2c6a65",
        "0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
        "0x976ea74026e726554db657fa54763abd0c3a0aa9",
        "0x14dc79964da2c08b23698b3d3cc7ca32193d9955",
        "0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f",
        "0xa0ee7a142d267c1f36714e4a8f75612f20a79720",
    }
)


class SigningRefused(Exception):
    """Somebody asks for a signature that the platform never needs: a mistake of ours, or an attack."""


@dataclass(frozen=True)
class SigningLimits:
    """What the key signs at all, whoever asks: transactions of one chain, at a bounded price. Their gas and
    size are bounded by the chain's own limits, and they never carry value. `gas_price_cap` in wei."""

    chain_id: int
    gas_price_cap: int


class LocalSigner:
    """A key in this process's memory. Implements the `Signer` port."""

    __slots__ = ("_account", "_limits", "address")

    def __init__(self, private_key: bytes, limits: SigningLimits) -> None:
        self._account = Account.from_key(private_key)
        self._limits = limits
        address = parse_address(self._account.address)
        assert address is not None
        self.address: Address = address

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key does not leave its process")

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
        """Sign a transaction of the platform.

        Raises:
            SigningRefused: it is outside the limits.
        """
        self._check(transaction)
        fields = {
            "chainId": transaction.chain_id,
            "nonce": transaction.nonce,
            "gas": transaction.call.gas,
            "gasPrice": transaction.gas_price,
            "value": 0,
            "data": transaction.call.data,
        }
        if transaction.call.to is not None:
            fields["to"] = checksum_address(transaction.call.to)
        signed = self._account.sign_transaction(fields)
        return SignedTransaction("0x" + signed.hash.hex().removeprefix("0x"), bytes(signed.raw_transaction))

    def _check(self, transaction: UnsignedTransaction) -> None:
        if transaction.chain_id != self._limits.chain_id:
            raise SigningRefused(f"this key signs for chain {self._limits.chain_id} only")
        if not 0 < transaction.gas_price <= self._limits.gas_price_cap:
            raise SigningRefused(f"{transaction.gas_price} wei per gas is above the cap")
        if not 0 < transaction.call.gas <= MAX_GAS or len(transaction.call.data) > MAX_DATA_BYTES:
            raise SigningRefused("no block takes a transaction of this size")


def load_signer(settings: Settings) -> LocalSigner:
    """The platform's signer.

    Raises:
        SettingsError: there is no key, or the keystore cannot be opened; says which variable to set.
    """
    limits = SigningLimits(settings.SAPPHIRE_CHAIN_ID, settings.SAPPHIRE_GAS_PRICE_CAP_GWEI * 10**9)
    if settings.SAPPHIRE_ADMIN_KEY is not None:
        return _signer(
            "SAPPHIRE_ADMIN_KEY",
            bytes.fromhex(settings.admin_key_hex[2:]),
            limits,
            production=settings.production,
        )
    if settings.SAPPHIRE_ADMIN_KEYSTORE is None:
        raise SettingsError("set SAPPHIRE_ADMIN_KEY, or SAPPHIRE_ADMIN_KEYSTORE and its password")
    if settings.SAPPHIRE_ADMIN_KEYSTORE_PASSWORD is None:
        raise SettingsError("SAPPHIRE_ADMIN_KEYSTORE_PASSWORD: set it to open the keystore")
    password = settings.SAPPHIRE_ADMIN_KEYSTORE_PASSWORD.get_secret_value()
    private_key = open_keystore(settings.SAPPHIRE_ADMIN_KEYSTORE, password)
    return _signer("SAPPHIRE_ADMIN_KEYSTORE", private_key, limits, production=settings.production)


def _signer(variable: str, private_key: bytes, limits: SigningLimits, *, production: bool) -> LocalSigner:
    try:
        signer = LocalSigner(private_key, limits)
    except Exception:
        # Whatever the library says here, it may say the key.
        raise SettingsError(f"{variable}: this is no private key of the curve") from None
    if production and signer.address in DEVELOPMENT_ADDRESSES:
        raise SettingsError(f"{variable}: {signer.address} is an account of the public test mnemonic")
    return signer


def open_keystore(path: Path, password: str) -> bytes:
    """Decrypt a keystore v3 file.

    Raises:
        SettingsError: unreadable, or another password.
    """
    try:
        keystore = json.loads(path.read_text())
        return bytes(Account.decrypt(keystore, password))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError) as error:
        raise SettingsError(f"SAPPHIRE_ADMIN_KEYSTORE: cannot open {path}: {type(error).__name__}") from None


def write_keystore(path: Path, private_key: bytes, password: str) -> None:
    """Encrypt a key into a new keystore v3 file that only its owner may read.

    Raises:
        ValueError: this is no private key.
        FileExistsError: keys are never overwritten.
    """
    if len(private_key) != 32:
        raise ValueError("a private key has 32 bytes")
    encrypted = json.dumps(Account.encrypt(private_key, password))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(encrypted)
