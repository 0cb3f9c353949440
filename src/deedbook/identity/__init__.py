"""Identity: who is asking. Principals, wallets, sign-in, sessions, and permissions asked of the outside."""

from deedbook.identity import errors, events, keys, sign_ins, subjects
from deedbook.identity.access import AccessClaims
from deedbook.identity.actions import SignedAction, expiry_of, signed_by_key
from deedbook.identity.actions import record as record_action
from deedbook.identity.actions import verify as verify_action
from deedbook.identity.key_store import ApiKey, Use, is_key_of, keys_of, note_uses
from deedbook.identity.recognition import Recognition
from deedbook.identity.service import (
    Credentials,
    KeyRing,
    SignInPolicy,
    caller_of_session,
    ensure_user,
    grant,
    new_nonce,
    refresh,
    require_permission,
    rotate_signing_key,
    sign_in,
    sign_out,
)
from deedbook.identity.signatures import checksum_address, keccak, parse_address
from deedbook.identity.store import account_of_user, action_of_digest, note_withdrawn, user_of_account
from deedbook.identity.terms import Action, Address, Caller, KeyId, KeyTerms, Role, Scope
from deedbook.identity.typed_data import DEPOSIT, TRANSFER, WITHDRAWAL, Domain

__all__ = [
    "DEPOSIT",
    "TRANSFER",
    "WITHDRAWAL",
    "AccessClaims",
    "Action",
    "Address",
    "ApiKey",
    "Caller",
    "Credentials",
    "Domain",
    "KeyId",
    "KeyRing",
    "KeyTerms",
    "Recognition",
    "Role",
    "Scope",
    "SignInPolicy",
    "SignedAction",
    "Use",
    "account_of_user",
    "action_of_digest",
    "caller_of_session",
    "checksum_address",
    "ensure_user",
    "errors",
    "events",
    "expiry_of",
    "grant",
    "is_key_of",
    "keccak",
    "keys",
    "keys_of",
    "new_nonce",
    "note_uses",
    "note_withdrawn",
    "parse_address",
    "record_action",
    "refresh",
    "require_permission",
    "rotate_signing_key",
    "sign_in",
    "sign_ins",
    "sign_out",
    "signed_by_key",
    "subjects",
    "user_of_account",
    "verify_action",
]
