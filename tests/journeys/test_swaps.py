"""A swap from its quote to the chain and back: what was signed once is carried out once, matcher and API killed on the
way, and the vault has what the ledger says."""

from typing import Any

import httpx2
import pytest

from deedbook.chain.terms import Call
from deedbook.identity import keccak
from deedbook.integrations.sapphire.settlement import filled
from deedbook.kernel.amounts import to_units
from deedbook.stack.sign import order_body, swap_body
from tests.journeys.test_order_crashes import Floor
from tests.journeys.test_settlement import times_settled
from tests.support.counter import Counter, Person
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CANCEL = keccak(b"cancel(bytes32[])")[:4]
GAS = 200_000


async def rests(floor: Floor, side: str, quantity: str, price: str) -> str:
    """An order of the issuer's that waits in the book."""
    issuer, stack = floor.counter.issuer, floor.counter.stack
    body = order_body(issuer.wallet, floor.counter.domain, floor.pair, side, quantity, price)
    order_id = await floor.place(issuer, body)

    async def is_open() -> bool:
        order = await stack.call("GET", f"/trading/orders/{order_id}", who=issuer.wallet)
        return bool(order["status"] == "OPEN")

    await eventually(is_open, "it rests", within_s=30, every_s=0.1)
    return order_id


async def quoted(stack: Stack, floor: Floor, side: str, amount_in: str) -> dict[str, Any]:
    body = {"tradingPairId": floor.pair["symbol"], "side": side, "amountIn": amount_in}

    async def has() -> dict[str, Any] | None:
        headers = {"Authorization": f"Bearer {stack.tokens[stack.issuer]}"}
        response = await stack.http.post("/swaps/quote", headers=headers, json=body)
        told: dict[str, Any] = response.json()
        if response.status_code == 422 and told["code"] == "no_price_yet":
            return None  # The copy follows the order by a moment.
        assert response.status_code == 200, told
        return told if told["amountUsed"] == amount_in else None

    found = await eventually(has, "the copy of the book has it all", within_s=30, every_s=0.1)
    assert found is not None
    return found


def signed(floor: Floor, who: Person, quote: dict[str, Any]) -> dict[str, Any]:
    return swap_body(
        who.wallet,
        floor.counter.domain,
        floor.pair,
        quote["side"],
        quote["amountIn"],
        quote["suggestedMinAmountOut"],
    )


async def settled(floor: Floor, who: Person, swap_id: str) -> dict[str, Any]:
    """The swap, once the chain has settled each of its trades, each of them once."""
    stack = floor.counter.stack

    async def is_settled() -> dict[str, Any] | None:
        told: dict[str, Any] = await stack.call("GET", f"/swaps/{swap_id}", who=who.wallet)
        assert told["status"] in ("PENDING_MATCH", "FILLED"), told
        return told if told["settlementStatus"] == "SETTLED" else None

    told = await eventually(is_settled, f"swap {swap_id} is settled", within_s=120, every_s=0.2)
    assert told is not None
    assert [await times_settled(floor, fill["tradeId"]) for fill in told["fills"]] == [1] * len(told["fills"])
    return told


async def test_a_swap_goes_from_its_quote_to_the_chain_once(stack: Stack, counter: Counter) -> None:
    """There with the API killed before it could answer, back with the matcher killed before and after its commit."""
    floor = await Floor.open(counter)
    buyer, symbol = floor.buyer, counter.listing.symbol
    await rests(floor, "SELL", "1", "10")
    await rests(floor, "SELL", "2", "10.20")
    quote = await quoted(stack, floor, "BUY", "20.2")
    body = signed(floor, buyer, quote)
    await stack.run("api", FAILPOINTS="api.beforeReply=kill:1")
    made = await _sent_until_answered(stack, buyer, body)
    told = await settled(floor, buyer, made["id"])
    assert [fill["price"] for fill in told["fills"]] == ["10", "10.2"]
    assert (told["amountUsed"], told["amountOut"]) == ("20.2", quote["amountOut"])
    vault, digest = counter.domain.verifying_contract, bytes.fromhex(told["hash"][2:])
    assert await filled(stack.node, vault, digest) == to_units("20.2", 6)

    await rests(floor, "BUY", "1.5", "9.5")
    back = await quoted(stack, floor, "SELL", "1.25")
    for point in ("matcher.beforeCommit", "matcher.afterCommit"):
        await stack.dismiss("matcher")
        if point == "matcher.beforeCommit":
            made = await stack.call(
                "POST", "/swaps", status=201, who=buyer.wallet, json=signed(floor, buyer, back)
            )
        await stack.run("matcher", FAILPOINTS=f"{point}=kill:1")
        await stack.dies("matcher")
    await stack.run("matcher")
    told = await settled(floor, buyer, made["id"])
    assert (told["amountUsed"], told["amountOut"]) == ("1.25", back["amountOut"])
    deeds, dollars = await counter.balance(buyer, symbol), await counter.balance(buyer)
    assert (deeds["locked"], dollars["locked"]) == ("0", "0")
    left = to_units("1000", 6) - to_units("20.2", 6) + to_units(back["amountOut"], 6)
    assert to_units(dollars["available"], 6) == await counter.in_vault(buyer, counter.cash) == left
    await stack.prove()


async def _sent_until_answered(stack: Stack, who: Person, body: dict[str, Any]) -> dict[str, Any]:
    """With one and the same key, as programs do; somebody starts the API again meanwhile."""
    headers = {"Authorization": f"Bearer {stack.tokens[who.wallet]}", "Idempotency-Key": body["nonce"]}
    with pytest.raises(httpx2.HTTPError):
        await stack.http.post("/swaps", headers=headers, json=body)
    await stack.dies("api")
    await stack.run("api")
    answer = await stack.http.post("/swaps", headers=headers, json=body)
    assert (answer.status_code, answer.headers["Idempotent-Replayed"]) == (201, "true"), answer.text
    again = await stack.http.post("/swaps", headers={"Authorization": headers["Authorization"]}, json=body)
    assert (again.status_code, again.json()["firstId"]) == (409, answer.json()["id"])
    made: dict[str, Any] = answer.json()
    return made


async def test_an_order_ends_in_the_book_when_its_owner_cancels_it_on_the_chain(
    stack: Stack, counter: Counter
) -> None:
    floor = await Floor.open(counter)
    buyer = floor.buyer
    order_id = await floor.place(
        buyer, order_body(buyer.wallet, counter.domain, floor.pair, "BUY", "1", "0.05")
    )
    order = await stack.call("GET", f"/trading/orders/{order_id}", who=buyer.wallet)
    digest = bytes.fromhex(order["hash"][2:])
    data = CANCEL + (32).to_bytes(32, "big") + (1).to_bytes(32, "big") + digest
    await counter.send(buyer.wallet, Call(counter.domain.verifying_contract, data, GAS))

    async def is_over() -> bool:
        now = await stack.call("GET", f"/trading/orders/{order_id}", who=buyer.wallet)
        return bool(now["status"] == "CANCELLED")

    await eventually(is_over, "the book has ended it", within_s=60, every_s=0.2)
    assert (await counter.balance(buyer))["available"] == "1000"
    await stack.prove()
