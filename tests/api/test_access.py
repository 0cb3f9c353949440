"""Who may call what: every route says so, and the table below is what each kind of caller hears (A-07 to A-10)."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import WebSocketRoute

from deedbook.api.app import create_app
from deedbook.api.deps import PUBLIC, SIGNED_IN, access
from deedbook.api.strict import StrictRoute
from deedbook.identity import Role
from deedbook.kernel.ids import UserId
from deedbook.markets import MarketStatus
from tests.api.support import ROOT, caller_of, refused, routes
from tests.compliance.support import new_user, open_desk
from tests.markets.support import market_in
from tests.notifications.support import prepared_push, prepared_webhook, told_of_a_deposit
from tests.support.floor import prepared_price_source, prepared_settlement, prepared_swap, prepared_trading
from tests.support.till import prepared_custody
from tests.support.world import User, World, registration, test_settings
from tests.tokens.support import a_symbol, failed_listing, issue

A_PUBLIC_READ, A_USERS_OWN = (200, 200, 200, 200, 200), (401, 200, 200, 200, 200)
OFFICERS_STEP, OPERATORS = (401, 403, 403, 200, 403), (401, 403, 403, 403, 200)
OFFICERS_READ = (401, 404, 404, 200, 404)
NOT_YOURS, STAFF = (401, 404, 404, 404, 404), (401, 403, 403, 200, 200)
STAFF_READ = (401, 404, 404, 200, 200)

# What anonymous, an investor, another issuer, the issuer's officer and an operator hear. 404 is "not yours".
WHO_HEARS_WHAT: dict[str, tuple[int, int, int, int, int]] = {
    "POST /api/v1/auth/nonce": A_PUBLIC_READ,
    "POST /api/v1/auth/siwe": (401, 401, 401, 401, 401),  # nobody signs in without a signature
    "POST /api/v1/auth/refresh": (401, 401, 401, 401, 401),
    "POST /api/v1/auth/logout": A_USERS_OWN,
    "GET /api/v1/me": A_USERS_OWN,
    "GET /api/v1/me/wallets": A_USERS_OWN,
    "POST /api/v1/me/wallets": (401, 409, 409, 409, 409),  # who came by a wallet has one
    "GET /api/v1/me/sign-ins": A_USERS_OWN,
    "DELETE /api/v1/me/sign-ins/{id}": NOT_YOURS,
    "POST /api/v1/me/api-keys": (401, 201, 201, 201, 201),
    "GET /api/v1/me/api-keys": A_USERS_OWN,
    "GET /api/v1/me/api-keys/{id}/requests": NOT_YOURS,
    "DELETE /api/v1/me/api-keys/{id}": NOT_YOURS,
    "POST /api/v1/markets/register": (401, 403, 201, 403, 403),  # another issuer registers their own
    "POST /api/v1/markets/{id}/approve": OFFICERS_STEP,
    "POST /api/v1/markets/{id}/activate": OFFICERS_STEP,
    "POST /api/v1/markets/{id}/pause": OFFICERS_STEP,
    "POST /api/v1/markets/{id}/resume": OFFICERS_STEP,
    "POST /api/v1/markets/{id}/archive": OFFICERS_STEP,
    "GET /api/v1/markets": A_PUBLIC_READ,
    "GET /api/v1/markets/{id}": A_PUBLIC_READ,
    "GET /api/v1/markets/{id}/details": A_PUBLIC_READ,
    "GET /api/v1/markets/{id}/events": A_PUBLIC_READ,
    "POST /api/v1/documents": (401, 201, 201, 201, 201),
    "GET /api/v1/documents/{id}": (401, 404, 404, 200, 404),
    "POST /api/v1/tokens": (401, 403, 403, 403, 503),  # no contract can be asked: there is no chain here
    "POST /api/v1/tokens/{id}/list": OPERATORS,
    "GET /api/v1/tokens": A_PUBLIC_READ,
    "GET /api/v1/tokens/{id}": A_PUBLIC_READ,
    "POST /api/v1/tokens/{id}/mint": (401, 403, 404, 403, 403),
    "POST /api/v1/tokens/{id}/refresh": (401, 403, 404, 403, 202),
    "GET /api/v1/tokens/{id}/mints": OFFICERS_READ,
    "GET /api/v1/tokens/mints": OFFICERS_STEP,
    "GET /api/v1/tokens/mints/{id}": OFFICERS_READ,
    "POST /api/v1/tokens/mints/{id}/approve": OFFICERS_STEP,
    "POST /api/v1/tokens/mints/{id}/reject": OFFICERS_STEP,
    "GET /api/v1/tokens/{id}/holders": OFFICERS_READ,
    "GET /api/v1/tokens/{id}/holders/export": OFFICERS_READ,
    "POST /api/v1/tokens/compliance/{userId}": OFFICERS_STEP,
    "GET /api/v1/tokens/compliance/{userId}": OFFICERS_READ,
    "POST /api/v1/tokens/compliance/{userId}/preview": OFFICERS_STEP,
    "POST /api/v1/tokens/compliance/{userId}/verify": (401, 404, 404, 202, 404),
    "POST /api/v1/compliance/{userId}/freeze": OFFICERS_STEP,
    "POST /api/v1/compliance/{userId}/unfreeze": OFFICERS_STEP,
    "POST /api/v1/compliance/{userId}/sanctions": OFFICERS_STEP,
    "POST /api/v1/compliance/{userId}/notes": (401, 403, 403, 201, 403),
    "GET /api/v1/compliance/alerts": OFFICERS_STEP,
    "GET /api/v1/compliance/restricted": OFFICERS_STEP,
    "GET /api/v1/compliance/records": OFFICERS_STEP,
    "GET /api/v1/tokens/{id}/rules": A_PUBLIC_READ,
    "PUT /api/v1/tokens/{id}/rules": OFFICERS_STEP,
    "POST /api/v1/tokens/{id}/pause": OFFICERS_STEP,
    "POST /api/v1/tokens/{id}/unpause": OFFICERS_STEP,
    "POST /api/v1/tokens/{id}/compliance/preview": OFFICERS_READ,
    "POST /api/v1/deposits": NOT_YOURS,  # whoever did not sign it
    "GET /api/v1/deposits": A_USERS_OWN,
    "GET /api/v1/deposits/terms/{tokenId}": (401, 503, 503, 503, 503),  # there is no chain here to ask
    "GET /api/v1/deposits/{id}": NOT_YOURS,
    "POST /api/v1/withdrawals": NOT_YOURS,
    "GET /api/v1/withdrawals": A_USERS_OWN,
    "GET /api/v1/withdrawals/{id}": STAFF_READ,
    "POST /api/v1/withdrawals/{id}/cancel": NOT_YOURS,
    "POST /api/v1/withdrawals/{id}/approve": STAFF,
    "POST /api/v1/withdrawals/{id}/reject": STAFF,
    "GET /api/v1/withdrawals/addresses": A_USERS_OWN,
    "GET /api/v1/withdrawals/limits/{tokenId}": A_USERS_OWN,
    "POST /api/v1/withdrawals/addresses": (401, 201, 201, 201, 201),
    "DELETE /api/v1/withdrawals/addresses/{address}": NOT_YOURS,
    "PUT /api/v1/withdrawals/allow-list": A_USERS_OWN,
    "POST /api/v1/tokens/{id}/transfer": NOT_YOURS,
    "GET /api/v1/transfers": A_USERS_OWN,
    "GET /api/v1/transfers/{id}": NOT_YOURS,
    "GET /api/v1/ledger": A_USERS_OWN,
    "GET /api/v1/ledger/export": A_USERS_OWN,
    "GET /api/v1/tokens/balances/{userId}": STAFF_READ,
    "GET /api/v1/tokens/balances/{userId}/{tokenId}": STAFF_READ,
    "GET /api/v1/admin/withdrawals": STAFF,
    "GET /api/v1/admin/withdrawal-limits/{tokenId}": STAFF,
    "PUT /api/v1/admin/withdrawal-limits/{tokenId}": (401, 403, 403, 403, 403),  # admins alone
    "GET /api/v1/admin/chain/watcher": STAFF,
    "POST /api/v1/admin/chain/rescan": (401, 403, 403, 403, 202),
    "POST /api/v1/trading/orders": NOT_YOURS,  # whoever did not sign it
    "POST /api/v1/trading/orders/batch": A_USERS_OWN,  # each order is answered for itself
    "DELETE /api/v1/trading/orders/{id}": NOT_YOURS,
    "GET /api/v1/trading/orders/{id}": NOT_YOURS,
    "GET /api/v1/trading/orders/by-client-id/{clientOrderId}": NOT_YOURS,
    "POST /api/v1/trading/orders/{id}/replace": NOT_YOURS,
    "POST /api/v1/trading/orders/{id}/reduce": NOT_YOURS,
    "POST /api/v1/trading/orders/preview": A_USERS_OWN,
    "POST /api/v1/trading/orders/cancel-all": A_USERS_OWN,
    "POST /api/v1/trading/cancel-all-after": A_USERS_OWN,
    "POST /api/v1/swaps/quote": A_PUBLIC_READ,
    "POST /api/v1/swaps": NOT_YOURS,  # whoever did not sign it
    "GET /api/v1/swaps": A_USERS_OWN,
    "GET /api/v1/swaps/{id}": NOT_YOURS,
    "GET /api/v1/trading/users/{userId}/orders": STAFF_READ,
    "GET /api/v1/trading/users/{userId}/trades": STAFF_READ,
    "GET /api/v1/trading/trades/{tradeId}/settlement": STAFF_READ,
    "GET /api/v1/trading/users/{userId}/settlements": STAFF_READ,
    "GET /api/v1/admin/settlements": STAFF,
    "GET /api/v1/admin/settlements/summary": STAFF,
    "POST /api/v1/admin/settlements/{tradeId}/retry": OPERATORS,
    "POST /api/v1/trading/pairs": (401, 403, 403, 403, 201),
    "PATCH /api/v1/trading/pairs/{id}": OPERATORS,
    "GET /api/v1/trading/pairs/{id}/orderbook": A_PUBLIC_READ,
    "GET /api/v1/trading/pairs/{id}/trades": A_PUBLIC_READ,
    "GET /api/v1/trading/pairs/{id}/candles": A_PUBLIC_READ,
    "GET /api/v1/trading/pairs/{id}/stats": A_PUBLIC_READ,
    "GET /api/v1/trading/pairs/{id}/price": A_PUBLIC_READ,
    "GET /api/v1/trading/stats": A_PUBLIC_READ,
    "GET /api/v1/me/leaderboard": A_USERS_OWN,
    "PUT /api/v1/me/leaderboard": A_USERS_OWN,
    "DELETE /api/v1/me/leaderboard": A_USERS_OWN,
    "GET /api/v1/me/notifications": A_USERS_OWN,
    "GET /api/v1/me/notifications/unread-count": A_USERS_OWN,
    "POST /api/v1/me/notifications/read-all": A_USERS_OWN,
    "GET /api/v1/me/notifications/{id}": NOT_YOURS,
    "POST /api/v1/me/notifications/{id}/read": NOT_YOURS,
    "GET /api/v1/me/notification-preferences": A_USERS_OWN,
    "PUT /api/v1/me/notification-preferences": A_USERS_OWN,
    "POST /api/v1/me/webhooks": (401, 201, 201, 201, 201),
    "GET /api/v1/me/webhooks": A_USERS_OWN,
    "GET /api/v1/me/webhooks/{id}": NOT_YOURS,
    "DELETE /api/v1/me/webhooks/{id}": NOT_YOURS,
    "POST /api/v1/me/webhooks/{id}/rotate": NOT_YOURS,
    "POST /api/v1/me/webhooks/{id}/enable": NOT_YOURS,
    "POST /api/v1/me/webhooks/{id}/test": NOT_YOURS,
    "GET /api/v1/me/webhooks/{id}/messages": NOT_YOURS,
    "POST /api/v1/me/webhooks/{id}/messages/{messageId}/replay": NOT_YOURS,
    "GET /api/v1/me/contacts": A_USERS_OWN,
    "PUT /api/v1/me/contacts/{channel}": (401, 409, 409, 409, 409),  # nothing is sent by this installation
    "POST /api/v1/me/contacts/{channel}/verify": (401, 422, 422, 422, 422),  # no code was
    "DELETE /api/v1/me/contacts/{channel}": NOT_YOURS,
    "GET /api/v1/me/push-subscriptions": A_USERS_OWN,
    "POST /api/v1/me/push-subscriptions": (401, 409, 409, 409, 409),  # nothing is pushed by this installation
    "DELETE /api/v1/me/push-subscriptions/{id}": NOT_YOURS,
    "GET /api/v1/admin/price-sources": OPERATORS,
    "POST /api/v1/admin/price-sources": (401, 403, 403, 403, 201),
    "DELETE /api/v1/admin/price-sources/{id}": OPERATORS,
    "GET /api/v1/trading/pairs": A_PUBLIC_READ,
    "GET /api/v1/trading/pairs/{id}": A_PUBLIC_READ,
    "POST /api/v1/ws/ticket": (401, 201, 201, 201, 201),
    "GET /api/v1/exchange-info": A_PUBLIC_READ,
    "GET /api/v1/time": A_PUBLIC_READ,
    "GET /api/v1/webhooks/health": A_PUBLIC_READ,
    "POST /api/v1/webhooks/entity-permissions": (
        401,
        401,
        401,
        401,
        401,
    ),  # signed by the service, or not at all
    "GET /api/v1/admin/queues": OPERATORS,
    "GET /api/v1/admin/queues/{name}/jobs": OPERATORS,
    "POST /api/v1/admin/jobs/{queue}/{id}/retry": OPERATORS,
    "POST /api/v1/admin/jobs/{queue}/{id}/park": OPERATORS,
    "GET /api/v1/admin/processed-events": OPERATORS,
    "POST /api/v1/admin/processed-events/{id}/retry": OPERATORS,
    "GET /api/v1/admin/people": STAFF,
    "GET /api/v1/admin/audit": (401, 403, 403, 200, 200),
    "GET /api/v1/admin/audit/export": (401, 403, 403, 422, 422),  # of which period?
    "GET /api/v1/admin/audit/verification": STAFF,
    "GET /api/v1/admin/reconciliation": STAFF,
    "POST /api/v1/admin/reconciliation/run": (401, 403, 403, 403, 202),
    "GET /healthz": A_PUBLIC_READ,
    "GET /readyz": A_PUBLIC_READ,
    "GET /metrics": A_PUBLIC_READ,
    "GET /docs/errors": A_PUBLIC_READ,
    "GET /openapi.json": A_PUBLIC_READ,
    "GET /": (307,) * 5,
    "GET /app": A_PUBLIC_READ,
    "GET /app/demo-people": A_PUBLIC_READ,
    "GET /app/{path:path}": A_PUBLIC_READ,
    "GET /asyncapi.json": A_PUBLIC_READ,
}
AT_THE_ROOT = ("/", "/healthz", "/readyz", "/metrics", "/docs/errors", "/openapi.json", "/asyncapi.json")
CUSTODY = ("/deposits", "/withdrawal", "/transfer", "/balances", "/ledger", "/admin/chain")
ACTORS = ("anonymous", "investor", "other_issuer", "officer", "operator")
STATE_FOR = {
    "approve": MarketStatus.PENDING_APPROVAL,
    "activate": MarketStatus.APPROVED,
    "pause": MarketStatus.ACTIVE,
    "resume": MarketStatus.PAUSED,
    "archive": MarketStatus.ACTIVE,
}
FAILED_JOB = (
    "INSERT INTO jobs (job_id, queue, name, data, status) VALUES ($1, 'housekeeping', 'x', '{}', 'failed')"
)
FAILED_EVENT = (
    "INSERT INTO processed_events (event_id, event_type, source, received_via, payload, context, processing_status) "
    "VALUES ($1, 'market.approved', 'x', 'webhook', '{}', '{}', 'failed')"
)


@pytest.fixture(scope="module")
async def issuer(shared: World) -> User:
    """Whose things the others try to reach."""
    return await shared.issuer()


async def actors_around(world: World, issuer: User) -> dict[str, User | None]:
    assert issuer.entity_id is not None
    return {
        "anonymous": None,
        "investor": await world.user(),
        "other_issuer": await world.issuer(),
        "officer": await world.officer(issuer.entity_id),
        "operator": await world.user(Role.OPERATOR),
    }


def test_every_route_says_who_may_call_it_when_the_app_is_built() -> None:
    app = create_app(test_settings("postgresql://x/y", "redis://x"))
    told = set()
    for route in routes(app):
        if isinstance(route, WebSocketRoute):
            assert route.path == "/api/v1/ws", "what a socket may do is tested in tests/api/live"
            continue
        assert isinstance(route, APIRoute), (
            f"{route} is no route of ours, so the guard does not stand before it"
        )
        declared = route.openapi_extra or {}
        assert set(declared["x-access"]) <= {PUBLIC, SIGNED_IN, *(role.value for role in Role)}
        assert declared["x-access"] and declared["x-rate-bucket"] in {
            "reads",
            "writes",
            "auth",
            "webhooks",
            "health",
            "orders",
            "cancels",
        }
        prefix = "" if route.path in AT_THE_ROOT or route.path.startswith("/app") else "/api/v1"
        told |= {f"{method} {prefix}{route.path}" for method in route.methods or ()}
        if {"POST", "PUT"} & set(route.methods or ()) and "webhooks" not in route.path:
            assert isinstance(route, StrictRoute), (
                f"{route.path} would read a body before it knows who is calling"
            )
    assert told == set(WHO_HEARS_WHAT), "a route came or went: say in the table who hears what"


def _plant(app: FastAPI, **options: Any) -> str:
    """Add a route; its address."""
    router, path = APIRouter(route_class=options.pop("route_class", APIRoute)), f"/planted-{uuid4()}"

    @router.post(path, **options)
    async def planted() -> dict[str, str]:
        return {"reached": "yes"}

    app.include_router(router)
    return ROOT + path


@pytest.mark.parametrize("route_class", [APIRoute, StrictRoute])
@pytest.mark.parametrize(
    "extra", [None, {}, {"x-access": []}, {"x-access": ["public"]}, {"x-rate-bucket": "reads"}]
)
async def test_a_route_is_refused_to_everybody_when_it_says_nothing_of_access(
    shared: World, route_class: type[APIRoute], extra: dict[str, Any] | None
) -> None:
    address = _plant(shared.app, openapi_extra=extra, route_class=route_class)
    for headers in ({}, (await shared.user(*Role)).headers):
        refused(await shared.http.post(address, headers=headers), 403, "forbidden")


async def test_a_route_is_reached_when_it_says_public(shared: World) -> None:
    address = _plant(shared.app, openapi_extra=access(PUBLIC, bucket="reads"))
    assert (await shared.http.post(address)).json() == {"reached": "yes"}


@pytest.mark.parametrize("operation", WHO_HEARS_WHAT)
async def test_each_caller_hears_what_the_table_says_when_calling(
    shared: World, issuer: User, operation: str
) -> None:
    heard = {}
    for name, user in (await actors_around(shared, issuer)).items():
        method, path = operation.split()
        path, body = await _prepared(shared, issuer, path)
        headers = {"Idempotency-Key": str(uuid4()), **(user.headers if user else {})}
        response = await shared.http.request(
            method, ROOT + path, headers=headers, json=body if method not in ("GET", "DELETE") else None
        )
        heard[name] = response.status_code
    assert heard == dict(zip(ACTORS, WHO_HEARS_WHAT[operation], strict=True))


async def _prepared(world: World, issuer: User, path: str) -> tuple[str, dict[str, Any]]:
    """The path with ids of the issuer's things in the state that the call needs, and a body that is valid."""
    last = path.rsplit("/", 1)[-1]
    bodies: dict[str, dict[str, Any]] = {
        "register": registration(),
        "approve": {"decision": "approve"},
        "park": {"reason": "the provider is away"},
        "siwe": {"message": "let me in", "signature": "0x"},
        "refresh": {"refreshToken": f"{uuid4()}.{'x' * 43}"},
        "documents": {"title": "Deed", "kind": "deed", "sha256": "00" * 32},
        "entity-permissions": {"event_id": str(uuid4()), "event_type": "market.approved"},
    }
    if "/settlement" in path:
        return await prepared_settlement(world, path)
    if "/swaps" in path:
        return await prepared_swap(world, path)
    if "/trading/" in path:
        return await prepared_trading(world, path)
    if "/price-sources" in path:
        return await prepared_price_source(world, path)
    if any(part in path for part in CUSTODY):
        return await prepared_custody(world, path)
    if "/compliance" in path or (path.endswith(("/rules", "}/pause", "/unpause")) and "/tokens" in path):
        return await _prepared_compliance(world, path)
    if "/tokens" in path:
        return await _prepared_token(world, issuer, path)
    if "/me/" in path:
        return await prepared_own(world, issuer, path)
    body = bodies.get(last, {})
    if last in STATE_FOR or "/markets/{id}" in path:
        state = STATE_FOR.get(last, MarketStatus.PENDING_APPROVAL)
        market = await market_in(world.db, state, caller_of(issuer))
        return path.replace("{id}", str(market.market_id)), body
    if path.endswith("/documents/{id}"):
        return path.replace("{id}", await _document(world, issuer)), body
    if last in ("retry", "park"):
        made = f"made-for-a-test-{uuid4()}"
        async with world.db.transaction() as tx:
            await tx.execute(FAILED_JOB if "/jobs/" in path else FAILED_EVENT, made)
        return path.replace("{id}", made).replace("{queue}", "housekeeping"), body
    return path.replace("{name}", "housekeeping").replace("{id}", "LUXAPT-USDC"), body


async def prepared_own(world: World, owner: User, path: str) -> tuple[str, dict[str, Any]]:
    """The path with the id of something that is this user's alone, and a body that is valid."""
    last, user_id = path.rsplit("/", 1)[-1], UserId(owner.user_id)
    if "/notifications" in path:
        told = await told_of_a_deposit(world.db, user_id)
        return path.replace("{id}", str(told)), {"upTo": str(told)} if last == "read-all" else {}
    if "/api-keys" in path:
        return await prepared_key(world, owner, path)
    if "/sign-ins" in path:
        return path.replace("{id}", await its_sign_in(world, owner)), {}
    if "/webhooks" in path:
        return await prepared_webhook(world.db, user_id, path)
    if "/push-subscriptions" in path:
        return await prepared_push(world.db, user_id, path)
    bodies: dict[str, dict[str, Any]] = {
        "wallets": {"message": "let me in", "signature": "0x"},
        "verify": {"code": "01234567"},
        "{channel}": {"address": "ada@example.com"},
        "notification-preferences": {"preferences": [{"kind": "order.filled", "email": False}]},
        "leaderboard": {"name": f"Trader {uuid4()}"[:40]},
    }
    return path.replace("{channel}", "email"), bodies.get(last, {})


async def prepared_key(world: World, owner: User, path: str) -> tuple[str, dict[str, Any]]:
    """The path with the id of a key of this user, and the body of another one."""
    body = {"name": "a program", "scopes": ["read"]}
    if "{id}" not in path:
        return path, body
    made = await world.post("/me/api-keys", owner, body)
    return path.replace("{id}", made.json()["key"]["id"]), {}


async def its_sign_in(world: World, owner: User) -> str:
    """The newest session of this user."""
    listed = await world.http.get("/me/sign-ins", headers=owner.headers)
    return str(listed.json()["data"][0]["id"])


async def _prepared_compliance(world: World, path: str) -> tuple[str, dict[str, Any]]:
    """The path with a user of nobody's, and a token that was issued by somebody else."""
    desk, user_id = await open_desk(world.db), await new_user(world.db)
    papers = {"tokenId": str(desk.token), "legalName": "Ada", "country": "LU"}
    bodies: dict[str, dict[str, Any]] = {
        "{userId}": {"tokenId": str(desk.token), "kycStatus": "APPROVED"},
        "verify": papers,
        "sanctions": {"sanctioned": True, "reason": "looked at it"},
        "notes": {"text": "looked at it"},
        "preview": {"operation": "DEPOSIT", "toUserId": str(user_id), "amount": "1"},
        "rules": {},
    }
    body = bodies.get(path.rsplit("/", 1)[-1], {"reason": "looked at it"})
    if path.endswith("{userId}/preview"):
        body = bodies["{userId}"]
    return path.replace("{userId}", str(user_id)).replace("{id}", str(desk.token)), body


async def _prepared_token(world: World, issuer: User, path: str) -> tuple[str, dict[str, Any]]:
    """The path with the id of the issuer's token, of a mint of it, or of a token whose listing has failed."""
    bodies: dict[str, dict[str, Any]] = {
        "tokens": {
            "symbol": a_symbol(),
            "name": "Other",
            "type": "STABLE",
            "contractAddress": "0x" + "ab" * 20,
        },
        "mint": {"amount": "1", "reason": "more"},
        "reject": {"reason": "no"},
    }
    last = path.rsplit("/", 1)[-1]
    if last == "list":
        return path.replace("{id}", str((await failed_listing(world.db)).token_id)), {}
    issued = await issue(world.db, caller=caller_of(issuer))
    named = (await issued.ask("1")).mint_id if "/mints/{id}" in path else issued.token_id
    return path.replace("{id}", str(named)), bodies.get(last, {})


async def _document(world: World, user: User) -> str:
    told = await world.post("/documents", user, {"title": "Deed", "kind": "deed", "sha256": "00" * 32})
    return str(told.json()["id"])


async def test_a_document_reads_as_absent_when_it_is_another_users(shared: World, issuer: User) -> None:
    document_id, investor = await _document(shared, issuer), await shared.user()
    theirs = await shared.http.get(f"/documents/{document_id}", headers=investor.headers)
    absent = await shared.http.get(f"/documents/{uuid4()}", headers=investor.headers)
    same = ("code", "title", "detail", "status")
    assert [theirs.json()[name] for name in same] == [absent.json()[name] for name in same]
    assert (await shared.http.get(f"/documents/{document_id}", headers=issuer.headers)).status_code == 200


async def test_a_document_is_refused_when_another_user_attaches_it(shared: World, issuer: User) -> None:
    document_id, other = await _document(shared, issuer), await shared.issuer()
    body = {"title": "Mine now", "kind": "deed", "sha256": "11" * 32, "replaces": document_id}
    refused(await shared.post("/documents", other, body), 404, "document_not_found")
    attached = registration(assetDetails={"complianceDocuments": [document_id]})
    refused(
        await shared.post("/markets/register", other, attached),
        422,
        "invalid_request",
        "/assetDetails/complianceDocuments/0",
    )


CLAIMS_TO_BE = {
    "X-User-Id": "admin",
    "X-Roles": "admin,operator",
    "X-Role": "admin",
    "X-Forwarded-User": "admin",
    "X-Original-URL": "/api/v1/time",
    "X-Rewrite-URL": "/api/v1/time",
    "X-HTTP-Method-Override": "GET",
    "X-Forwarded-Host": "localhost",
    "X-Client-Cert": "admin",
    "Cookie": "roles=admin; session=admin",
    "Forwarded": "for=127.0.0.1;by=admin",
}


@pytest.mark.parametrize("name", CLAIMS_TO_BE)
async def test_a_role_is_not_believed_when_a_header_claims_it(shared: World, name: str) -> None:
    claim = {name: CLAIMS_TO_BE[name]}
    refused(await shared.http.get("/admin/queues", headers=claim), 401, "unauthenticated")
    investor = await shared.user()
    refused(await shared.http.get("/admin/queues", headers={**investor.headers, **claim}), 403, "forbidden")
    told = (await shared.http.get("/me", headers={**investor.headers, **claim})).json()
    assert (told["roles"], UUID(told["userId"])) == (["investor"], investor.user_id)


@pytest.mark.parametrize("scheme", ["", "Basic", "Token", "bearer,Bearer", "Bearer Bearer"])
async def test_a_credential_is_refused_when_it_comes_in_another_way(shared: World, scheme: str) -> None:
    user = await shared.user()
    response = await shared.http.get("/me", headers={"Authorization": f"{scheme} {user.access_token}"})
    refused(response, 401, "unauthenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    refused(await shared.http.get("/me", params={"access_token": user.access_token}), 401, "unauthenticated")
