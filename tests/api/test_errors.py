"""Problem details (RFC 9457): one shape for every refusal, whoever raises it, and a page that explains its code."""

import re

import pytest

from deedbook.api.deps import PUBLIC, access
from deedbook.identity import Role
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.kernel.errors import Refusal
from tests.api.support import ROOT, assert_problem, refused
from tests.support.workers import UNKNOWN_ID
from tests.support.world import World, open_world


async def test_a_refusal_says_where_and_who_asked_when_a_field_is_bad(shared: World) -> None:
    answer = await shared.http.post(
        "/auth/refresh", json={"refreshToken": 7}, headers={"X-Request-Id": "my-request-7"}
    )
    told = assert_problem(answer)
    assert (answer.status_code, told["instance"], told["requestId"]) == (
        422,
        "/api/v1/auth/refresh",
        "my-request-7",
    )
    assert [error["pointer"] for error in told["errors"]] == ["/refreshToken"]


@pytest.mark.parametrize("path", ["/nothing", "/api/v0/markets", "/api/v1", "/api/v1/", "/api/v1/markets/", "//markets",
                                  "/docs", "/redoc", "/debug", "/.env", "/api/v1/admin", "/" + "a" * 8000])  # fmt: skip
async def test_an_address_is_absent_when_there_is_nothing(shared: World, path: str) -> None:
    refused(await shared.http.get(f"http://localhost:3000{path}"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/markets", "GET"),
        ("DELETE", "/markets/register", "POST"),
        ("POST", "/me", "GET"),
        ("PATCH", "/documents", "POST"),
        ("GET", "/auth/siwe", "POST"),
        ("TRACE", "/markets", "GET"),
        ("OPTIONS", "/markets", "GET"),
        ("PROPFIND", "/admin/audit", "GET"),
    ],
)
async def test_a_method_is_refused_with_those_allowed_when_it_is_another(
    shared: World, method: str, path: str, allowed: str
) -> None:
    answer = await shared.http.request(method, path)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


async def test_a_bug_is_answered_as_ours_when_a_route_breaks(world: World) -> None:
    @world.app.get("/broken", openapi_extra=access(PUBLIC, bucket="reads"))
    async def broken() -> None:
        raise KeyError("secret-internals")

    for _ in range(2):
        answer = await world.http.get(f"{ROOT}/broken", headers={"X-Request-Id": "the-one-that-broke"})
        refused(answer, 500, "internal_error")
        assert answer.headers["X-Request-Id"] == "the-one-that-broke"
        assert "secret-internals" not in answer.text and "Traceback" not in answer.text


async def test_a_fault_of_the_database_is_503_when_it_goes_away(world: World) -> None:
    user = await world.user()
    await world.db.close()
    for path in ("/markets", "/me", "/tokens", "/exchange-info"):
        refused(await world.http.get(path, headers=user.headers), 503, "database_unavailable")
    refused(await world.http.post("/auth/nonce"), 503, "database_unavailable")
    refused(await world.http.get(f"{ROOT}/readyz"), 503, "not_ready")
    assert (await world.http.get(f"{ROOT}/readyz")).json()["database"] == "database_unavailable"
    assert (await world.http.get(f"{ROOT}/healthz")).status_code == 200
    assert (await world.http.get("/time")).status_code == 200


async def test_every_code_is_explained_when_its_address_is_opened(shared: World) -> None:
    page = await shared.http.get(f"{ROOT}/docs/errors")
    explained = set(re.findall(r'<tr id="([a-z_0-9]+)">', page.text))
    assert page.headers["Content-Type"].startswith("text/html")
    assert explained == {
        code for code, refusal in Refusal.registry.items() if refusal.__module__.startswith("deedbook.")
    }


async def test_secrets_stay_out_of_refusals_when_they_were_sent(shared: World) -> None:
    user = await shared.user()
    secret = "s3cr3t-" + "x" * 40
    answers = [
        await shared.http.post("/auth/refresh", json={"refreshToken": secret}),
        await shared.http.post("/auth/refresh", json={"refreshToken": [secret]}),
        await shared.http.post("/auth/siwe", json={"message": secret, "signature": secret}),
        await shared.http.post("/auth/siwe", json={"message": secret, "signature": 7, secret[:6]: 1}),
        await shared.http.get("/me", headers={"Authorization": f"Bearer {secret}"}),
        await shared.http.get("/admin/queues", headers=user.headers),
    ]
    for answer in answers:
        assert secret not in answer.text and user.access_token not in answer.text


async def test_metrics_show_themselves_to_neighbours_alone_when_in_production(
    dsn: str, valkey: EmbeddedValkey
) -> None:
    production = {
        "DEEDBOOK_ENV": "production",
        "SIWE_DOMAIN": "deedbook.test",
        "SAPPHIRE_CHAIN_ID": 23295,
        "SAPPHIRE_ADMIN_KEY": None,
        "KYC_BASE_URL": "https://kyc.test",
        "KYC_API_KEY": "a-key-for-the-tests",
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    async with open_world(dsn, valkey.url(), **production) as world:
        for address, status in (("8.8.8.8", 404), ("10.0.0.7", 200), ("2001:4860::1", 404), ("fd00::1", 200)):
            answer = await world.http.get(f"{ROOT}/metrics", headers={"X-Forwarded-For": address})
            assert answer.status_code == status, address


async def test_operators_alone_see_queues_when_metrics_are_public(shared: World) -> None:
    assert (await shared.http.get(f"{ROOT}/metrics")).status_code == 200
    operator = await shared.user(Role.OPERATOR)
    assert len((await shared.http.get("/admin/queues", headers=operator.headers)).json()["data"]) == 17


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        (f"/tokens/{UNKNOWN_ID}/rules", "GET, PUT"),
        (f"/tokens/compliance/{UNKNOWN_ID}", "GET, POST"),
        ("/time", "GET"),
    ],
)
async def test_all_methods_of_an_address_are_named_when_another_is_used(
    shared: World, path: str, methods: str
) -> None:
    answer = await shared.http.patch(path)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == methods
