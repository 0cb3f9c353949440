"""Facts: what may be in one, and how it looks on the wire."""

import re
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

import deedbook.wiring  # noqa: F401 - every fact of the house is declared once this is imported
from deedbook.kernel.clock import to_wire
from deedbook.kernel.events import FACTS, Audience, Fact, camel, fact, payload, stream_id, wire_value

ONE = UUID("0192f0a2-7c3e-7b1d-9a4e-3f2b1c0d9e8f")


@pytest.fixture
def scratch() -> Iterator[None]:
    """Facts declared by a test are forgotten after it."""
    before = dict(FACTS)
    yield
    FACTS.clear()
    FACTS.update(before)


@pytest.mark.usefixtures("scratch")
def test_a_fact_tells_its_fields_in_camel_case_when_it_is_written() -> None:
    @fact("test.happened", stream="market_id", audience=Audience.USER, exported=True)
    class Happened(Fact):
        market_id: UUID
        at: datetime
        who: Audience
        free_form: dict[str, Any]
        many: tuple[UUID, ...] = ()

    told = Happened(
        market_id=ONE,
        at=datetime(2026, 1, 2, tzinfo=UTC),
        who=Audience.PUBLIC,
        free_form={"snake_case": 5.25},
        many=(ONE,),
    )

    assert payload(told) == {
        "marketId": str(ONE),
        "at": "2026-01-02T00:00:00.000000Z",
        "who": "public",
        "freeForm": {"snake_case": 5.25},
        "many": [str(ONE)],
    }
    assert stream_id(told) == ONE
    assert (told.spec.event_type, told.spec.version, told.spec.exported) == ("test.happened", 1, True)
    with pytest.raises(FrozenInstanceError):
        told.at = datetime.now(UTC)  # type: ignore[misc]


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), [[1.5]], (0.0,), 2**53 + 1, -(2**53) - 1, [2**60]], ids=repr
)
def test_a_value_is_refused_when_it_would_lose_digits_on_the_wire(value: Any) -> None:
    with pytest.raises(TypeError):
        wire_value(value)


@pytest.mark.parametrize("value", [True, None, "text", 0, 2**53, -(2**53), [], {}], ids=repr)
def test_a_value_stays_as_it_is_when_json_can_hold_it(value: Any) -> None:
    assert wire_value(value) == value


@pytest.mark.usefixtures("scratch")
def test_a_fact_is_not_declared_when_its_name_is_taken_or_its_stream_is_no_field() -> None:
    class Twin(Fact):
        market_id: UUID

    class Homeless(Fact):
        market_id: UUID

    with pytest.raises(AssertionError, match="declared twice"):
        fact("market.approved", stream="market_id")(Twin)
    with pytest.raises(AssertionError):
        fact("test.no_stream", stream="token_id")(Homeless)


PAST = re.compile(r"(^|_)([a-z]+ed|frozen|unfrozen|broken|given|shown|hidden|bound|withdrawn|written)(_|$)")
STATES = {"withdrawal.processing", "withdrawal.in_doubt", "transfer.in_doubt", "token.metadata_differs"}
"""What is told of a thing that stays so for a while."""


@pytest.mark.parametrize(("event_type", "declared"), FACTS.items(), ids=FACTS)
def test_a_fact_is_in_the_past_tense_and_explained_when_it_is_declared(
    event_type: str, declared: type[Fact]
) -> None:
    room, _, happened = event_type.partition(".")
    assert room and (PAST.search(happened) or event_type in STATES)
    assert declared.__doc__ and not declared.__doc__.startswith(declared.__name__ + "(")


def test_camel_joins_words_when_a_name_has_several() -> None:
    assert camel("deployment_tx_hash") == "deploymentTxHash"


def test_a_moment_is_written_in_utc_when_it_has_another_zone() -> None:
    assert (
        to_wire(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))) == "2025-12-31T23:00:00.000000Z"
    )
