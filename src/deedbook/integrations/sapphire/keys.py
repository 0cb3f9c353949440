"""The platform's key: from the environment, or from an encrypted keystore v3 file. Never logged or shown."""

import json
from pathlib import Path

from eth_account import Account

from deedbook.chain.terms import SignedTransaction, UnsignedTransaction
from deedbook.identity import checksum_address, parse_address
from deedbook.identity.terms import Address
from deedbook.infra.settings import Settings, SettingsError


class LocalSigner:
    """A key in this process's memory. Implements the `Signer` port."""

    __slots__ = ("_account", "address")

    def __init__(self, private_key: bytes) -> None:
        self._account = Account.from_key(private_key)
        address = parse_address(self._account.address)
        assert address is not None
        self.address: Address = address

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

    def sign(self, transaction: UnsignedTransaction) -> SignedTransaction:
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


def load_signer(settings: Settings) -> LocalSigner:
    """The platform's signer.

    Raises:
        SettingsError: there is no key, or the keystore cannot be opened; says which variable to set.
    """
    if settings.SAPPHIRE_ADMIN_KEY is not None:
        return LocalSigner(bytes.fromhex(settings.admin_key_hex[2:]))
    if settings.SAPPHIRE_ADMIN_KEYSTORE is None:
        raise SettingsError("set SAPPHIRE_ADMIN_KEY, or SAPPHIRE_ADMIN_KEYSTORE and its password")
    if settings.SAPPHIRE_ADMIN_KEYSTORE_PASSWORD is None:
        raise SettingsError("SAPPHIRE_ADMIN_KEYSTORE_PASSWORD: set it to open the keystore")
    password = settings.SAPPHIRE_ADMIN_KEYSTORE_PASSWORD.get_secret_value()
    return LocalSigner(open_keystore(settings.SAPPHIRE_ADMIN_KEYSTORE, password))


def open_keystore(path: Path, password: str) -> bytes:
    """Decrypt a keystore v3 file.

    Raises:
        SettingsError: unreadable, or another password.
    """
    try:
        keystore = json.loads(path.read_text())
        return bytes(Account.decrypt(keystore, password))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"SAPPHIRE_ADMIN_KEYSTORE: cannot open {path}: {type(error).__name__}") from None


def write_keystore(path: Path, private_key: bytes, password: str) -> None:
    """Encrypt a key into a keystore v3 file that only its owner may read."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(json.dumps(Account.encrypt(private_key, password)))
