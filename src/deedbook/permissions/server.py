"""Running the service: one uvicorn process that ends gracefully on SIGTERM or SIGINT."""

import uvicorn

from deedbook.permissions.app import create_app
from deedbook.permissions.config import PermissionsConfig

CONNECTIONS_MAX = 512
STOP_TIMEOUT_S = 10


def serve(config: PermissionsConfig) -> None:
    """Serve until told to stop. The port must be reachable from a private network only."""
    make_server(config).run()


def make_server(config: PermissionsConfig) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            create_app(config),
            host=config.host,
            port=config.port,
            ws="none",
            access_log=False,
            log_level="warning",
            limit_concurrency=CONNECTIONS_MAX,
            timeout_graceful_shutdown=STOP_TIMEOUT_S,
        )
    )
