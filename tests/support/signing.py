"""Signatures of wallets over digests, as `eth_signTypedData_v4` makes them."""

from coincurve import PrivateKey

from deedbook.stack.wallet import Wallet


def sign_digest(wallet: Wallet, digest: bytes) -> str:
    """65 bytes r, s, v with low s and v 27 or 28."""
    told = bytes(PrivateKey(wallet.private_key).sign_recoverable(digest, hasher=None))
    return "0x" + (told[:64] + bytes([told[64] + 27])).hex()
