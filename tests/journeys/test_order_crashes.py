"""A process dies at each step of an order, signed and sent over HTTP: what was acknowledged is there, once, and every
balance is exact (F-01, F-02, F-04, F-11, for trading)."""

import asyncio
from typing import Any

import httpx2
import pytest

from deedbook.stack.sign import order_body
from tests.journeys.conftest import kill
from tests.support.counter import Counter, Person
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

API = ("intake.beforeCommit", "intake.afterCommit", "api.beforeReply")
MATCHER = ("matcher.afterClaim", "matcher.beforeCommit", "matcher.afterCommit")


class Floor:
    """The issuer sells, an investor with 1,000 buys; each order is for one deed at ten dollars."""

    def __init__(self, counter: Counter, buyer: Person, pair: dict[str, Any]) -> None:
        self.counter, self.buyer, self.pair = counter, buyer, pair

    @classmethod
    async def open(cls, counter: Counter) -> "Floor":
        async def supplied() -> bool:
            return bool((await counter.balance(counter.issuer, counter.listing.symbol))["available"] != "0")

        await eventually(supplied, "the issuer has the first supply", within_s=30)
        pair = await counter.stack.call("GET", f"/trading/pairs/{counter.listing.symbol}-USDC")
        return cls(counter, await counter.person("1000", verified=True), pair)

    def order(self, who: Person, side: str) -> dict[str, Any]:
        return order_body(who.wallet, self.counter.domain, self.pair, side, "1", "10")

    async def place(self, who: Person, body: dict[str, Any]) -> str:
        """Until it is answered; its id."""
        stack = self.counter.stack
        placed = await stack.call("POST", "/trading/orders", status=201, who=who.wallet, json=body)
        return str(placed["id"])

    async def refused(self, who: Person, body: dict[str, Any]) -> tuple[int, str]:
        """What the same order is answered with, sent again without a key: which one it repeats."""
        stack = self.counter.stack
        headers = {"Authorization": f"Bearer {stack.tokens[who.wallet]}"}
        again = await stack.http.post("/trading/orders", headers=headers, json=body)
        return again.status_code, again.json().get("firstId", "")

    async def filled(self, who: Person, order_id: str) -> None:
        async def is_filled() -> bool:
            order = await self.counter.stack.call("GET", f"/trading/orders/{order_id}", who=who.wallet)
            return bool(order["status"] == "FILLED")

        await eventually(is_filled, f"order {order_id} is filled", within_s=60, every_s=0.1)

    async def prove(self, bought: int) -> None:
        """So many deeds less a quarter of a percent, ten dollars for each, nothing held."""
        deeds = await self.counter.balance(self.buyer, self.counter.listing.symbol)
        dollars = await self.counter.balance(self.buyer)
        assert (deeds["available"], deeds["locked"]) == (f"{bought * 0.9975:.4f}".rstrip("0"), "0")
        assert (dollars["available"], dollars["locked"]) == (str(1000 - 10 * bought), "0")
        mine = await self.counter.stack.call(
            "GET", f"/trading/users/{self.buyer.user_id}/orders", who=self.buyer.wallet
        )
        assert [order["status"] for order in mine["data"]] == ["FILLED"] * bought
        await self.counter.stack.prove()

    async def place_all(self, who: Person, bodies: list[dict[str, Any]]) -> list[tuple[int, str]]:
        """As one batch, once: for each what it was answered with, and the id of the order that it is or repeats.

        Raises:
            httpx2.HTTPError: nobody answered.
        """
        stack = self.counter.stack
        headers = {"Authorization": f"Bearer {stack.tokens[who.wallet]}"}
        answer = await stack.http.post("/trading/orders/batch", headers=headers, json={"orders": bodies})
        assert answer.status_code == 200, answer.text
        return [
            (one["status"], one["order"]["id"] if one["order"] else one["problem"].get("firstId", ""))
            for one in answer.json()["data"]
        ]


@pytest.fixture
async def floor(counter: Counter) -> Floor:
    return await Floor.open(counter)


async def test_an_order_is_taken_once_when_the_api_dies_around_its_commit(stack: Stack, floor: Floor) -> None:
    """The sender heard nothing, and sends again with the same key."""
    issuer = floor.counter.issuer
    for point in API:
        await floor.place(issuer, floor.order(issuer, "SELL"))
        body = floor.order(floor.buyer, "BUY")
        await stack.run("api", FAILPOINTS=f"{point}=kill:1")
        going = asyncio.create_task(floor.place(floor.buyer, body))
        await stack.dies("api")
        await stack.run("api")
        order_id = await going
        assert await floor.refused(floor.buyer, body) == (409, order_id)
        await floor.filled(floor.buyer, order_id)
    await floor.prove(len(API))


async def test_a_batch_is_taken_once_when_the_api_dies_around_its_commit(stack: Stack, floor: Floor) -> None:
    """The sender heard nothing and sends the batch again: what had come in is refused as a duplicate that names it, and
    the rest comes in. What is wrong in between is refused each time, and troubles no neighbour."""
    issuer, bought = floor.counter.issuer, 0
    for point in API:
        for _ in range(2):
            await floor.place(issuer, floor.order(issuer, "SELL"))
        first, second = (floor.order(floor.buyer, "BUY") for _ in range(2))
        forged = {**floor.order(floor.buyer, "BUY"), "quantity": "2"}
        batch = [first, forged, second, first]
        await stack.run("api", FAILPOINTS=f"{point}=kill:1")
        with pytest.raises(httpx2.HTTPError):
            await floor.place_all(floor.buyer, batch)
        await stack.dies("api")
        await stack.run("api")
        told = await floor.place_all(floor.buyer, batch)
        came_in = 201 if point == "intake.beforeCommit" else 409
        assert [status for status, _ in told] == [came_in, 401, came_in, 409]
        assert told[3][1] == told[0][1] != told[2][1]
        for place in (0, 2):
            await floor.filled(floor.buyer, told[place][1])
        bought += 2
    await floor.prove(bought)


async def test_an_order_is_filled_once_when_the_matcher_dies_at_each_step(stack: Stack, floor: Floor) -> None:
    issuer = floor.counter.issuer
    for point in MATCHER:
        await stack.dismiss("matcher")
        await floor.place(issuer, floor.order(issuer, "SELL"))
        order_id = await floor.place(floor.buyer, floor.order(floor.buyer, "BUY"))
        await stack.run("matcher", FAILPOINTS=f"{point}=kill:1")
        await stack.dies("matcher")
        await stack.run("matcher")
        await floor.filled(floor.buyer, order_id)
    await floor.prove(len(MATCHER))


async def test_what_was_acknowledged_is_filled_once_when_everything_is_killed(
    stack: Stack, floor: Floor
) -> None:
    """API, matcher, PostgreSQL and Valkey, while orders come in."""
    issuer = floor.counter.issuer
    sells = [await floor.place(issuer, floor.order(issuer, "SELL")) for _ in range(6)]
    buys = [asyncio.create_task(floor.place(floor.buyer, floor.order(floor.buyer, "BUY"))) for _ in range(6)]
    await asyncio.sleep(0.02)
    for part in ("api", "matcher"):
        stack.kill(part)
    await kill(stack.postgres, stack.valkey)
    await asyncio.gather(stack.postgres.start(), stack.valkey.start())
    await asyncio.gather(stack.run("api"), stack.run("matcher"))
    placed = await asyncio.gather(*buys)
    assert len(set(placed)) == 6
    for who, order_ids in ((floor.buyer, placed), (issuer, sells)):
        for order_id in order_ids:
            await floor.filled(who, order_id)
    await floor.prove(6)
