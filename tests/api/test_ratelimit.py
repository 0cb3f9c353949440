"""Rate limits: counted by who one is, never by what a header says, and never open, not even without Redis (A-16)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from deedbook.api import ratelimit
from deedbook.api.ratelimit import Limiter, Standing, caller_address
from deedbook.identity import Role
from deedbook.infra.bullmq_client import connect
from deedbook.infra.embedded import EmbeddedValkey
from tests.api.support import ROOT, counted_anew, every_refusal_is_a_problem, refused
from tests.support.servers import PostgresServer, free_port
from tests.support.waiting import PATIENCE_S
from tests.support.world import World, open_world, test_settings


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: float = 1_000_000 * 60.0

    def __call__(self) -> float:
        return self.at


def _limiter(redis: Redis, clock: Clock, limit: int = 10) -> Limiter:
    return Limiter(redis, test_settings("postgresql://x/y", "redis://x", RATE_LIMIT_AUTH=limit), clock)


@pytest.fixture(params=["redis", "no redis"])
async def counted(request: pytest.FixtureRequest, redis: Redis) -> AsyncIterator[Redis]:
    """Redis, and where it should be and is not."""
    if request.param == "redis":
        yield redis
        return
    nobody = connect(f"redis://127.0.0.1:{free_port()}", timeout_s=0.2)
    yield nobody
    await nobody.aclose()


async def _times(limiter: Limiter, many: int, who: str = "one") -> list[Standing]:
    return [await limiter.count("auth", who) for _ in range(many)]


async def test_one_request_too_many_is_told_when_to_come_back(counted: Redis) -> None:
    clock = Clock()
    limiter = _limiter(counted, clock)

    standings = await _times(limiter, 12)

    assert [standing.wait_s > 0 for standing in standings] == [False] * 10 + [True] * 2
    assert [standing.remaining for standing in standings] == [*range(9, -1, -1), 0, 0]
    assert [(await limiter.count("auth", who)).wait_s for who in ("two", "three")] == [0, 0]


@pytest.mark.parametrize(
    ("limit", "before", "after"), [(10, 0, 10), (10, 4, 6), (1, 1, 0), (3, 3, 0), (120, 60, 60)]
)
async def test_a_caller_gets_on_when_it_waited_as_told_and_not_a_second_earlier(
    counted: Redis, limit: int, before: int, after: int
) -> None:
    clock = Clock()
    limiter = _limiter(counted, clock, limit)
    await _times(limiter, before)
    clock.at += 60 if after else 5
    while (standing := await limiter.count("auth", "one")).wait_s == 0:
        pass

    assert standing.wait_s <= 120
    if standing.wait_s > 1:
        clock.at += standing.wait_s - 1.5
        assert (await limiter.count("auth", "one")).wait_s > 0
        clock.at += 1.5
    else:
        clock.at += standing.wait_s
    assert (await limiter.count("auth", "one")).wait_s == 0


async def test_no_minute_holds_much_more_than_the_limit_when_a_caller_never_stops(counted: Redis) -> None:
    clock = Clock()
    limiter = _limiter(counted, clock)
    taken = []
    for _ in range(600):
        clock.at += 0.5
        if (await limiter.count("auth", "one")).wait_s == 0:
            taken.append(clock.at)
    assert max(sum(start <= moment < start + 60 for moment in taken) for start in taken) <= 15
    assert len(taken) >= 40


async def test_the_limit_holds_when_many_come_at_once(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    # A hundred connections are made at once: on a busy machine that takes longer than Redis is waited for.
    monkeypatch.setattr(ratelimit, "REDIS_TIMEOUT_S", PATIENCE_S)
    limiters = [_limiter(redis, Clock()) for _ in range(4)]
    standings = await asyncio.gather(*(limiters[n % 4].count("auth", "one") for n in range(100)))
    assert sum(standing.wait_s == 0 for standing in standings) == 10


async def test_liveness_is_counted_here_when_redis_counts_the_rest(redis: Redis) -> None:
    limiter = _limiter(redis, Clock())
    await limiter.count("health", "one")
    assert await redis.keys("*") == []
    await limiter.count("auth", "one")
    assert len(await redis.keys("*")) == 1


PROXIES = ("10.0.0.1", "10.0.0.2")


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted_as"),
    [
        ("1.2.3.4", None, "1.2.3.4"),
        ("1.2.3.4", "9.9.9.9", "1.2.3.4"),
        ("1.2.3.4", "10.0.0.1", "1.2.3.4"),
        ("10.0.0.1", "5.6.7.8", "5.6.7.8"),
        ("10.0.0.1", "9.9.9.9, 5.6.7.8", "5.6.7.8"),
        ("10.0.0.1", "9.9.9.9, 5.6.7.8, 10.0.0.2", "5.6.7.8"),
        ("10.0.0.1", "5.6.7.8, unknown", "unknown"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", ", ,5.6.7.8,", "5.6.7.8"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", None, "2001:db8:1:2::/64"),
        ("::ffff:1.2.3.4", None, "1.2.3.4"),
        ("fe80::1%eth0", None, "fe80::/64"),
        ("unix", None, "unknown"),
        (None, "9.9.9.9", "unknown"),
        ("", None, "unknown"),
    ],
)
def test_a_caller_is_counted_by_the_last_hop_that_is_not_ours(
    peer: str | None, forwarded: str | None, counted_as: str
) -> None:
    assert caller_address(peer, forwarded, PROXIES) == counted_as


@pytest.fixture(scope="module")
async def narrow_world(postgres: PostgresServer, valkey: EmbeddedValkey) -> AsyncIterator[World]:
    """A world with narrow limits behind one trusted proxy, which is where the tests come from."""
    limits = {"RATE_LIMIT_READS": 5, "RATE_LIMIT_WRITES": 3, "RATE_LIMIT_AUTH": 12, "RATE_LIMIT_WEBHOOKS": 4}
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), **limits, TRUSTED_PROXIES="127.0.0.1") as opened:
        opened.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield opened
    await postgres.drop(dsn)


@pytest.fixture
async def narrow(narrow_world: World, redis: Redis) -> World:
    """The same, with nobody counted yet."""
    await counted_anew(redis, for_s=5)
    return narrow_world


def _from(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def test_headers_say_how_one_stands_when_anything_is_asked(narrow: World) -> None:
    answers = [await narrow.http.get("/time") for _ in range(7)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    for number, answer in enumerate(answers):
        left = max(0, 4 - number)
        assert answer.headers["RateLimit-Policy"] == '"reads";q=5;w=60'
        assert answer.headers["RateLimit"].startswith(f'"reads";r={left};t=')
        assert (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]) == (
            "5",
            str(left),
        )
    refused(answers[-1], 429, "rate_limited")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 120


async def test_the_limit_holds_when_a_caller_turns_what_it_says_of_itself(narrow: World) -> None:
    for number in range(10):
        headers = [
            ("X-Forwarded-For", f"{number}.1.1.1, 5.6.7.8"),
            ("X-Real-IP", f"{number}.2.2.2"),
            ("Forwarded", f"for={number}.3.3.3"),
            ("X-Client-IP", f"{number}.4.4.4"),
        ]
        answer = await narrow.http.get("/time", headers=headers)
        assert answer.status_code == (200 if number < 5 else 429)
    split = [("X-Forwarded-For", "77.77.77.77"), ("X-Forwarded-For", "5.6.7.8")]
    refused(await narrow.http.get("/time", headers=split), 429, "rate_limited")


async def test_the_limit_holds_when_a_caller_turns_through_its_own_network(narrow: World) -> None:
    told = [
        (await narrow.http.get("/time", headers=_from(f"2001:db8:9:9::{n}"))).status_code for n in range(8)
    ]
    assert told == [200] * 5 + [429] * 3
    assert (await narrow.http.get("/time", headers=_from("2001:db8:9:a::1"))).status_code == 200


async def test_a_user_is_counted_as_one_when_coming_from_many_places(narrow: World) -> None:
    user = await narrow.user()
    told = [
        (await narrow.http.get("/me", headers={**user.headers, **_from(f"8.8.8.{n}")})).status_code
        for n in range(8)
    ]
    assert told == [200] * 5 + [429] * 3


async def test_guesses_come_to_an_end_when_their_address_made_too_many(narrow: World) -> None:
    told = [
        (
            await narrow.http.get("/me", headers={"Authorization": f"Bearer guess-{n}", **_from("6.6.6.6")})
        ).status_code
        for n in range(8)
    ]
    assert told == [401] * 5 + [429] * 3
    assert (
        await narrow.http.get("/me", headers={"Authorization": "Bearer x", **_from("7.7.7.7")})
    ).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "limit", "refusal"),
    [
        ("/auth/refresh", b"{", 12, 400),
        ("/auth/siwe", b"[" * 100_000, 12, 400),
        ("/auth/refresh", b"{}", 12, 422),
        ("/auth/nonce?x=1", b"", 12, 422),
        ("/webhooks/entity-permissions", b"{}", 4, 401),
        ("/webhooks/entity-permissions", b"nonsense", 4, 400),
    ],
)
async def test_a_request_counts_when_it_is_refused_for_what_it_holds(
    narrow: World, path: str, body: bytes, limit: int, refusal: int
) -> None:
    headers = {"Content-Type": "application/json", **_from("4.4.4.4")}
    told = [
        (await narrow.http.post(path, content=body, headers=headers)).status_code for _ in range(limit + 2)
    ]
    assert told == [refusal] * limit + [429] * 2


async def test_buckets_are_apart_when_one_is_full(narrow: World) -> None:
    for _ in range(6):
        await narrow.http.get("/time")
    assert (await narrow.http.get("/webhooks/health")).status_code == 200
    assert (await narrow.http.post("/auth/nonce")).status_code == 200
    assert (await narrow.http.get(f"{ROOT}/healthz")).status_code == 200


async def test_paths_spelled_otherwise_are_absent_when_the_bucket_is_full(narrow: World) -> None:
    for _ in range(6):
        await narrow.http.get("/time")
    for path in ("/TIME", "/time/", "//time", "/./time", "/%74ime", "/time%20", "/time;x=1"):
        assert (await narrow.http.get(path)).status_code in (404, 429)


async def test_the_limit_holds_when_redis_goes_away(dsn: str) -> None:
    away = f"redis://127.0.0.1:{free_port()}"
    async with open_world(dsn, away, RATE_LIMIT_AUTH=12, RATE_LIMIT_READS=5) as world:
        told = [(await world.http.post("/auth/nonce")).status_code for _ in range(15)]
        assert told == [200] * 12 + [429] * 3
        assert (await world.http.get("/markets")).status_code == 200
        assert (await world.http.get(f"{ROOT}/readyz")).json()["checks"]["redis"] == "unavailable"


async def test_users_go_on_when_redis_goes_away(dsn: str) -> None:
    away = f"redis://127.0.0.1:{free_port()}"
    async with open_world(dsn, away) as world:
        issuer = await world.issuer()
        assert (await world.register(issuer))["status"] == "pending_approval"
        operator = await world.user(Role.OPERATOR)
        queues = (await world.http.get("/admin/queues", headers=operator.headers)).json()["data"]
        assert {queue["counts"] for queue in queues} == {None}


async def test_signed_requests_share_one_bucket_and_signed_in_is_who_counts(narrow: World) -> None:
    """Turning from deposits to withdrawals to transfers, or through addresses, wins nothing."""
    user, other = await narrow.user(), await narrow.user()
    paths = ["/deposits", "/withdrawals", f"/tokens/{uuid4()}/transfer", "/withdrawals", "/deposits"]
    told = [
        (await narrow.http.post(path, headers={**user.headers, **_from(f"9.9.9.{n}")}, json={})).status_code
        for n, path in enumerate(paths)
    ]
    assert told == [422] * 3 + [429] * 2
    refused(await narrow.http.post("/withdrawals", headers=other.headers, json={}), 422, "invalid_request")
