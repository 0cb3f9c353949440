"""API keys on the socket: each hears and sends only what it was made for, and ends when it is ended."""

from uuid import uuid4

from tests.api.live.conftest import Stand
from tests.api.live.support import listening
from tests.api.test_api_keys import make


async def test_a_key_hears_and_sends_on_a_socket_only_what_it_was_made_for(stand: Stand) -> None:
    floor = stand.floor
    user = await floor.investor("500")
    order = floor.order(user)
    heard = {}
    for scope in ("read", "account", "trade"):
        made = await make(floor.world, user, scope, dailyNotional="150")
        async with listening(stand.address) as listener:
            told = await listener.ask(op="auth", token=made["apiKey"])
            assert (told["type"], told["userId"]) == ("authenticated", str(user.user_id))
            answers = [
                await listener.ask(op="subscribe", channel="orders"),
                await listener.ask(op="subscribe", channel="balances"),
                await listener.ask(op="order", order=order),
            ]
            if scope == "trade":
                answers.append(await listener.ask(op="order", order=floor.order(user)))
            heard[scope] = [(one.get("problem") or {}).get("code") or one["type"] for one in answers]
    missing = "key_scope_missing"
    assert heard == {
        "read": ["subscribed", missing, missing],
        "account": [missing, "subscribed", missing],
        "trade": [missing, missing, "order", "key_cap_reached"],
    }


async def test_a_key_takes_no_socket_over_that_something_else_has_opened(stand: Stand) -> None:
    """What the other may hear would go on under a key that may not."""
    user = await stand.floor.investor()
    trading, reading = [await make(stand.floor.world, user, scope) for scope in ("trade", "read")]
    for first in (user.access_token, reading["apiKey"]):
        async with listening(stand.address) as listener:
            assert (await listener.ask(op="auth", token=first))["type"] == "authenticated"
            told = await listener.ask(op="auth", token=trading["apiKey"])
            assert told["problem"]["code"] == "forbidden"
            assert (await listener.ask(op="auth", token=first))["type"] == "authenticated"


async def test_a_socket_ends_when_its_key_is_ended(stand: Stand) -> None:
    floor = stand.floor
    user = await floor.investor("500")
    made = await make(floor.world, user, "read")
    async with listening(stand.address) as listener:
        await listener.ask(op="auth", token=made["apiKey"])
        headers = {**user.headers, "Idempotency-Key": str(uuid4())}
        await floor.world.http.delete(f"/me/api-keys/{made['key']['id']}", headers=headers)
        assert await listener.until_closed() == (4401, "session_over")
