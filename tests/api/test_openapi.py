"""The contract: valid, stable, true about what is required, and with an example wherever something is sent."""

import re
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from tests.api.snapshot import SNAPSHOT, as_text, contract
from tests.api.support import ROOT
from tests.support.world import World

DOCUMENT = contract()
OPERATIONS = [
    pytest.param(path, operation, id=f"{method.upper()} {path}")
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def test_the_contract_is_what_the_repository_says_when_nothing_was_meant_to_change() -> None:
    assert SNAPSHOT.read_text() == as_text(DOCUMENT), (
        "update it with `python -m tests.api.snapshot`, and read the diff"
    )


def test_the_contract_is_valid_openapi_when_a_stranger_reads_it() -> None:
    schemathesis.openapi.from_dict(contract()).validate()
    for name, schema in DOCUMENT["components"]["schemas"].items():
        jsonschema_rs.meta.validate({**schema, "components": DOCUMENT["components"]})
        assert re.fullmatch(r"[A-Za-z_]+", name)


async def test_the_contract_is_served_when_asked_for(shared: World) -> None:
    answer = await shared.http.get(f"{ROOT}/openapi.json")
    assert (answer.status_code, answer.json()) == (200, DOCUMENT)


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_an_operation_says_what_it_does_and_who_may_call_it(path: str, operation: dict[str, Any]) -> None:
    assert operation["description"] and operation["tags"]
    assert operation["x-access"] and operation["x-rate-bucket"]
    assert ("security" in operation) is (operation["x-access"] != ["public"])
    assert {"4XX", "5XX"} <= operation["responses"].keys()
    for refusal in ("4XX", "5XX"):
        assert list(operation["responses"][refusal]["content"]) == ["application/problem+json"]
    for name in re.findall(r"{(\w+)}", path):
        assert [
            p["required"] for p in operation["parameters"] if p["name"] == name and p["in"] == "path"
        ] == [True]


@pytest.mark.parametrize(("path", "operation"), OPERATIONS)
def test_an_operation_shows_what_is_sent_and_answered(path: str, operation: dict[str, Any]) -> None:
    """In one of the types where there are several."""
    parts = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    for part in (*parts, operation.get("requestBody", {})):
        content = part.get("content", {})
        shown = {kind: media["example"] for kind, media in content.items() if "example" in media}
        assert shown or not content, "record it with `python -m tests.api.examples`"
        if "application/json" in shown and "schema" in content["application/json"]:
            schema = {**content["application/json"]["schema"], "components": DOCUMENT["components"]}
            assert jsonschema_rs.is_valid(schema, shown["application/json"])


def test_operations_have_names_of_their_own_when_a_client_is_generated() -> None:
    names = [parameter.values[1]["operationId"] for parameter in OPERATIONS]  # type: ignore[index]
    assert len(set(names)) == len(names)


def test_every_body_forbids_unknown_fields_and_shows_an_example_or_none_is_needed() -> None:
    for name in (
        "RegisterMarket",
        "AssetDetailsBody",
        "Decide",
        "Reason",
        "AddDocument",
        "SignIn",
        "Refresh",
    ):
        assert DOCUMENT["components"]["schemas"][name]["additionalProperties"] is False
    register = DOCUMENT["components"]["schemas"]["RegisterMarket"]["properties"]
    assert all("examples" in register[name] for name in ("name", "assetType", "tokenSymbol", "totalSupply"))


def test_amounts_are_published_as_text_when_a_client_reads_the_contract() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    supply = schemas["RegisterMarket"]["properties"]["totalSupply"]["anyOf"][0]
    for good in ("1", "1000000.5", "0.000000000000000001"):
        assert jsonschema_rs.is_valid(supply, good)
    for bad in ("0", "0.0", "1e3", "-1", "", "00", "1.", "1" * 21):
        assert not jsonschema_rs.is_valid(supply, bad)
    for answer in ("MarketAnswer", "TokenAnswer"):
        assert schemas[answer]["properties"]["totalSupply"]["type"] == "string"
