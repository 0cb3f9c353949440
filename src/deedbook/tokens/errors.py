"""Refusals of this room.

Refusal
├─ DeploymentNotProven    the chain does not show the contract that was asked for
├─ PlatformNotDeployed    the platform's own contracts do not stand on this chain yet
├─ IssuerNotVerified      the registry does not know the issuer any more
├─ NotAToken              what stands at the address is no token that the vault could keep
├─ TokenExists            the symbol or the contract is on the register already
├─ ListingNotFailed       only a listing that failed is tried again
├─ ListingNotProven       the vault reads the token's amounts otherwise than we do
├─ NotMintable            only a live token of an issuer here is minted
├─ SupplyCapExceeded      more than the cap of the token leaves
├─ MintNotFound           no such mint, or another issuer's
└─ MintNotPending         the mint was decided already

That a token is absent is `token_not_found`, of the room of compliance, which needs to say so too.
"""

from deedbook.kernel.errors import Kind, Refusal, Unavailable


class DeploymentNotProven(Refusal):
    code, kind, title = (
        "deployment_not_proven",
        Kind.CONFLICT,
        "The chain does not show the contract as asked",
    )


class PlatformNotDeployed(Unavailable):
    code, title = "platform_not_deployed", "The platform's contracts are not deployed on this chain"


class IssuerNotVerified(Refusal):
    """The issuer's identity was revoked or has expired: compliance renews it, then the market is activated."""

    code, kind, title = "issuer_not_verified", Kind.CONFLICT, "The issuer's identity does not hold"


class NotAToken(Refusal):
    code, kind, title = "not_a_token", Kind.INVALID, "There is no token that the vault could keep"


class TokenExists(Refusal):
    code, kind, title = "token_exists", Kind.CONFLICT, "The token is on the register already"


class ListingNotFailed(Refusal):
    code, kind, title = "listing_not_failed", Kind.CONFLICT, "The token's listing has not failed"


class ListingNotProven(Refusal):
    code, kind, title = "listing_not_proven", Kind.CONFLICT, "The vault does not list the token as registered"


class NotMintable(Refusal):
    code, kind, title = "not_mintable", Kind.CONFLICT, "This token is not minted here"


class SupplyCapExceeded(Refusal):
    code, kind, title = "supply_cap_exceeded", Kind.INVALID, "That is more than the token's cap leaves"


class MintNotFound(Refusal):
    code, kind, title = "mint_not_found", Kind.ABSENT, "There is no such mint"


class MintNotPending(Refusal):
    code, kind, title = "mint_not_pending", Kind.CONFLICT, "The mint does not wait for a decision"
