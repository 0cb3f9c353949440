"""What owners hear of their own things, and admins of everybody's: what custody, compliance and tokens add to the
table of who may call what (A-07, A-08, A-09)."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from deedbook.identity import Role
from deedbook.kernel.ids import UserId
from tests.api.support import ROOT, caller_of
from tests.api.test_access import CUSTODY, WHO_HEARS_WHAT, prepared_own
from tests.compliance.support import open_desk
from tests.notifications.support import reachable
from tests.support.floor import owned_settlement, owned_swap
from tests.support.till import owned_custody
from tests.support.world import User, World
from tests.tokens.support import failed_listing, issue

Things = tuple[str, dict[str, Any], User]

# What the owner of the things hears, and an admin.
OWNER_AND_ADMIN: dict[str, tuple[int, int]] = {
    "POST /api/v1/me/wallets": (409, 409),
    "GET /api/v1/me/wallets": (200, 200),
    "GET /api/v1/me/sign-ins": (200, 200),
    "DELETE /api/v1/me/sign-ins/{id}": (200, 404),
    "POST /api/v1/me/api-keys": (201, 201),
    "GET /api/v1/me/api-keys": (200, 200),
    "GET /api/v1/me/api-keys/{id}/requests": (200, 404),
    "DELETE /api/v1/me/api-keys/{id}": (200, 404),
    "GET /api/v1/me/leaderboard": (200, 200),
    "PUT /api/v1/me/leaderboard": (200, 200),
    "DELETE /api/v1/me/leaderboard": (200, 200),
    "GET /api/v1/me/notifications": (200, 200),
    "GET /api/v1/me/notifications/unread-count": (200, 200),
    "POST /api/v1/me/notifications/read-all": (200, 200),
    "GET /api/v1/me/notifications/{id}": (200, 404),
    "POST /api/v1/me/notifications/{id}/read": (200, 404),
    "GET /api/v1/me/notification-preferences": (200, 200),
    "PUT /api/v1/me/notification-preferences": (200, 200),
    "POST /api/v1/me/webhooks": (201, 201),
    "GET /api/v1/me/webhooks": (200, 200),
    "GET /api/v1/me/webhooks/{id}": (200, 404),
    "DELETE /api/v1/me/webhooks/{id}": (200, 404),
    "POST /api/v1/me/webhooks/{id}/rotate": (200, 404),
    "POST /api/v1/me/webhooks/{id}/enable": (200, 404),
    "POST /api/v1/me/webhooks/{id}/test": (202, 404),
    "GET /api/v1/me/webhooks/{id}/messages": (200, 404),
    "POST /api/v1/me/webhooks/{id}/messages/{messageId}/replay": (202, 404),
    "GET /api/v1/me/contacts": (200, 200),
    "PUT /api/v1/me/contacts/{channel}": (409, 409),  # nothing is sent by this installation
    "POST /api/v1/me/contacts/{channel}/verify": (422, 422),  # no code was
    "DELETE /api/v1/me/contacts/{channel}": (200, 404),
    "GET /api/v1/me/push-subscriptions": (200, 200),
    "POST /api/v1/me/push-subscriptions": (409, 409),  # nothing is pushed by this installation
    "DELETE /api/v1/me/push-subscriptions/{id}": (200, 404),
    "POST /api/v1/tokens/{id}/list": (403, 200),
    "GET /api/v1/tokens": (200, 200),
    "GET /api/v1/tokens/{id}": (200, 200),
    "POST /api/v1/tokens/{id}/mint": (201, 403),
    "POST /api/v1/tokens/{id}/refresh": (202, 202),
    "GET /api/v1/tokens/{id}/mints": (200, 200),
    "GET /api/v1/tokens/mints": (403, 200),
    "GET /api/v1/tokens/mints/{id}": (200, 200),
    "POST /api/v1/tokens/mints/{id}/approve": (403, 200),
    "POST /api/v1/tokens/mints/{id}/reject": (403, 200),
    "GET /api/v1/tokens/{id}/holders": (200, 200),
    "GET /api/v1/tokens/{id}/holders/export": (200, 200),
    "POST /api/v1/tokens/compliance/{userId}": (403, 403),  # compliance alone writes records
    "GET /api/v1/tokens/compliance/{userId}": (200, 200),
    "POST /api/v1/tokens/compliance/{userId}/preview": (403, 403),
    "POST /api/v1/tokens/compliance/{userId}/verify": (202, 404),
    "POST /api/v1/compliance/{userId}/freeze": (403, 200),
    "POST /api/v1/compliance/{userId}/unfreeze": (403, 200),
    "POST /api/v1/compliance/{userId}/sanctions": (403, 200),
    "POST /api/v1/compliance/{userId}/notes": (403, 201),
    "GET /api/v1/compliance/alerts": (403, 200),
    "GET /api/v1/compliance/restricted": (403, 200),
    "GET /api/v1/compliance/records": (403, 403),
    "GET /api/v1/tokens/{id}/rules": (200, 200),
    "PUT /api/v1/tokens/{id}/rules": (403, 200),
    "POST /api/v1/tokens/{id}/pause": (403, 200),
    "POST /api/v1/tokens/{id}/unpause": (403, 200),
    "POST /api/v1/tokens/{id}/compliance/preview": (200, 200),
    "POST /api/v1/deposits": (201, 404),
    "GET /api/v1/deposits": (200, 200),
    "GET /api/v1/deposits/terms/{tokenId}": (503, 503),  # there is no chain here to ask
    "GET /api/v1/deposits/{id}": (200, 404),
    "POST /api/v1/withdrawals": (201, 404),
    "GET /api/v1/withdrawals": (200, 200),
    "GET /api/v1/withdrawals/{id}": (200, 200),
    "POST /api/v1/withdrawals/{id}/cancel": (200, 404),
    "POST /api/v1/withdrawals/{id}/approve": (403, 200),
    "POST /api/v1/withdrawals/{id}/reject": (403, 200),
    "GET /api/v1/withdrawals/addresses": (200, 200),
    "GET /api/v1/withdrawals/limits/{tokenId}": (200, 200),
    "POST /api/v1/withdrawals/addresses": (201, 201),
    "DELETE /api/v1/withdrawals/addresses/{address}": (200, 404),
    "PUT /api/v1/withdrawals/allow-list": (200, 200),
    "POST /api/v1/tokens/{id}/transfer": (201, 404),
    "GET /api/v1/transfers": (200, 200),
    "GET /api/v1/transfers/{id}": (200, 404),
    "GET /api/v1/ledger": (200, 200),
    "GET /api/v1/ledger/export": (200, 200),
    "GET /api/v1/tokens/balances/{userId}": (200, 200),
    "GET /api/v1/tokens/balances/{userId}/{tokenId}": (200, 200),
    "GET /api/v1/admin/withdrawals": (403, 200),
    "GET /api/v1/admin/withdrawal-limits/{tokenId}": (403, 200),
    "PUT /api/v1/admin/withdrawal-limits/{tokenId}": (403, 200),
    "GET /api/v1/trading/trades/{tradeId}/settlement": (200, 200),
    "GET /api/v1/trading/users/{userId}/settlements": (200, 200),
    "GET /api/v1/admin/settlements": (403, 200),
    "GET /api/v1/admin/settlements/summary": (403, 200),
    "POST /api/v1/admin/settlements/{tradeId}/retry": (403, 200),
    "POST /api/v1/swaps/quote": (200, 200),
    "POST /api/v1/swaps": (201, 404),
    "GET /api/v1/swaps": (200, 200),
    "GET /api/v1/swaps/{id}": (200, 404),
    "GET /api/v1/admin/chain/watcher": (403, 200),
    "POST /api/v1/admin/chain/rescan": (403, 202),
}


async def _of_a_holder(world: World, path: str) -> Things:
    """Somebody whom compliance has on record, and a token that is not theirs."""
    owner, desk = await world.user(), await open_desk(world.db)
    bodies: dict[str, dict[str, Any]] = {
        "{userId}": {"tokenId": str(desk.token), "kycStatus": "APPROVED"},
        "verify": {"tokenId": str(desk.token), "legalName": "Ada", "country": "LU"},
        "sanctions": {"sanctioned": True, "reason": "looked at it"},
        "notes": {"text": "looked at it"},
        "preview": {"operation": "DEPOSIT", "toUserId": str(owner.user_id), "amount": "1"},
    }
    body = bodies.get(path.rsplit("/", 1)[-1], {"reason": "looked at it"})
    if path.endswith("{userId}/preview"):
        body = bodies["{userId}"]
    return path.replace("{userId}", str(owner.user_id)).replace("{id}", str(desk.token)), body, owner


async def _of_an_issuer(world: World, path: str) -> Things:
    """An issuer's token, a mint of it, or a token whose listing has failed."""
    owner = await world.issuer()
    issued = await issue(world.db, caller=caller_of(owner))
    last = path.rsplit("/", 1)[-1]
    named: UUID = issued.token_id
    if last == "list":
        named = (await failed_listing(world.db)).token_id
    if "/mints/{id}" in path:
        named = (await issued.ask("1")).mint_id
    bodies: dict[str, dict[str, Any]] = {
        "mint": {"amount": "1", "reason": "more"},
        "reject": {"reason": "no"},
        "pause": {"reason": "looked at it"},
        "unpause": {"reason": "looked at it"},
    }
    return path.replace("{id}", str(named)), bodies.get(last, {}), owner


async def _of_somebody(world: World, path: str) -> Things:
    """Somebody who can be reached, and what stands under `/me`."""
    owner = await world.user()
    if path.endswith("/contacts/{channel}"):
        await reachable(world.db, UserId(owner.user_id))
    return *await prepared_own(world, owner, path), owner


def _prepare(path: str) -> Callable[[World, str], Awaitable[Things]]:
    if "/me/" in path:
        return _of_somebody
    if "/settlement" in path:
        return owned_settlement
    if "/swaps" in path:
        return owned_swap
    if any(part in path for part in CUSTODY):
        return owned_custody
    return _of_a_holder if "/compliance" in path else _of_an_issuer


@pytest.mark.parametrize("operation", OWNER_AND_ADMIN)
async def test_owner_and_admin_hear_what_the_table_says(shared: World, operation: str) -> None:
    method, path = operation.split()
    heard = []
    for is_admin in (False, True):
        told, body, owner = await _prepare(path)(shared, path)
        caller = await shared.user(Role.ADMIN) if is_admin else owner
        headers = {**caller.headers, "Idempotency-Key": str(uuid4())}
        given = body if method not in ("GET", "DELETE") else None
        heard.append(
            (await shared.http.request(method, ROOT + told, headers=headers, json=given)).status_code
        )
    assert tuple(heard) == OWNER_AND_ADMIN[operation]


def test_the_table_has_every_route_about_what_each_one_holds() -> None:
    about = (*CUSTODY, "/compliance", "/tokens", "/settlement", "/me/", "/swaps")
    routes = {name for name in WHO_HEARS_WHAT if any(part in name for part in about)}
    assert routes - {"POST /api/v1/tokens"} == set(OWNER_AND_ADMIN)
