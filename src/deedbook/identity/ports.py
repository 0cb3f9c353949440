"""What this room needs from outside: answers about permissions, and contract wallets that speak for themselves."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from deedbook.identity.terms import Action, Address
from deedbook.kernel.ids import EntityId, UserId


class Permissions(Protocol):
    """The Entity Permissions Core, seen from here."""

    async def is_allowed(self, user_id: UserId, action: Action, entity_id: EntityId) -> bool:
        """Whether the user may do this on this entity.

        Raises:
            PermissionsUnavailable: no answer in bounded time. Nobody is allowed then.
        """
        ...

    async def forget(self, user_id: UserId | None) -> None:
        """Drop remembered answers about one user, or about everybody."""
        ...


class ContractWallets(Protocol):
    """Accounts that are contracts. Both methods raise a refusal when the chain does not answer."""

    async def is_contract(self, account: Address) -> bool: ...

    async def accepts(self, account: Address, digest: bytes, signature: bytes) -> bool:
        """Whether the contract calls this signature its own (ERC-1271)."""
        ...


class Provisioning(Protocol):
    """Writing to the Entity Permissions Core, for `deedbook grant`."""

    async def ensure_entity(self, name: str, entity_type: str) -> EntityId:
        """The entity of this name and type, made when absent."""
        ...

    async def ensure_role(
        self, user_id: UserId, role: str, permissions: tuple[str, ...], entity_id: EntityId | None
    ) -> None:
        """Give the user this role on the entity, or everywhere when it is `None`. Harmless when repeated."""
        ...


class Issuers(Protocol):
    """Issuers of tokens whom the operators trust."""

    @property
    def audiences(self) -> Mapping[str, str]:
        """As whom each of them must address us in its tokens."""
        ...

    async def keys(self, issuer: str, key_id: str) -> Sequence[Mapping[str, Any]]:
        """The issuer's public keys as JWKs, asked for again where none is called so.

        Raises:
            IssuerUnavailable: it does not tell them.
        """
        ...
