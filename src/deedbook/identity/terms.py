"""The words of this room: roles, callers and what they show, addresses."""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from typing import NewType
from uuid import UUID

from deedbook.kernel.events import Actor, ActorType
from deedbook.kernel.ids import EntityId, UserId

Address = NewType("Address", str)
"""An Ethereum address in its canonical form here: `0x` and 40 lower-case hex digits."""


class Role(Enum):
    """What a user is on this platform. What a role may do is asked of the permission service."""

    INVESTOR = "investor"
    ISSUER = "issuer"
    COMPLIANCE = "compliance"
    ADMIN = "admin"
    OPERATOR = "operator"


_RANK = (Role.ADMIN, Role.COMPLIANCE, Role.OPERATOR, Role.ISSUER, Role.INVESTOR)


KeyId = NewType("KeyId", UUID)
Network = IPv4Network | IPv6Network


class Means(Enum):
    """By what a caller shows who they are."""

    SESSION = "session"
    KEY = "key"
    SUBJECT = "subject"


class Scope(Enum):
    """What an API key may be used for. No scope moves money out, gives authority, or makes keys."""

    READ = "read"
    TRADE = "trade"
    ACCOUNT = "account"


@dataclass(frozen=True)
class KeyTerms:
    """Within what an API key may be used. `daily_notional` is in 10^-18 of a quote token; no `networks` means from
    everywhere."""

    scopes: frozenset[Scope]
    networks: tuple[Network, ...]
    orders_per_minute: int | None
    daily_notional: int | None


@dataclass(frozen=True)
class VouchedFor:
    """From when until when an issuer of ours says who somebody is, in seconds of Unix time."""

    issued_at: float
    expires_at: float


@dataclass(frozen=True)
class Caller:
    """An authenticated user: the only source of who is asking.

    `session_id` names what they have shown: their session, with `key` their API key, or when somebody has
    `vouched` for them, the subject that they are. Those have no `account` until they bind a wallet: it is empty.
    """

    user_id: UserId
    account: Address
    entity_id: EntityId | None
    roles: frozenset[Role]
    session_id: UUID
    key: KeyTerms | None = None
    vouched: VouchedFor | None = None

    @property
    def actor(self) -> Actor:
        """The caller as the author of a fact, under their most responsible role."""
        role = next((role for role in _RANK if role in self.roles), None)
        return Actor(ActorType(role.value) if role else ActorType.USER, self.user_id)


class Action(Enum):
    """What the permission service is asked about."""

    REGISTER = "market.register"
    APPROVE = "market.approve"
    REJECT = "market.reject"
    PAUSE = "market.pause"
    ARCHIVE = "market.archive"
