"""What this room needs from outside: the contracts' words for identities and pauses, and a KYC provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol
from uuid import UUID

from deedbook.chain.identities import IdentityUpdate
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call
from deedbook.compliance.terms import Accreditation
from deedbook.identity.terms import Address
from deedbook.infra.database import Database


class Registry(Protocol):
    """The words of the identity registry and of the tokens' pauses."""

    def set_identities(self, registry: Address, updates: Sequence[IdentityUpdate]) -> Call:
        """Say who is verified. Saying it twice changes nothing."""
        ...

    def set_frozen(self, registry: Address, accounts: Sequence[Address], frozen: bool) -> Call:
        """Freeze or thaw accounts. Doing it twice changes nothing."""
        ...

    def set_paused(self, token: Address, paused: bool) -> Call:
        """Pause a token, or let it go on. The contract undoes what is so already."""
        ...

    async def is_paused(self, chain: Chain, token: Address) -> bool: ...


@dataclass(frozen=True)
class Registrar:
    """What telling the chain needs: a node, the words, the chain's id, and the wallet that may write there."""

    chain: Chain
    words: Registry
    chain_id: int
    wallet: Address


@dataclass(frozen=True)
class Applicant:
    """Who is to be checked. Personal: it goes to the provider, rests until the answer is there, and nowhere else."""

    legal_name: str
    country: str
    document_ids: tuple[str, ...]


class KycVerdict(Enum):
    """What the provider found. `REVIEW`: it cannot say yet, and people have to look."""

    APPROVED = "approved"
    REJECTED = "rejected"
    REVIEW = "review"


@dataclass(frozen=True)
class KycReport:
    """The provider's answer. `listed` says that a sanctions or AML list has the applicant."""

    verdict: KycVerdict
    level: int
    accreditation: Accreditation
    accreditation_expires_at: datetime | None
    jurisdiction: str | None
    listed: bool
    expires_at: datetime | None
    reference: str


class KycProvider(Protocol):
    """Somebody who knows whether people are who they say, and whether a list has them."""

    @property
    def name(self) -> str:
        """Under which records say who checked."""
        ...

    async def check(self, check_id: UUID, applicant: Applicant) -> KycReport:
        """Have an applicant checked. The same id gives the same check: a repeated question is not a second one.

        Raises:
            KycUnavailable: no usable answer in bounded time. Nobody is approved then.
        """
        ...


class ComplianceResources(Protocol):
    """What the wiring hands to this room's jobs."""

    @property
    def db(self) -> Database: ...
    @property
    def registrar(self) -> Registrar: ...
    @property
    def kyc(self) -> KycProvider: ...
