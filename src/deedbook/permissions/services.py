"""What a request needs from its application: the configuration and the store."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from deedbook.permissions.config import PermissionsConfig
from deedbook.permissions.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    config: PermissionsConfig
    store: Store


def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services), "the application has not started"
    return services


ServicesOf = Annotated[Services, Depends(_services)]
