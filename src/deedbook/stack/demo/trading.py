"""The third part of the demo: Example 1 of the architecture: five tokens at a thousand dollars each; then a swap."""

from typing import Any

from deedbook import chain
from deedbook.chain.terms import Contract
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire import custody
from deedbook.kernel.amounts import to_units
from deedbook.stack.demo.story import DemoFailed, Story, Together, until
from deedbook.stack.sign import order_body, swap_body
from deedbook.wiring import open_resources

PRICE, QUANTITY = "1000", "5"
GETS, EARNS = "4.9875", "4987.5"
"""After a quarter of a percent on each side."""
SWAPPED = "500"
SETTLED_WITHIN_S = 120.0


async def _sell(story: Story) -> None:
    story.before = {who: await _holds(story, who) for who in ("alice", "bob")}
    await _place(story, "bob", "SELL")


async def _buy(story: Story) -> None:
    order = await _place(story, "alice", "BUY")
    path = f"/trading/orders/{order['id']}"
    filled = await story.until("the order to be filled", path, "alice", lambda o: o["status"] == "FILLED")
    if filled["averageFillPrice"] != PRICE:
        raise DemoFailed(f"filled at {filled['averageFillPrice']}")
    page = await story.call("GET", _trades_of_alice(story), who="alice")
    story.trades = page["data"]


async def _compare(story: Story) -> None:
    """Exact to the last unit, the fee account included."""
    symbol = story.market["tokenSymbol"]
    wanted = {
        "alice": {symbol: (GETS, 18), "USDC": ("-5000", 6)},
        "bob": {symbol: ("-5", 18), "USDC": (EARNS, 6)},
    }
    for who, changes in wanted.items():
        now = await _holds(story, who)
        for token, (text, decimals) in changes.items():
            sign, amount = (-1, text[1:]) if text.startswith("-") else (1, text)
            moved = _units(now, token, decimals) - _units(story.before[who], token, decimals)
            if moved != sign * to_units(amount, decimals):
                raise DemoFailed(f"{who} has {now.get(token)} {token} after {story.before[who].get(token)}")


async def _swap(story: Story) -> None:
    """Dollars into the token through the book, for the least amount that a quote suggests, or not at all."""
    await _place(story, "bob", "SELL", "1")
    asked = {"tradingPairId": story.pair["symbol"], "side": "BUY", "amountIn": SWAPPED}
    quote: dict[str, Any] = {}

    async def quoted() -> bool:
        answer = await story.http.post("/swaps/quote", json=asked)
        quote.update(answer.json() if answer.status_code == 200 else {})
        return bool(quote)

    await until(quoted, "a quote", 30)
    wallet, least = story.wallets["alice"], quote["suggestedMinAmountOut"]
    body = swap_body(wallet, await story.domain(), story.pair, "BUY", SWAPPED, least)
    swap = await story.call("POST", "/swaps", who="alice", status=201, json=body)
    path = f"/swaps/{swap['id']}"
    done = await story.until("the swap", path, "alice", lambda s: s["status"] != "PENDING_MATCH")
    if (done["status"], done["amountOut"]) != ("FILLED", quote["amountOut"]):
        raise DemoFailed(f"{done['amountOut']} for {SWAPPED}, and {quote['amountOut']} was quoted")
    story.swap = done


async def _settle(story: Story) -> None:
    """Both legs and both fees in one transaction of the contract, which reads what Alice and Bob have signed."""

    def settled(page: dict[str, Any]) -> bool:
        failed = [trade["id"] for trade in page["data"] if trade["settlementStatus"] == "FAILED"]
        if failed:
            raise DemoFailed(f"{', '.join(failed)} could not be settled")
        return all(trade["settlementStatus"] == "SETTLED" for trade in page["data"])

    page = await story.until(
        "the trades to settle", _trades_of_alice(story), "alice", settled, SETTLED_WITHIN_S
    )
    story.trades = page["data"]
    story.swap = await story.call("GET", f"/swaps/{story.swap['id']}", who="alice")
    story.settlement = await story.call("GET", "/admin/settlements/summary", who="officer")


async def _compare_vault(story: Story) -> None:
    """What the contract keeps for each is what the ledger says, to the last unit."""
    async with open_resources(story.settings, "demo") as resources:
        vault = (await chain.contracts(resources.db, story.settings.SAPPHIRE_CHAIN_ID))[Contract.SETTLEMENT]
        usdc = await story.call("GET", "/tokens/USDC")
        for who in ("alice", "bob"):
            now = await _holds(story, who)
            for token, decimals in ((story.token, 18), (usdc, 6)):
                address = Address(token["contractAddress"].lower())
                kept = await custody.vault_balance(resources.node, vault, story.account(who), address)
                if kept != _units(now, token["symbol"], decimals):
                    raise DemoFailed(f"the vault keeps {kept} {token['symbol']} for {who}, the ledger {now}")


def _trades_of_alice(story: Story) -> str:
    """Those of this pair: she may have traded in demos before this one."""
    return f"/trading/users/{story.users['alice']}/trades?tradingPairId={story.pair['symbol']}"


async def _place(story: Story, who: str, side: str, quantity: str = QUANTITY) -> dict[str, Any]:
    body = order_body(story.wallets[who], await story.domain(), story.pair, side, quantity, PRICE)
    placed: dict[str, Any] = await story.call("POST", "/trading/orders", who=who, status=201, json=body)
    return placed


async def _holds(story: Story, who: str) -> dict[str, str]:
    found = await story.call("GET", f"/tokens/balances/{story.users[who]}", who=who)
    return {entry["symbol"]: entry["total"] for entry in found["data"]}


def _units(holdings: dict[str, str], token: str, decimals: int) -> int:
    return to_units(holdings.get(token, "0"), decimals)


CHAPTERS: list[Together] = [
    (("Bob signs: sell 5 at 1,000 USDC", _sell),),
    (("Alice signs: buy 5 at 1,000 USDC; the matcher trades", _buy),),
    (("Every balance is exact, fees included", _compare),),
    (("Alice swaps 500 USDC, as quoted", _swap),),
    (("The trades settle on the chain: delivery against payment", _settle),),
    (("The vault keeps what the ledger says", _compare_vault),),
]
