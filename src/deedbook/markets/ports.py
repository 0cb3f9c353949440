"""What this room's lengthy jobs need from outside."""

from typing import Protocol

from deedbook.identity.ports import Permissions
from deedbook.infra.database import Database
from deedbook.infra.inbox import IncomingEvent
from deedbook.tokens.ports import Foundry


class DecisionFeed(Protocol):
    """The permission service's published events."""

    async def recent(self, event_type: str, source: str) -> list[IncomingEvent]:
        """The newest events of this type and source, newest first. Raises `PermissionsUnavailable`."""
        ...


class MarketResources(Protocol):
    """What the wiring hands to `deploy_market_token` and `poll_decisions`."""

    @property
    def db(self) -> Database: ...
    @property
    def foundry(self) -> Foundry: ...
    @property
    def permissions(self) -> Permissions: ...
    @property
    def decision_feed(self) -> DecisionFeed: ...
    @property
    def decision_sources(self) -> tuple[str, ...]: ...
