"""Slow names hold up nobody but those who gave them."""

import asyncio
import threading
from contextlib import suppress

import pytest

from deedbook.integrations.names import Names, domain_of
from tests.support.waiting import eventually

MORE_THAN_THE_LOOPS_OWN_THREADS = 100


class SlowServers:
    """What the system asks for names under `slow.`: they answer when they are let."""

    def __init__(self) -> None:
        self.answering = threading.Event()
        self.asked: list[str] = []

    def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host.startswith("slow.") and not self.answering.wait(60):
            raise AssertionError("nobody let them answer")
        return ["192.0.2.1"]


@pytest.fixture
def servers() -> SlowServers:
    return SlowServers()


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example", "."])
async def test_what_can_be_no_name_is_not_known(host: str) -> None:
    with pytest.raises(OSError, match=r"no name|not known"):
        await Names().look_up(host, 443)


async def test_everything_else_goes_on_while_slow_names_are_looked_up(servers: SlowServers) -> None:
    names = Names(at_once=4, within_s=60, resolving=servers.resolve)
    slow = [
        asyncio.create_task(names.look_up(f"slow.{number}", 443))
        for number in range(MORE_THAN_THE_LOOPS_OWN_THREADS)
    ]
    try:
        found = await asyncio.wait_for(asyncio.get_running_loop().getaddrinfo("localhost", 5432), 30)
        assert found, "the loop's own threads are free"
        assert len(servers.asked) <= 4, "no more at once than there are threads for"
        another = Names(resolving=servers.resolve)
        assert await another.look_up("quick.example", 443) == ["192.0.2.1"]
    finally:
        servers.answering.set()
    assert await asyncio.gather(*slow) == [["192.0.2.1"]] * MORE_THAN_THE_LOOPS_OWN_THREADS


async def test_a_name_is_not_known_when_it_is_not_told_in_time_and_nobody_asks_for_who_has_gone(
    servers: SlowServers,
) -> None:
    names = Names(at_once=1, within_s=0.5, resolving=servers.resolve)
    try:
        for host in ("slow.first", "slow.second", "quick.third"):
            with pytest.raises(OSError):
                await names.look_up(host, 443)
    finally:
        servers.answering.set()
    later = Names(at_once=1, resolving=servers.resolve)
    assert await later.look_up("quick.again", 443) == ["192.0.2.1"]
    assert servers.asked == ["slow.first", "quick.again"]


async def test_slow_names_of_one_domain_leave_threads_for_others(servers: SlowServers) -> None:
    names = Names(at_once=3, within_s=1, resolving=servers.resolve)
    try:
        for _ in range(2):  # those who asked first have gone, and their threads are held still
            slow = (names.look_up(f"slow.{number}.one.example", 443) for number in range(8))
            told = await asyncio.gather(*slow, return_exceptions=True)
            assert all(isinstance(one, TimeoutError) for one in told)
            assert len(servers.asked) == 2
            assert await names.look_up("quick.two.test", 443) == ["192.0.2.1"]
            servers.asked.remove("quick.two.test")
    finally:
        servers.answering.set()

    async def found() -> list[str] | None:
        with suppress(TimeoutError):
            return await names.look_up("quick.one.example", 443)
        return None

    assert await eventually(found, "threads that were held are free") == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("one", "other", "are_alike"),
    [
        ("a.evil.example", "b.c.EVIL.example.", True),
        ("a.evil.co.uk", "b.evil.co.uk", True),
        ("a.evil.co.uk", "a.good.co.uk", False),
        ("evil.com.au", "good.com.au", False),
        ("evil.example", "good.example", False),
        ("localhost", "localhost", True),
    ],
)
def test_names_are_of_one_domain_when_one_owner_has_both(one: str, other: str, are_alike: bool) -> None:
    """Under `co.uk` and the like everybody has a name: nobody holds up the others there."""
    assert (domain_of(one) == domain_of(other)) is are_alike


async def test_a_name_that_there_is_none_of_is_an_oserror() -> None:
    with pytest.raises(OSError):
        await Names().look_up("nothing-is-called-so.invalid", 443)
