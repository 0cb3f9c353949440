"""Everybody at once over HTTP: a balance is spent once, holds and transfers are exact to the last unit."""

import asyncio
from collections import Counter as Tally
from typing import Any

import pytest

from tests.support.counter import Asked, Counter, Person, somewhere
from tests.support.stack import PATIENCE_S
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def told(counter: Counter, who: Person, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """What it is answered, sent again while the platform says that it has no connection free: on a busy machine so
    many at once may wait too long for one."""
    headers = {"Authorization": f"Bearer {counter.stack.tokens[who.wallet]}"}

    async def answered() -> tuple[int, dict[str, Any]] | None:
        answer = await counter.stack.http.post(path, headers=headers, json=body, timeout=60)
        return None if answer.status_code == 503 else (answer.status_code, answer.json())

    found = await eventually(answered, "it is answered", within_s=PATIENCE_S, every_s=0.2)
    assert found is not None
    return found


async def test_one_of_a_hundred_withdrawals_of_a_whole_balance_wins(counter: Counter) -> None:
    person, outside = await counter.person("1000"), [somewhere() for _ in range(100)]
    bodies = [counter.withdrawal(person, "1000", to) for to in outside]
    answers = await asyncio.gather(*(told(counter, person, "/withdrawals", body) for body in bodies))
    assert Tally(status for status, _ in answers) == {201: 1, 422: 99}
    assert {answer["code"] for status, answer in answers if status == 422} == {"insufficient_funds"}
    won = next(place for place, (status, _) in enumerate(answers) if status == 201)
    asked = Asked.of("withdrawals", answers[won][1], person)
    await counter.done_once(asked)
    assert await counter.in_wallet(outside[won]) == "1000"
    paid = await asyncio.gather(*(counter.in_wallet(to) for to in outside))
    assert Tally(paid) == {"0": 99, "1000": 1}
    await counter.has(person, counter.cash, "0")
    await counter.stack.prove()


async def test_fifty_transfers_and_holds_on_one_account_at_once_are_exact(counter: Counter) -> None:
    """50 of each are asked for, 30 dollars are there: 30 get one, whichever."""
    person, friend, outside = await counter.person("30"), await counter.person(), somewhere()
    transfers = f"/tokens/{await counter.cash_id()}/transfer"
    going = []
    for _ in range(50):
        going.append(told(counter, person, transfers, counter.transfer(person, friend, "1")))
        going.append(told(counter, person, "/withdrawals", counter.withdrawal(person, "1", outside)))
    answers = await asyncio.gather(*going)
    assert Tally(status for status, _ in answers) == {201: 30, 422: 70}
    assert {answer["code"] for status, answer in answers if status == 422} == {"insufficient_funds"}
    kinds = ["transfers" if place % 2 == 0 else "withdrawals" for place in range(len(answers))]
    asked = [
        Asked.of(kind, answer, person)
        for kind, (status, answer) in zip(kinds, answers, strict=True)
        if status == 201
    ]
    await counter.done_once(*asked, within_s=120)
    given = sum(each.kind == "transfers" for each in asked)
    await counter.has(person, counter.cash, "0")
    await counter.has(friend, counter.cash, str(given))
    assert await counter.in_wallet(outside) == str(30 - given)
    await counter.stack.prove()
