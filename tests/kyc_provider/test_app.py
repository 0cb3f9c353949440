"""The embedded provider as a stranger meets it: the key, the bounds, the rules."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deedbook.kyc_provider import ProviderConfig, create_app, rules

KEY = "a-key-for-the-tests-of-kyc"
NOW = datetime(2026, 7, 1, tzinfo=UTC)


def stranger() -> httpx2.AsyncClient:
    app = create_app(ProviderConfig(KEY), clock=lambda: NOW)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://kyc.test")


def application(**changes: Any) -> dict[str, Any]:
    return {
        "checkId": str(uuid4()),
        "legalName": "Ada Lovelace",
        "country": "LU",
        "documentIds": ["passport-1"],
        **changes,
    }


async def ask(body: Any, key: str = KEY) -> httpx2.Response:
    async with stranger() as http:
        return await http.post("/v1/checks", json=body, headers={"Authorization": f"Bearer {key}"})


@pytest.mark.parametrize("key", ["", "x", KEY + "x", KEY[:-1], KEY.upper()])
async def test_nobody_is_checked_without_the_key(key: str) -> None:
    assert (await ask(application(), key)).status_code == 401


async def test_a_short_key_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="16 characters"):
        ProviderConfig("short")


@pytest.mark.parametrize(
    "changes",
    [
        {"checkId": "1"},
        {"checkId": "-" * 36},
        {"checkId": None},
        {"legalName": ""},
        {"legalName": "x" * 201},
        {"country": "Luxembourg"},
        {"country": "lu"},
        {"documentIds": "passport"},
        {"documentIds": ["x"] * 21},
        {"documentIds": [1]},
        {"extra": 1},
    ],
)
async def test_what_cannot_be_read_is_refused(changes: dict[str, Any]) -> None:
    assert (await ask(application(**changes))).status_code == 422


async def test_a_body_beyond_the_bound_is_refused() -> None:
    assert (await ask({"legalName": "x" * 100_000})).status_code == 413


@pytest.mark.parametrize(
    ("changes", "status", "hit"),
    [
        ({}, "approved", False),
        ({"legalName": "  SANCTIONED   person "}, "rejected", True),
        ({"country": "IR"}, "rejected", False),
        ({"documentIds": []}, "review", False),
        ({"documentIds": ["forged-1", "passport-1"]}, "rejected", False),
        ({"documentIds": ["expired-passport"]}, "review", False),
    ],
)
async def test_the_rules_decide(changes: dict[str, Any], status: str, hit: bool) -> None:
    told = (await ask(application(**changes))).json()
    assert (told["status"], told["screening"]["hit"]) == (status, hit)
    assert (told["expiresAt"] is not None) is (status == "approved")


async def test_the_level_is_the_number_of_different_papers() -> None:
    told = (await ask(application(documentIds=["a", "a", "b", "institutional-1", "c"]))).json()
    assert (told["level"], told["accreditation"]) == (rules.MAX_LEVEL, "institutional")


async def test_it_is_healthy_without_a_key() -> None:
    async with stranger() as http:
        assert (await http.get("/healthz")).json() == {"status": "ok"}
