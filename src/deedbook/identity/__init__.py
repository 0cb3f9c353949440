"""Identity: who is asking. Principals, wallets, sign-in, sessions, and permissions asked of the outside."""

from deedbook.identity import errors, events
from deedbook.identity.service import (
    Credentials,
    KeyRing,
    SignInPolicy,
    grant,
    new_nonce,
    recognise,
    refresh,
    require_permission,
    rotate_signing_key,
    sign_in,
    sign_out,
)
from deedbook.identity.signatures import checksum_address, keccak, parse_address
from deedbook.identity.terms import Action, Address, Caller, Role

__all__ = [
    "Action",
    "Address",
    "Caller",
    "Credentials",
    "KeyRing",
    "Role",
    "SignInPolicy",
    "checksum_address",
    "errors",
    "events",
    "grant",
    "keccak",
    "new_nonce",
    "parse_address",
    "recognise",
    "refresh",
    "require_permission",
    "rotate_signing_key",
    "sign_in",
    "sign_out",
]
