"""The OpenAPI document as it stands in the repository. Update it with `python -m tests.api.snapshot`."""

import json
from pathlib import Path
from typing import Any

from deedbook.api.app import create_app
from tests.support.world import test_settings

SNAPSHOT = Path(__file__).parent / "openapi.json"


def contract() -> dict[str, Any]:
    """The document of the app as it is now."""
    return create_app(test_settings("postgresql://x/y", "redis://x")).openapi()


def as_text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(as_text(contract()))
