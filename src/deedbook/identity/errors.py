"""Refusals of this room.

Refusal
├─ Unauthenticated        no credential, or one that does not hold
│   ├─ SignatureMalformed  not 65 bytes, high s, odd v: never tried further
│   ├─ SignInRefused       the message or its signature does not hold
│   └─ SignatureRefused    well-formed, and not by this account over this text
├─ ActionExpired          signed for a time that is over
├─ NonceUsed              the account has used this nonce for something else
├─ DuplicateAction        this very signed action was accepted before
├─ WalletNotYours         signed by an account that is not the caller's: for them it does not exist
├─ Forbidden              known, and not allowed
│   ├─ KeyScopeMissing     the API key was made for other things
│   ├─ KeyAddressRefused   the API key is not used from here
│   └─ KeyCapReached       the API key has sent in as much as it may today
├─ WalletNeeded           known, and without an account yet: bind a wallet first
├─ WalletBound            has an account already
├─ SignInNotFound         no such sign-in of the caller's, or it is over
├─ KeyNotFound            no such API key of the caller's
├─ TooManyKeys            the caller has as many as one can have
├─ IssuerUnavailable       the issuer of a token does not tell its keys: nobody is let in by it meanwhile
└─ PermissionsUnavailable  the permission service gives no answer: nobody is allowed meanwhile
"""

from deedbook.kernel.errors import Kind, Refusal, Unavailable


class Unauthenticated(Refusal):
    code, kind, title = "unauthenticated", Kind.UNAUTHENTICATED, "Sign in first"


class SignatureMalformed(Refusal):
    code, kind, title = (
        "signature_malformed",
        Kind.UNAUTHENTICATED,
        "The signature is not in its one valid form",
    )


class SignInRefused(Refusal):
    code, kind, title = "sign_in_refused", Kind.UNAUTHENTICATED, "The sign-in message was refused"


class SignatureRefused(Refusal):
    code, kind, title = "signature_refused", Kind.UNAUTHENTICATED, "The signature does not hold"


class ActionExpired(Refusal):
    code, kind, title = "action_expired", Kind.INVALID, "What was signed has expired"


class NonceUsed(Refusal):
    code, kind, title = "nonce_used", Kind.CONFLICT, "This nonce was used before"


class DuplicateAction(Refusal):
    code, kind, title = "duplicate_action", Kind.CONFLICT, "This was accepted before"


class WalletNotYours(Refusal):
    code, kind, title = "wallet_not_yours", Kind.ABSENT, "This account is not yours"


class Forbidden(Refusal):
    code, kind, title = "forbidden", Kind.FORBIDDEN, "You are not allowed to do this"


class KeyScopeMissing(Refusal):
    code, kind, title = "key_scope_missing", Kind.FORBIDDEN, "This API key was not made for that"


class KeyAddressRefused(Refusal):
    code, kind, title = "key_address_refused", Kind.FORBIDDEN, "This API key may not be used from here"


class KeyCapReached(Refusal):
    code, kind, title = "key_cap_reached", Kind.FORBIDDEN, "This API key has traded its share of the day"


class WalletNeeded(Refusal):
    code, kind, title = "wallet_needed", Kind.FORBIDDEN, "Bind a wallet first"


class WalletBound(Refusal):
    code, kind, title = "wallet_bound", Kind.CONFLICT, "You have an account already"


class SignInNotFound(Refusal):
    code, kind, title = "sign_in_not_found", Kind.ABSENT, "You have no such sign-in"


class KeyNotFound(Refusal):
    code, kind, title = "api_key_not_found", Kind.ABSENT, "You have no such API key"


class TooManyKeys(Refusal):
    code, kind, title = "too_many_api_keys", Kind.CONFLICT, "You have as many API keys as one can have"


class FourEyes(Refusal):
    code, kind, title = "four_eyes", Kind.FORBIDDEN, "Another person has to decide this"


class PermissionsUnavailable(Unavailable):
    code, title = "permissions_unavailable", "The permission service does not answer"


class IssuerUnavailable(Unavailable):
    code, title = "issuer_unavailable", "The issuer of this token does not answer"
