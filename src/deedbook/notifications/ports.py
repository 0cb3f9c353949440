"""What this room needs from outside."""

from typing import Protocol

from deedbook.infra.database import Database


class NotificationResources(Protocol):
    """What the wiring hands to the jobs of this room."""

    @property
    def db(self) -> Database: ...
