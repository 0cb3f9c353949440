"""What our contracts say when they undo a transaction, in words."""

from functools import cache
from importlib import resources
from typing import Any

import orjson
from eth_abi import decode
from eth_abi.exceptions import DecodingError

from deedbook.identity import keccak

_ERROR = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")


def in_words(data: bytes) -> str | None:
    """`IssuerNotVerified(0x…)` for a declared error, the text of a `require`; `None` for what is not known.

    Any contract that ours call may have written this data: it may be cut short, lie about lengths, be no text.
    """
    selector, rest = data[:4], data[4:]
    try:
        if selector == _ERROR:
            return str(decode(["string"], rest)[0])
        if selector == _PANIC:
            return f"Panic({decode(['uint256'], rest)[0]:#x})"
        if (entry := _declared().get(selector)) is None:
            return None
        values = decode([_type(part) for part in entry["inputs"]], rest)
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return None
    return f"{entry['name']}({', '.join(_shown(value) for value in values)})"


@cache
def _declared() -> dict[bytes, dict[str, Any]]:
    found = {}
    files = [file for file in (resources.files(__package__) / "abi").iterdir() if file.name.endswith(".json")]
    for file in files:
        for entry in orjson.loads(file.read_bytes())["abi"]:
            if entry["type"] == "error":
                signature = f"{entry['name']}({','.join(_type(part) for part in entry['inputs'])})"
                found[keccak(signature.encode())[:4]] = entry
    return found


def _type(part: dict[str, Any]) -> str:
    kind = str(part["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(inner) for inner in part['components'])}){kind.removeprefix('tuple')}"


def _shown(value: Any) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
