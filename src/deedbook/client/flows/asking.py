"""The few forms that all requests have."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

from deedbook.client.amounts import amount_text
from deedbook.client.flow import Call, Flow, Session, ask
from deedbook.client.operations import Page
from deedbook.client.reading import read, wire_name

T = TypeVar("T")
PAGE_SIZE = "200"


def segment(name: object) -> str:
    """A part of a path, whatever stands in it."""
    return quote(str(name), safe="")


def get(session: Session, kind: type[T], path: str, *, signed_in: bool = True, **query: Any) -> Flow[T]:
    """One thing."""
    told = yield from ask(session, Call("GET", path, query=as_query(query), signed_in=signed_in))
    return read(kind, told)


def page(
    session: Session, kind: type[T], path: str, cursor: str | None, *, signed_in: bool = True, **query: Any
) -> Flow[Page[T]]:
    """Some of a list."""
    asked = as_query({**query, "cursor": cursor}) | {"limit": PAGE_SIZE}
    told = yield from ask(session, Call("GET", path, query=asked, signed_in=signed_in))
    return Page(tuple(read(kind, item) for item in told["data"]), told["nextCursor"])


def everything(session: Session, kind: type[T], path: str, *, signed_in: bool = True) -> Flow[tuple[T, ...]]:
    """A list that has no pages."""
    told = yield from ask(session, Call("GET", path, signed_in=signed_in))
    return tuple(read(kind, item) for item in told["data"])


def send(
    session: Session,
    kind: type[T],
    path: str,
    body: Mapping[str, Any],
    *,
    method: str = "POST",
    key: str | None = None,
    version: int | None = None,
) -> Flow[T]:
    """Something that is done once, however often it is sent."""
    return read(kind, (yield from once(session, path, body, method=method, key=key, version=version)))


def once(
    session: Session,
    path: str,
    body: Mapping[str, Any],
    *,
    method: str = "POST",
    key: str | None = None,
    version: int | None = None,
) -> Flow[Any]:
    """The same, as JSON: it has a key, its sender's or one of its own."""
    call = Call(method, path, body=dict(body), key=key or str(uuid4()), version=version)
    return (yield from ask(session, call))


def as_body(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were given, by their names in JSON."""
    return {wire_name(name): as_json(value) for name, value in fields.items() if value is not None}


def as_json(value: Any) -> Any:
    """A value as JSON has it.

    Raises:
        TypeError: a float: nothing here is one.
    """
    if isinstance(value, float):
        raise TypeError("a float has lost digits already: give a Decimal, an int or a text")
    if isinstance(value, Decimal):
        return amount_text(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(item) for item in value]
    return value


def as_query(query: Mapping[str, Any]) -> dict[str, str]:
    return {wire_name(name): str(as_json(value)) for name, value in query.items() if value is not None}
