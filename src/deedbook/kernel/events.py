"""Facts: what happened, in the past tense, declared once and never changed after publication.

One declaration gives the row in the `events` table, the live channel and its audience, the envelope for the
Entity Permissions Core, the type that listeners receive and the page `docs/events.md`.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, TypeVar, dataclass_transform
from uuid import UUID

from deedbook.kernel.clock import to_wire as moment_to_wire


class Audience(Enum):
    """Who may hear a fact on the live channels."""

    PUBLIC = "public"
    USER = "user"
    OPERATORS = "operators"


class ActorType(Enum):
    """What kind of party did it."""

    ISSUER = "issuer"
    INVESTOR = "investor"
    COMPLIANCE = "compliance"
    ADMIN = "admin"
    OPERATOR = "operator"
    USER = "user"
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """Who caused a fact. The system itself acts without an id."""

    actor_type: ActorType
    actor_id: UUID | None = None


SYSTEM = Actor(ActorType.SYSTEM)


@dataclass(frozen=True)
class FactSpec:
    """What is published about one fact.

    `stream` names the field that holds the id of the thing whose history this is; `exported` facts also go
    to the Entity Permissions Core.
    """

    event_type: str
    stream: str
    version: int
    audience: Audience
    exported: bool


class Fact:
    """Base of every fact; use the `fact` decorator to declare one."""

    spec: ClassVar[FactSpec]


FACTS: dict[str, type[Fact]] = {}
F = TypeVar("F", bound=type[Fact])


@dataclass_transform(frozen_default=True, kw_only_default=True)
def fact(
    event_type: str,
    *,
    stream: str,
    version: int = 1,
    audience: Audience = Audience.PUBLIC,
    exported: bool = False,
) -> Callable[[F], F]:
    """Declare a fact under its wire name, such as `market.activated`."""

    def declare(cls: F) -> F:
        dataclass(frozen=True, kw_only=True)(cls)
        assert event_type not in FACTS, f"{event_type} is declared twice"
        assert stream in {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        cls.spec = FactSpec(event_type, stream, version, audience, exported)
        FACTS[event_type] = cls
        return cls

    return declare


def stream_id(told: Fact) -> UUID:
    """The id of the thing this fact is about."""
    value = getattr(told, told.spec.stream)
    assert isinstance(value, UUID)
    return value


def payload(told: Fact) -> dict[str, Any]:
    """The fact as JSON-ready values under camelCase names; free-form maps inside keep their own keys."""
    fields = dataclasses.fields(told)  # type: ignore[arg-type]
    return {camel(field.name): wire_value(getattr(told, field.name)) for field in fields}


def camel(name: str) -> str:
    """`market_id` → `marketId`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def wire_value(value: Any) -> Any:
    """JSON-ready form of a value in a fact: no float, and whole numbers beyond 2^53 as strings.

    Maps are free-form JSON of the user's own (an asset's attributes): bounded at the border, and kept as they are.
    """
    match value:
        case UUID():
            return str(value)
        case datetime():
            return moment_to_wire(value)
        case Enum():
            return value.value
        case tuple() | list():
            return [wire_value(item) for item in value]
        case dict():
            return value
        case float():
            raise TypeError("a fact never holds a float")
        case int() if not isinstance(value, bool) and abs(value) > 2**53:
            raise TypeError("a large whole number travels as a string")
        case _:
            return value
