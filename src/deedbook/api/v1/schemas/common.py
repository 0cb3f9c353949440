"""The types that all bodies are made of."""

import re
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from deedbook.kernel.amounts import AMOUNT_PATTERN, MAX_TEXT_LENGTH, POSITIVE_AMOUNT_PATTERN, is_amount
from deedbook.kernel.clock import to_wire
from deedbook.kernel.ids import parse_uuid

T = TypeVar("T")
MAX_FREE_FORM_BYTES = 16_384
_MARKS = r"\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
LINE_PATTERN = rf"^(?!\s+$)[^\u0000-\u001f\u007f-\u009f{_MARKS}]*$"
TEXT_PATTERN = rf"^(?!\s+$)[^\u0000-\u0008\u000b-\u001f\u007f-\u009f{_MARKS}]*$"
_LINE, _TEXT = re.compile(LINE_PATTERN[1:-1]), re.compile(TEXT_PATTERN[1:-1])
"""Control characters and direction marks make a text read as another one; what is only white space says nothing."""


class Body(BaseModel):
    """A request body: nothing unknown, nothing guessed."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, str_max_length=16_384)


class Answer(BaseModel):
    """An answer body."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


def _clean_line(text: str) -> str:
    return _clean(text, _LINE)


def _clean_text(text: str) -> str:
    return _clean(text, _TEXT)


def _clean(text: str, allowed: re.Pattern[str]) -> str:
    if text and not text.strip():
        raise ValueError("it is only white space")
    if not allowed.fullmatch(text):
        raise ValueError("control characters and direction marks are not allowed")
    return text.strip()


def _amount(value: Any) -> str:
    """A decimal string; a JSON whole number is taken too, a float never (it has lost digits already)."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError('send the amount as a string, such as "1000000"')
    if not is_amount(value):
        raise ValueError("an amount is a plain decimal string such as 12.50")
    return value


def _positive(value: str) -> str:
    if not value.strip("0."):
        raise ValueError("the amount must be more than zero")
    return value


def _uuid(value: Any) -> Any:
    if isinstance(value, UUID):
        return value
    parsed = parse_uuid(value) if isinstance(value, str) else None
    if parsed is None:
        raise ValueError("an id is a UUID in its canonical form")
    return parsed


def bounded_free_form(value: Any) -> Any:
    """JSON of the user's own shape: bounded in size, without control characters, numbers that survive."""
    _check_free_form(value)
    if len(orjson.dumps(value)) > MAX_FREE_FORM_BYTES:
        raise ValueError(f"at most {MAX_FREE_FORM_BYTES} bytes of JSON")
    return value


def _check_free_form(value: Any) -> None:
    match value:
        case str():
            if value.strip(" "):
                _clean_text(value)
        case bool() | None:
            return
        case int():
            if abs(value) > 2**53:
                raise ValueError("send whole numbers beyond 2^53 as strings")
        case list():
            for item in value:
                _check_free_form(item)
        case dict():
            for name, item in value.items():
                if not 1 <= len(name) <= 64:
                    raise ValueError("a name has 1 to 64 characters")
                _clean_line(name)
                _check_free_form(item)
        case _:
            return


Line = Annotated[
    str, Field(strict=True, json_schema_extra={"pattern": LINE_PATTERN}), AfterValidator(_clean_line)
]
Text = Annotated[
    str, Field(strict=True, json_schema_extra={"pattern": TEXT_PATTERN}), AfterValidator(_clean_text)
]
Id = Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
Amount = Annotated[
    str,
    BeforeValidator(_amount),
    WithJsonSchema({"type": "string", "pattern": AMOUNT_PATTERN, "maxLength": MAX_TEXT_LENGTH}),
]
PositiveAmount = Annotated[
    str,
    BeforeValidator(_amount),
    AfterValidator(_positive),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": POSITIVE_AMOUNT_PATTERN, "maxLength": MAX_TEXT_LENGTH},
                {"type": "integer", "minimum": 1, "maximum": 10**20 - 1},
            ]
        }
    ),
]
FreeForm = Annotated[dict[str, Any], Field(strict=True), AfterValidator(bounded_free_form)]
FreeValue = Annotated[str | dict[str, Any], AfterValidator(bounded_free_form)]
Moment = Annotated[datetime, PlainSerializer(to_wire, return_type=str)]


class Page(Answer, Generic[T]):
    """One page of a list. `nextCursor` is null on the last."""

    data: list[T]
    next_cursor: str | None


class FieldProblem(Answer):
    pointer: str
    code: str
    detail: str


class Problem(Answer):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldProblem] | None = None
    retry_after_ms: int | None = None
