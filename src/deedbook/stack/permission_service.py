"""The embedded permission service as a process. Apart from `run`, whose imports would double its start."""

from deedbook.infra.embedded import Home
from deedbook.infra.settings import Settings
from deedbook.permissions import PermissionsConfig, serve
from deedbook.stack import environment
from deedbook.stack.ports import Ports


def serve_permissions(settings: Settings) -> None:
    """The permission service, telling this platform's webhook."""
    directory = environment.permissions_directory(Home.locate())
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    serve(
        PermissionsConfig(
            database_path=directory / "permissions.sqlite3",
            certificate_directory=directory,
            port=Ports().DEEDBOOK_PERMISSIONS_PORT,
            webhook_urls=(f"http://127.0.0.1:{settings.PORT}/api/v1/webhooks/entity-permissions",),
            principal_type=settings.ENTITY_PERMISSIONS_PRINCIPAL_TYPE,
        )
    )
