"""Addresses that people name lead to public places alone, and to the place that was looked up."""

import httpx2
import pytest

from deedbook.integrations.outward import NotPublic, PublicTransport, is_public, look_up
from tests.support.fake_prices import price_desk


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::1", "ff02::1", "198.51.100.7", "::127.0.0.1", "::ffff:0:10.0.0.1",
        "64:ff9b:1::a00:1", "fec0::1", "5f00::1",
    ],
)  # fmt: skip
def test_an_address_of_our_own_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


class Noting(httpx2.AsyncBaseTransport):
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return httpx2.Response(200, json={})


def client(found: list[str], inner: Noting) -> httpx2.AsyncClient:
    async def lookup(host: str, port: int) -> list[str]:
        return found

    return httpx2.AsyncClient(transport=PublicTransport(lookup=lookup, inner=inner))


async def test_the_connection_goes_to_what_was_looked_up_under_the_name_that_was_given() -> None:
    inner = Noting()
    async with client(["8.8.8.8", "8.8.4.4"], inner) as http:
        await http.get("https://nav.example.com/luxapt?x=1")
    (asked,) = inner.asked
    assert str(asked.url) == "https://8.8.8.8/luxapt?x=1"
    assert asked.headers["host"] == "nav.example.com"
    assert asked.extensions["sni_hostname"] == "nav.example.com"


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1"], []])
async def test_nothing_is_asked_when_any_address_of_a_name_is_private(found: list[str]) -> None:
    inner = Noting()
    async with client(found, inner) as http:
        with pytest.raises(NotPublic):
            await http.get("https://nav.example.com/")
    assert inner.asked == []


async def test_nothing_is_asked_in_the_open() -> None:
    inner = Noting()
    async with client(["8.8.8.8"], inner) as http:
        with pytest.raises(NotPublic):
            await http.get("http://nav.example.com/")
    assert inner.asked == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0x7f.1", "2130706433"])
async def test_other_ways_to_write_our_own_host_are_seen_through(host: str) -> None:
    async with httpx2.AsyncClient(transport=PublicTransport(lookup=look_up)) as http:
        with pytest.raises((NotPublic, httpx2.ConnectError, httpx2.InvalidURL)):
            await http.get(f"https://{host}/")


async def test_our_own_network_is_asked_where_that_is_allowed() -> None:
    async with price_desk() as desk:
        desk.body = b"{}"
        async with httpx2.AsyncClient(transport=PublicTransport(private_too=True)) as http:
            answer = await http.get(f"http://localhost:{desk.port}/x")
        assert (answer.status_code, desk.seen[0][1]["host"]) == (200, f"localhost:{desk.port}")
