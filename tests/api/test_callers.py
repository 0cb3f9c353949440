"""Callers that were recognised a moment ago: fewer questions, and nobody is let in for longer than that."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from deedbook.api.callers import KNOWN_S, READ_S, Callers
from deedbook.identity import AccessClaims, Address, Caller
from deedbook.identity.errors import Unauthenticated
from deedbook.kernel.ids import UserId, new_uuid
from tests.support.waiting import eventually

LIFE_S = 600.0


@dataclass
class Door:
    """Tokens that are read and sessions that are asked for, each time noted; both clocks in our hand."""

    now: float = 1000.0
    over: set[UUID] = field(default_factory=set)
    claims: dict[str, AccessClaims] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.callers = Callers(self._read, self._ask, lambda: self.now, lambda: self.now)

    def issue(self, token: str, life_s: float = LIFE_S) -> AccessClaims:
        self.claims[token] = AccessClaims(UserId(new_uuid()), new_uuid(), self.now + life_s)
        return self.claims[token]

    async def _read(self, token: str) -> AccessClaims:
        self.read.append(token)
        claims = self.claims.get(token)
        if claims is None or claims.expires_at <= self.now:
            raise Unauthenticated("the access token does not hold")
        return claims

    async def _ask(self, asked: Sequence[AccessClaims]) -> list[Caller | None]:
        self.asked.append(len(asked))
        return [
            None
            if one.session_id in self.over
            else Caller(one.user_id, Address("0x" + "0" * 40), None, frozenset(), one.session_id)
            for one in asked
        ]


async def noted() -> None:
    """The answer is there, and is noted with the loop's next turns, however long each of them takes."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_caller_is_asked_for_once_in_a_while_and_their_token_read_more_rarely() -> None:
    door = Door()
    claims = door.issue("t")
    for _ in range(3):
        assert (await door.callers.find("t")).user_id == claims.user_id
    assert (door.read, door.asked) == (["t"], [1])
    door.now += KNOWN_S
    await door.callers.find("t")
    assert (door.read, door.asked) == (["t"], [1, 1])
    door.now += READ_S
    await door.callers.find("t")
    assert (door.read, door.asked) == (["t", "t"], [1, 1, 1])


async def test_a_session_that_is_over_is_refused_when_it_is_asked_for_again() -> None:
    door = Door()
    claims = door.issue("t")
    await door.callers.find("t")
    door.over.add(claims.session_id)
    await door.callers.find("t")
    door.now += KNOWN_S
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="sign in again"):
            await door.callers.find("t")


async def test_a_token_is_refused_from_its_very_end_on() -> None:
    door = Door()
    door.issue("t", life_s=0.5)
    await door.callers.find("t")
    door.now += 0.5
    with pytest.raises(Unauthenticated):
        await door.callers.find("t")


async def test_a_token_that_does_not_hold_is_refused_and_not_remembered() -> None:
    door = Door()
    with pytest.raises(Unauthenticated):
        await door.callers.find("t")
    door.issue("t")
    await door.callers.find("t")
    assert door.read == ["t", "t"]


async def test_who_keeps_coming_is_asked_for_behind_their_back_and_never_waits() -> None:
    door = Door()
    claims = door.issue("t")
    await door.callers.find("t")
    door.now += 0.6 * KNOWN_S
    for _ in range(3):
        await door.callers.find("t")
    assert door.asked == [1]

    async def asked_again() -> bool:
        return door.asked == [1, 1]

    await eventually(asked_again, "the caller was asked for once more")
    await noted()
    door.now += 0.6 * KNOWN_S
    door.over.add(claims.session_id)
    await door.callers.find("t")

    async def asked_for_the_third_time() -> bool:
        return door.asked == [1, 1, 1]

    await eventually(asked_for_the_third_time, "the caller was asked for again")
    await noted()
    with pytest.raises(Unauthenticated):
        await door.callers.find("t")
