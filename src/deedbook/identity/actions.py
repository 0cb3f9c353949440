"""Signed actions: who signed what, once. Checked in one fixed order, so that the same bad input always gets the
same answer: expiry, then signature, then whose account it is; the nonce is a row of the transaction that acts."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from deedbook.identity import store
from deedbook.identity.errors import (
    ActionExpired,
    DuplicateAction,
    NonceUsed,
    SignatureMalformed,
    SignatureRefused,
    WalletNotYours,
)
from deedbook.identity.ports import ContractWallets
from deedbook.identity.signatures import recover
from deedbook.identity.terms import Address, Caller
from deedbook.identity.typed_data import Domain, Struct
from deedbook.infra.database import Tx
from deedbook.kernel.errors import FieldError, Invalid, Refusal

MAX_AHEAD_S = 90 * 86_400
MAX_SIGNATURE_BYTES = 4096
NONCE_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
_SIGNATURE = re.compile(r"0x(?:[0-9a-fA-F]{2})+")


class SignedAction(NamedTuple):
    """An action that its account has signed. `text` is what the wallet showed, field by field."""

    struct: Struct
    account: Address
    nonce: str
    expires_at: datetime
    text: Mapping[str, Any]
    digest: bytes
    signature: bytes


async def verify(
    domain: Domain,
    struct: Struct,
    account: Address,
    values: Mapping[str, Any],
    signature_text: str,
    caller: Caller,
    wallets: ContractWallets,
    now: datetime,
) -> SignedAction:
    """Make sure that the caller's own account signed this. Nothing is used up by a refusal.

    Keys sign in the one valid form (65 bytes, low s, v 27 or 28); contract wallets say themselves whether a
    signature is theirs (ERC-1271).

    Raises:
        ActionExpired · Invalid: the expiry has passed, or lies more than 90 days ahead.
        SignatureMalformed · SignatureRefused: no signature, or not by this account.
        WalletNotYours: by an account that is not the caller's.
        ChainUnavailable: a contract wallet could not be asked.
    """
    expires_at = expiry_of(int(values["expiry"]), now)
    signature = _parse(signature_text)
    digest = struct.digest(domain, values)
    await _require_signer(account, digest, signature, wallets)
    if caller.account != account:
        raise WalletNotYours("sign with the account that you are signed in with")
    return SignedAction(struct, account, str(values["nonce"]), expires_at, values, digest, signature)


def signed_by_key(
    domain: Domain,
    struct: Struct,
    values: Mapping[str, Any],
    signature_text: str,
    caller: Caller,
    now: datetime,
) -> SignedAction | None:
    """The same at once, where the key of the caller's account has signed, as it nearly always has. `None` means
    nothing yet: `verify` says what is wrong, or asks a contract wallet.
    """
    digest = struct.digest(domain, values)
    try:
        expires_at = expiry_of(int(values["expiry"]), now)
        signature = _parse(signature_text)
        account = recover(digest, signature)
    except Refusal:
        return None
    if account != caller.account or account != values["trader"]:
        return None
    return SignedAction(struct, account, str(values["nonce"]), expires_at, values, digest, signature)


async def record(tx: Tx, action: SignedAction, action_id: UUID) -> None:
    """Use the nonce up, in the transaction that acts.

    Raises:
        DuplicateAction: this very action was accepted before; names it.
        NonceUsed: another one was.
    """
    if await store.add_signed_action(tx, action, action_id):
        return
    first = await store.action_of(tx, action)
    if first is not None:
        raise DuplicateAction(f"this was accepted before, as {first}", extra={"firstId": str(first)})
    raise NonceUsed("sign again with a fresh nonce")


async def _require_signer(
    account: Address, digest: bytes, signature: bytes, wallets: ContractWallets
) -> None:
    malformed: SignatureMalformed | None = None
    try:
        if recover(digest, signature) == account:
            return
    except SignatureMalformed as refusal:
        malformed = refusal
    if await wallets.is_contract(account):
        if await wallets.accepts(account, digest, signature):
            return
    elif malformed is not None:
        raise malformed
    raise SignatureRefused("the signature is not by this account over this text")


def expiry_of(seconds: int, now: datetime) -> datetime:
    """When what was signed ends.

    Raises:
        ActionExpired · Invalid: it has ended, or lies more than 90 days ahead.
    """
    ahead_s = seconds - now.timestamp()
    if ahead_s <= 0:
        raise ActionExpired("the expiry has passed; sign again")
    if ahead_s > MAX_AHEAD_S:
        detail = "at most 90 days ahead"
        raise Invalid(
            "the expiry lies too far ahead", errors=(FieldError("/expiry", "too_far_ahead", detail),)
        )
    return datetime.fromtimestamp(seconds, UTC)


def _parse(text: str) -> bytes:
    if len(text) > 2 + 2 * MAX_SIGNATURE_BYTES or not _SIGNATURE.fullmatch(text):
        raise SignatureMalformed("a signature is 0x and hex digits, 130 of them for a key")
    return bytes.fromhex(text[2:])
