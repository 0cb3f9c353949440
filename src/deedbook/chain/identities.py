"""What the chain's identity registry is told of an account. Freezing is said separately: a renewed KYC must never
thaw an account by the way.
"""

from dataclasses import dataclass

from deedbook.identity.terms import Address

MAX_UPDATES = 100
"""How many accounts one transaction tells of."""


@dataclass(frozen=True)
class IdentityUpdate:
    """One account's identity. `jurisdiction` is ISO 3166-1 alpha-2; `expires_at` Unix seconds, `None` for never."""

    account: Address
    verified: bool
    jurisdiction: str
    accreditation: int
    expires_at: int | None
