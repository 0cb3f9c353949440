"""One flow, two ways to run it: of a `Client` it is a function, of an `AsyncClient` a coroutine function."""

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from types import GenericAlias
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, get_args, get_origin, overload

from deedbook.client.flow import Flow, Session

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list, and where it goes on."""

    items: tuple[T, ...]
    next_cursor: str | None


class Blocking(Protocol):
    """A client that waits for answers."""

    session: Session

    def carry_out(self, flow: Flow[A]) -> A: ...


class Awaiting(Protocol):
    """A client that lets others work meanwhile."""

    session: Session

    def carry_out_async(self, flow: Flow[A]) -> Coroutine[Any, Any, A]: ...


class Operation(Generic[P, T]):
    """Something that a client does."""

    def __init__(self, flow: Callable[Concatenate[Session, P], Flow[T]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__

    @property
    def signature(self) -> inspect.Signature:
        """What it takes, and what it gives."""
        return _signature(self._flow, hidden=1)

    @overload
    def __get__(self, client: None, owner: type) -> "Operation[P, T]": ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self
        flow = self._flow
        run = client.carry_out if hasattr(client, "carry_out") else client.carry_out_async

        def operation(*args: P.args, **kwargs: P.kwargs) -> Any:
            return run(flow(client.session, *args, **kwargs))

        return _named(operation, flow, hidden=1)


class Listing(Generic[P, T]):
    """A list that is walked through to its end, page after page."""

    def __init__(self, page: Callable[Concatenate[Session, str | None, P], Flow[Page[T]]]) -> None:
        self._page = page
        self.__doc__ = page.__doc__

    @property
    def signature(self) -> inspect.Signature:
        """What it takes, and what it gives one after the other."""
        return _signature(self._page, hidden=2)

    @overload
    def __get__(self, client: None, owner: type) -> "Listing[P, T]": ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> Callable[P, AsyncIterator[T]]: ...

    def __get__(self, client: Any, owner: type) -> Any:
        if client is None:
            return self
        page = self._page

        def walk(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
            cursor: str | None = None
            while True:
                got = client.carry_out(page(client.session, cursor, *args, **kwargs))
                yield from got.items
                if (cursor := got.next_cursor) is None:
                    return

        async def walk_async(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
            cursor: str | None = None
            while True:
                got = await client.carry_out_async(page(client.session, cursor, *args, **kwargs))
                for item in got.items:
                    yield item
                if (cursor := got.next_cursor) is None:
                    return

        return _named(walk if hasattr(client, "carry_out") else walk_async, page, hidden=2)


def _named(operation: Callable[..., Any], flow: Callable[..., Any], hidden: int) -> Callable[..., Any]:
    """With the name and the words of its flow, and without the parameters that a client gives itself."""
    functools.update_wrapper(operation, flow)
    operation.__signature__ = _signature(flow, hidden)  # type: ignore[attr-defined]
    return operation


def _signature(flow: Callable[..., Any], hidden: int) -> inspect.Signature:
    """As it is called on a client: of what the flow yields and is told nobody needs to know."""
    signature = inspect.signature(flow)
    shown = list(signature.parameters.values())[hidden:]
    gives = get_args(signature.return_annotation)[-1]
    if get_origin(gives) is Page:
        gives = GenericAlias(Iterator, get_args(gives))
    return signature.replace(parameters=shown, return_annotation=gives)
