"""From JSON to frozen dataclasses: names from camelCase, amounts to `Decimal`, moments to `datetime`. What is unknown
is ignored, since fields may be added."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

T = TypeVar("T")
Reader = Callable[[Any], Any]
_PLAIN: Mapping[Any, Reader] = {
    Decimal: Decimal,
    UUID: UUID,
    datetime: datetime.fromisoformat,
    str: str,
    int: int,
    bool: bool,
    float: float,
    Any: lambda told: told,
}


def wire_name(name: str) -> str:
    """`trading_pair_id` as it stands in JSON: `tradingPairId`."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def read(kind: type[T], told: Mapping[str, Any]) -> T:
    """One answer as its dataclass."""
    readers = _KNOWN.get(kind)
    if readers is None:
        readers = _KNOWN[kind] = _readers(kind)
    return kind(**{name: reader(told) for name, reader in readers.items()})


_KNOWN: dict[Any, Mapping[str, Reader]] = {}
"""Found out once for each dataclass."""


def _readers(kind: Any) -> Mapping[str, Reader]:
    hints = get_type_hints(kind)
    return {field.name: _field(field, hints[field.name]) for field in fields(kind)}


def _field(field: Any, hint: Any) -> Reader:
    """What is missing is its default, where it has one."""
    name, convert = wire_name(field.name), reader_of(hint)
    if field.default is MISSING:
        return lambda told: convert(told[name])
    return lambda told: convert(told[name]) if told.get(name) is not None else field.default


def reader_of(hint: Any) -> Reader:
    """What makes a value of this type from JSON."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if is_dataclass(hint) and isinstance(hint, type):
        return lambda told: read(hint, told)
    arguments = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        [inner] = [reader_of(argument) for argument in arguments if argument is not type(None)]
        return lambda told: None if told is None else inner(told)
    if get_origin(hint) is dict:
        return dict
    assert get_origin(hint) is tuple, f"{hint} is read by nobody"
    items = [reader_of(argument) for argument in arguments if argument is not Ellipsis]
    if Ellipsis in arguments:
        return lambda told: tuple(items[0](item) for item in told)
    return lambda told: tuple(item(value) for item, value in zip(items, told, strict=False))
