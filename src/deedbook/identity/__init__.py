"""Identity: who is asking. Principals, wallets, sign-in, sessions, and permissions asked of the outside."""

from deedbook.identity import errors, events
from deedbook.identity.access import AccessClaims
from deedbook.identity.actions import SignedAction, expiry_of
from deedbook.identity.actions import record as record_action
from deedbook.identity.actions import verify as verify_action
from deedbook.identity.service import (
    Credentials,
    KeyRing,
    SignInPolicy,
    caller_of_session,
    ensure_user,
    grant,
    new_nonce,
    read_token,
    recognise,
    refresh,
    require_permission,
    rotate_signing_key,
    sign_in,
    sign_out,
)
from deedbook.identity.signatures import checksum_address, keccak, parse_address
from deedbook.identity.store import (
    account_of_user,
    callers_of_sessions,
    living_sessions,
    user_of_account,
)
from deedbook.identity.terms import Action, Address, Caller, Role
from deedbook.identity.typed_data import DEPOSIT, TRANSFER, WITHDRAWAL, Domain

__all__ = [
    "DEPOSIT",
    "TRANSFER",
    "WITHDRAWAL",
    "AccessClaims",
    "Action",
    "Address",
    "Caller",
    "Credentials",
    "Domain",
    "KeyRing",
    "Role",
    "SignInPolicy",
    "SignedAction",
    "account_of_user",
    "caller_of_session",
    "callers_of_sessions",
    "checksum_address",
    "ensure_user",
    "errors",
    "events",
    "expiry_of",
    "grant",
    "keccak",
    "living_sessions",
    "new_nonce",
    "parse_address",
    "read_token",
    "recognise",
    "record_action",
    "refresh",
    "require_permission",
    "rotate_signing_key",
    "sign_in",
    "sign_out",
    "user_of_account",
    "verify_action",
]
