"""Refusals of this room.

Refusal
├─ DeploymentNotProven    the chain does not show the contract that was asked for
└─ PlatformNotDeployed    the platform's own contracts do not stand on this chain yet
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
