"""What the OpenAPI document shows of each operation: a request and its answer as they once were, kept in
`examples.json`."""

from functools import lru_cache
from importlib import resources
from typing import Any

import orjson


@lru_cache(maxsize=1)
def examples() -> dict[str, dict[str, Any]]:
    """By method and path: `status`, and what there was of `request` and `answer`, the latter by its media type."""
    told: dict[str, dict[str, Any]] = orjson.loads(
        resources.files("deedbook.api").joinpath("examples.json").read_bytes()
    )
    return told


def show_examples(document: dict[str, Any]) -> None:
    """Put them where readers of the document look for them."""
    for name, shown in examples().items():
        method, _, path = name.partition(" ")
        operation = document["paths"].get(path, {}).get(method)
        if operation is None:
            continue
        if "request" in shown and "requestBody" in operation:
            operation["requestBody"]["content"]["application/json"]["example"] = shown["request"]
        content = operation["responses"].get(str(shown["status"]), {}).get("content", {})
        for media_type, answer in shown.get("answer", {}).items():
            if media_type in content:
                content[media_type]["example"] = answer
