"""The second part of the demo: two investors are let in, deposit, receive tokens, and take some money out again."""

from typing import Any

from deedbook.identity import DEPOSIT, TRANSFER, WITHDRAWAL
from deedbook.stack.demo.story import DemoFailed, Story, Together
from deedbook.stack.dollars import give_dollars, give_gas, send_own, sign_permit

DOLLARS = "10000"
MINTED, HANDED_OVER, TAKEN_OUT = "100", "10", "250.50"


async def _let_in(story: Story) -> None:
    story.token = await story.call("GET", f"/tokens/{story.market['tokenSymbol']}")
    for who in ("issuer", "alice", "bob"):
        body = {
            "tokenId": story.token["id"],
            "kycStatus": "APPROVED",
            "kycLevel": 2,
            "whitelisted": True,
            "jurisdiction": "PT",
        }
        path = f"/tokens/compliance/{story.users[who]}"
        await story.call("POST", path, who="officer", json=body)


async def _deposit_by_oneself(story: Story) -> None:
    """Alice sends the transactions from her own wallet."""
    await give_dollars(story.settings, story.account("alice"), DOLLARS)
    await give_gas(story.settings, story.account("alice"))
    deposit = await _announce(story, "alice")
    await send_own(story.settings, story.wallets["alice"], deposit["send"])
    story.custody["ownDeposit"] = await _credited(story, "alice", deposit)


async def _deposit_by_relay(story: Story) -> None:
    """Bob only signs; the platform brings it to the vault."""
    await give_dollars(story.settings, story.account("bob"), DOLLARS)
    permit = await sign_permit(story.settings, story.wallets["bob"], DOLLARS)
    deposit = await _announce(story, "bob", relay=True, permit=permit)
    story.custody["relayedDeposit"] = await _credited(story, "bob", deposit)


async def _announce(story: Story, who: str, **more: Any) -> dict[str, Any]:
    usdc = await story.call("GET", "/tokens/USDC")
    values = {"trader": story.account(who), "token": usdc["contractAddress"].lower(), "amount": DOLLARS}
    body = {**await story.signed(who, DEPOSIT, values), **more}
    announced: dict[str, Any] = await story.call("POST", "/deposits", who=who, status=201, json=body)
    return announced


async def _credited(story: Story, who: str, deposit: dict[str, Any]) -> dict[str, Any]:
    path = f"/deposits/{deposit['id']}"
    seen = await story.until("the deposit to be credited", path, who, lambda d: d["status"] == "CREDITED")
    if seen["credited"] != DOLLARS:
        raise DemoFailed(f"{seen['credited']} was credited, not {DOLLARS}")
    return seen


async def _mint(story: Story) -> None:
    """The issuer asks, the officer agrees."""
    body = {"amount": MINTED, "reason": "A second staircase"}
    mint = await story.call("POST", f"/tokens/{story.token['id']}/mint", who="issuer", status=201, json=body)
    if mint["status"] == "PENDING_APPROVAL":
        await story.call("POST", f"/tokens/mints/{mint['id']}/approve", who="officer", json={})
    path = f"/tokens/mints/{mint['id']}"
    story.custody["mint"] = await story.until(
        "the mint", path, "issuer", lambda m: m["status"] == "COMPLETED"
    )


async def _hand_over(story: Story) -> None:
    """Tokens from the issuer's treasury to Bob, by the issuer's signature."""
    values = {
        "from": story.account("issuer"),
        "token": story.token["contractAddress"].lower(),
        "amount": HANDED_OVER,
        "to": story.account("bob"),
    }
    body = await story.signed("issuer", TRANSFER, values)
    path = f"/tokens/{story.token['id']}/transfer"
    transfer = await story.call("POST", path, who="issuer", status=201, json=body)
    path = f"/transfers/{transfer['id']}"
    story.custody["transfer"] = await story.until(
        "the transfer", path, "bob", lambda t: t["status"] == "COMPLETED"
    )


async def _take_out(story: Story) -> None:
    usdc = await story.call("GET", "/tokens/USDC")
    account = story.account("alice")
    values = {
        "trader": account,
        "token": usdc["contractAddress"].lower(),
        "amount": TAKEN_OUT,
        "destination": account,
    }
    body = await story.signed("alice", WITHDRAWAL, values)
    withdrawal = await story.call("POST", "/withdrawals", who="alice", status=201, json=body)
    if withdrawal["status"] == "PENDING_APPROVAL":
        path = f"/withdrawals/{withdrawal['id']}/approve"
        await story.call("POST", path, who="officer", json={"reason": "known customer"})
    path = f"/withdrawals/{withdrawal['id']}"
    story.custody["withdrawal"] = await story.until(
        "the withdrawal", path, "alice", lambda w: w["status"] == "COMPLETED"
    )


CHAPTERS: list[Together] = [
    (("Compliance lets two investors in", _let_in),),
    (
        ("Alice deposits 10,000 USDC from her own wallet", _deposit_by_oneself),
        ("Bob deposits by signature alone", _deposit_by_relay),
        ("The issuer mints more, with a second pair of eyes", _mint),
    ),
    (
        ("Tokens are handed over to Bob", _hand_over),
        ("Alice withdraws 250.50 USDC", _take_out),
    ),
]
