"""Refusals of this room.

Refusal
├─ Unauthenticated        no credential, or one that does not hold
│   ├─ SignatureMalformed  not 65 bytes, high s, odd v: never tried further
│   └─ SignInRefused       the message or its signature does not hold
├─ Forbidden              known, and not allowed
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


class Forbidden(Refusal):
    code, kind, title = "forbidden", Kind.FORBIDDEN, "You are not allowed to do this"


class FourEyes(Refusal):
    code, kind, title = "four_eyes", Kind.FORBIDDEN, "Another person has to decide this"


class PermissionsUnavailable(Unavailable):
    code, title = "permissions_unavailable", "The permission service does not answer"
