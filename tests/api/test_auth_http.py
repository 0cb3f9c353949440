"""Signing in over HTTP: what a wallet and a browser see (A-04, A-05, A-14, A-17)."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest

from deedbook.stack.wallet import Wallet, sign_in, sign_in_message
from tests.api.support import refused
from tests.support.world import World


async def _attempt(world: World, message: str, signature: str) -> Any:
    return await world.http.post("/auth/siwe", json={"message": message, "signature": signature})


async def _offer(world: World) -> dict[str, Any]:
    told: dict[str, Any] = (await world.http.post("/auth/nonce")).json()
    return told


async def test_a_wallet_signs_in_refreshes_and_signs_out(shared: World) -> None:
    wallet = Wallet.new()
    held = await sign_in(shared.http, wallet)
    bearer = {"Authorization": f"Bearer {held['accessToken']}"}
    me = (await shared.http.get("/me", headers=bearer)).json()
    assert (me["account"], me["roles"], UUID(me["userId"])) == (
        wallet.address,
        ["investor"],
        UUID(held["userId"]),
    )

    newer = (await shared.http.post("/auth/refresh", json={"refreshToken": held["refreshToken"]})).json()
    assert (newer["tokenType"], newer["expiresIn"], newer["userId"]) == ("Bearer", 3600, held["userId"])
    assert (await shared.http.get("/me", headers=bearer)).status_code == 200  # one session, until it ends

    assert (await shared.http.post("/auth/logout", headers=bearer)).json() == {"done": True}
    refused(await shared.http.get("/me", headers=bearer), 401, "unauthenticated")
    refused(await shared.http.post("/auth/logout", headers=bearer), 401, "unauthenticated")
    answer = await shared.http.post("/auth/refresh", json={"refreshToken": newer["refreshToken"]})
    refused(answer, 401, "unauthenticated")


async def test_the_session_ends_when_a_stolen_refresh_token_comes_back(shared: World) -> None:
    held = await sign_in(shared.http, Wallet.new())
    newest = held
    for _ in range(3):
        newest = (
            await shared.http.post("/auth/refresh", json={"refreshToken": newest["refreshToken"]})
        ).json()
    stolen = await shared.http.post("/auth/refresh", json={"refreshToken": held["refreshToken"]})
    refused(stolen, 401, "unauthenticated")
    for credential in (held, newest):
        bearer = {"Authorization": f"Bearer {credential['accessToken']}"}
        refused(await shared.http.get("/me", headers=bearer), 401, "unauthenticated")


async def test_one_session_begins_when_one_signed_message_is_sent_fifty_times_at_once(shared: World) -> None:
    wallet = Wallet.new()
    message = sign_in_message(wallet.address, await _offer(shared))
    signature = wallet.sign(message)
    answers = await asyncio.gather(*(_attempt(shared, message, signature) for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 49}
    await shared.resources.redis.flushall()
    refused(await _attempt(shared, message, signature), 401, "sign_in_refused")


CHANGES: dict[str, tuple[str, str]] = {
    "domain": ("localhost:3000 wants", "evil.test wants"),
    "uri": ("URI: http://localhost:3000", "URI: http://evil.test"),
    "broken uri": ("URI: http://localhost:3000", "URI: http://["),
    "chain": ("Chain ID: 31337", "Chain ID: 1"),
    "version": ("Version: 1", "Version: 2"),
    "nonce": ("Nonce: ", "Nonce: 0"),
    "time": ("Issued At: 2", "Issued At: 1"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_message_is_refused_and_its_nonce_stays_free_when_one_part_is_wrong(
    shared: World, change: str
) -> None:
    wallet = Wallet.new()
    good = sign_in_message(wallet.address, await _offer(shared))
    bad = good.replace(*CHANGES[change])
    assert bad != good
    refused(await _attempt(shared, bad, wallet.sign(bad)), 401, "sign_in_refused")
    refused(await _attempt(shared, bad, wallet.sign(good)), 401, "sign_in_refused")
    assert (await _attempt(shared, good, wallet.sign(good))).status_code == 200


async def test_the_victims_nonce_stays_free_when_another_wallet_signed(shared: World) -> None:
    victim, thief = Wallet.new(), Wallet.new()
    message = sign_in_message(victim.address, await _offer(shared))
    refused(await _attempt(shared, message, thief.sign(message)), 401, "sign_in_refused")
    refused(await _attempt(shared, message, "0x" + "00" * 65), 401, "signature_malformed")
    assert (await _attempt(shared, message, victim.sign(message))).status_code == 200


async def test_answers_are_the_same_when_a_wallet_is_known_and_when_not(shared: World) -> None:
    known, unknown, other = Wallet.new(), Wallet.new(), Wallet.new()
    await sign_in(shared.http, known)
    told = []
    for wallet in (known, unknown):
        message = sign_in_message(wallet.address, await _offer(shared))
        answer = (await _attempt(shared, message, other.sign(message))).json()
        told.append({name: answer[name] for name in ("type", "title", "status", "detail", "code")})
    assert told[0] == told[1]


async def test_credentials_are_never_kept_by_caches_when_they_are_handed_out(shared: World) -> None:
    wallet = Wallet.new()
    message = sign_in_message(wallet.address, await _offer(shared))
    answer = await _attempt(shared, message, wallet.sign(message))
    assert answer.headers["Cache-Control"] == "no-store" and "Set-Cookie" not in answer.headers
    async with shared.db.reading() as connection:
        kept = str([dict(row) for row in await connection.fetch("SELECT * FROM sessions")])
    for token in ("accessToken", "refreshToken"):
        assert answer.json()[token] not in kept


async def test_a_user_sees_what_lets_them_in_and_ends_it_when_they_want(shared: World) -> None:
    wallet, stranger = Wallet.new(), await shared.user()
    lost, held = [await sign_in(shared.http, wallet) for _ in range(2)]
    bearer = {"Authorization": f"Bearer {held['accessToken']}"}
    first = (await shared.http.get("/me/sign-ins", params={"limit": 1}, headers=bearer)).json()
    following = {"limit": 1, "cursor": first["nextCursor"]}
    (other,) = (await shared.http.get("/me/sign-ins", params=following, headers=bearer)).json()["data"]
    (this,) = first["data"]
    assert (this["isThis"], other["isThis"], other["issuer"]) == (True, False, None)

    async def end(sign_in_id: str, headers: dict[str, str]) -> Any:
        keyed = {**headers, "Idempotency-Key": str(uuid4())}
        return await shared.http.delete(f"/me/sign-ins/{sign_in_id}", headers=keyed)

    refused(await end(other["id"], stranger.headers), 404, "sign_in_not_found")
    assert (await end(other["id"], bearer)).json() == {"done": True}
    over = {"Authorization": f"Bearer {lost['accessToken']}"}
    refused(await shared.http.get("/me", headers=over), 401, "unauthenticated")
    answer = await shared.http.post("/auth/refresh", json={"refreshToken": lost["refreshToken"]})
    refused(answer, 401, "unauthenticated")
    refused(await end(other["id"], bearer), 404, "sign_in_not_found")

    assert (await end(this["id"], bearer)).status_code == 200
    refused(await shared.http.get("/me", headers=bearer), 401, "unauthenticated")
    assert (await sign_in(shared.http, wallet))["userId"] == held["userId"]
