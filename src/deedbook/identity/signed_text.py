"""What was signed, as people read it: the one place that renders it, for confirmations as for records."""

from collections.abc import Mapping
from typing import Any

from deedbook.identity.typed_data import STRUCTS

_FIELDS = {struct.name: tuple(field for field, _ in struct.fields) for struct in STRUCTS}


def lines(action: str, text: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The fields in the order in which the wallet showed them, each with the very text that was signed."""
    order = _FIELDS.get(action, tuple(text))
    return [(field, _shown(text[field])) for field in order if field in text]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
