"""Who is frozen or has expired moves nothing: one decision, and the requests, what is under way, the preview and the
chain all say the same number; when it is taken back all goes on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deedbook.compliance import Reason
from deedbook.identity import TRANSFER
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire import custody as words
from deedbook.kernel.clock import to_wire
from tests.support.counter import Asked, Counter, Person, somewhere
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

LARGE = "15000"
"""More than the policy lets out by itself."""


def deed_of(counter: Counter) -> Address:
    return Address(counter.deed["contractAddress"].lower())


async def give_deeds(counter: Counter, to: Person, amount: str) -> None:
    """Deeds from the issuer's treasury, which has them soon after the market went live."""

    async def supplied() -> bool:
        held = await counter.balance(counter.issuer, counter.listing.symbol)
        return bool(held["available"] != "0")

    await eventually(supplied, "the issuer has the first supply", within_s=30)
    await counter.done_once(await _transfer(counter, counter.issuer, to, amount))


async def _transfer(counter: Counter, who: Person, to: Person, amount: str) -> Asked:
    path = f"/tokens/{counter.deed['id']}/transfer"
    body = counter.transfer(who, to, amount, token=deed_of(counter))
    return await counter.ask("transfers", path, who, body)


async def refused(counter: Counter, who: Person, to: Person, token: str) -> tuple[int, str]:
    """Status and reason number that a transfer is answered with."""
    contract = deed_of(counter) if token == counter.deed["id"] else counter.cash
    body = counter.transfer(who, to, "1", token=contract)
    return await told(counter, who, f"/tokens/{token}/transfer", body)


async def told(counter: Counter, who: Person, path: str, body: dict[str, Any]) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {counter.stack.tokens[who.wallet]}"}
    answer = await counter.stack.http.post(path, headers=headers, json=body)
    return answer.status_code, answer.json().get("reason", "")


async def preview(counter: Counter, who: Person, to: Person, token: str) -> int:
    body = {"operation": "TRANSFER", "fromUserId": who.user_id, "toUserId": to.user_id, "amount": "1"}
    path = f"/tokens/{token}/compliance/preview"
    return int((await counter.stack.call("POST", path, who=who.wallet, json=body))["reason"])


async def chain_says(counter: Counter, who: Person, to: Person) -> int:
    return await words.vault_restriction(
        counter.stack.node, deed_of(counter), who.account, to.account, 10**18
    )


async def everyone_says(counter: Counter, who: Person, to: Person, reason: Reason) -> None:
    """Preview, request and chain, of the deed; the chain asks of both."""
    await counter.registered(who)
    await counter.registered(to)
    assert await preview(counter, who, to, counter.deed["id"]) == reason.value
    assert await chain_says(counter, who, to) == reason.value
    if reason is not Reason.NONE:
        assert await refused(counter, who, to, counter.deed["id"]) == (403, str(reason.value))


async def test_a_frozen_account_moves_nothing_until_it_is_thawed(counter: Counter) -> None:
    alice, bob = await counter.person("20000", verified=True), await counter.person(verified=True)
    await give_deeds(counter, alice, "5")
    await everyone_says(counter, alice, bob, Reason.NONE)
    asked, to = await counter.withdraw(alice, LARGE, somewhere()), somewhere()
    assert (await counter.seen(asked))["status"] == "PENDING_APPROVAL"

    await counter.decide(f"/compliance/{alice.user_id}/freeze", {"reason": "looks like somebody else"})
    await everyone_says(counter, alice, bob, Reason.SENDER_FROZEN)
    cash = await counter.cash_id()
    assert await refused(counter, alice, bob, cash) == (403, "2")
    assert await refused(counter, bob, alice, counter.deed["id"]) == (403, "3")
    assert await told(counter, alice, "/withdrawals", counter.withdrawal(alice, "1", to)) == (403, "2")
    assert (await counter.identity(alice))[4] is True, "the chain's registry has heard"

    await counter.decide(f"{asked.path}/approve", {"reason": "it was approved before anybody looked"})
    ended = await counter.stands(asked, "FAILED")
    assert "sender_frozen" in ended["reason"]
    assert await counter.times(asked) == 0
    assert (await counter.balance(alice))["available"] == "20000", "nothing is held any more, nothing left"

    await counter.decide(f"/compliance/{alice.user_id}/unfreeze", {"reason": "it was not"})
    await everyone_says(counter, alice, bob, Reason.NONE)
    assert (await counter.identity(alice))[4] is False
    await counter.done_once(
        await counter.withdraw(alice, "10000", to), await _transfer(counter, alice, bob, "2")
    )
    assert await counter.in_wallet(to) == "10000"
    await counter.stack.prove()


async def test_what_the_lane_holds_is_paid_or_undone_when_its_owner_is_frozen_in_between(
    counter: Counter,
) -> None:
    """The lane is away while a withdrawal is asked for and its owner frozen. Whatever comes first on the chain, the
    books say the same: paid once, or undone and given back."""
    stack, to = counter.stack, somewhere()
    alice = await counter.person("100", verified=True)
    await counter.registered(alice)
    await stack.parts["lane"].stop()
    asked = await counter.withdraw(alice, "40", to)
    await counter.stands(asked, "PROCESSING")
    await counter.decide(f"/compliance/{alice.user_id}/freeze", {"reason": "in between"})
    await stack.run("lane")
    await counter.registered(alice)

    async def ended() -> str | None:
        status = (await counter.seen(asked))["status"]
        return status if status in ("COMPLETED", "FAILED") else None

    status = await eventually(ended, "the withdrawal has come to an end", within_s=60, every_s=0.2)
    paid = status == "COMPLETED"
    assert await counter.times(asked) == int(paid)
    assert await counter.in_wallet(to) == ("40" if paid else "0")
    assert (await counter.balance(alice))["total"] == ("60" if paid else "100")
    await counter.decide(f"/compliance/{alice.user_id}/unfreeze", {"reason": "done"})
    await stack.prove()


async def test_an_investor_whose_papers_have_expired_moves_no_deeds_until_they_are_renewed(
    counter: Counter,
) -> None:
    alice, bob = await counter.person(verified=True), await counter.person(verified=True)
    await give_deeds(counter, alice, "5")
    soon = datetime.now(UTC) + timedelta(seconds=4)
    await counter.verify(alice, expiresAt=to_wire(soon))

    async def has_expired() -> bool:
        return await preview(counter, alice, bob, counter.deed["id"]) == Reason.KYC_EXPIRED.value

    await eventually(has_expired, "the papers expire", within_s=30, every_s=0.2)
    assert await refused(counter, alice, bob, counter.deed["id"]) == (403, str(Reason.KYC_EXPIRED.value))
    body = counter.signed(
        alice,
        TRANSFER,
        **{"from": bob.account, "to": alice.account, "amount": "1", "token": deed_of(counter)},
    )
    assert (await told(counter, bob, f"/tokens/{counter.deed['id']}/transfer", body))[0] == 401

    async def chain_refuses() -> bool:
        return await chain_says(counter, alice, bob) == Reason.KYC_EXPIRED.value

    await eventually(chain_refuses, "the chain says so too", within_s=30, every_s=0.2)
    later = datetime.now(UTC) + timedelta(days=30)
    await counter.verify(alice, expiresAt=to_wire(later))
    await everyone_says(counter, alice, bob, Reason.NONE)
    await counter.done_once(await _transfer(counter, alice, bob, "2"))
    await counter.stack.prove()
