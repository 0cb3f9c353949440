"""The OpenAPI and AsyncAPI documents as they stand in the repository. Update them with
`python -m tests.api.snapshot`."""

import json
from pathlib import Path
from typing import Any

from deedbook.api.app import create_app
from deedbook.api.live import asyncapi
from tests.support.world import test_settings

SNAPSHOT = Path(__file__).parent / "openapi.json"
SOCKET_SNAPSHOT = Path(__file__).parent / "asyncapi.json"


def contract() -> dict[str, Any]:
    """The document of the app as it is now."""
    return create_app(test_settings("postgresql://x/y", "redis://x")).openapi()


def socket_contract() -> dict[str, Any]:
    """The same of the WebSocket."""
    return asyncapi.document("http://localhost:3000", "/api/v1/ws")


def as_text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(as_text(contract()))
    SOCKET_SNAPSHOT.write_text(as_text(socket_contract()))
