"""Requests to addresses that people have named: to public places alone, and to the very place that was looked up.

A name that leads to our own network would have us ask our own servers; one that leads elsewhere at the second look
would have us ask them after it was found harmless. So each name is looked up once, by us, and the connection goes to
what was found, while certificate and host name stay those of the name.
"""

import ipaddress
from collections.abc import Awaitable, Callable

import httpx2

from deedbook.integrations.names import Names

Lookup = Callable[[str, int], Awaitable[list[str]]]
_NAMES = Names()
# All that is given to anybody (RFC 4291, section 2.4). What carries an address of the older kind inside, which may be
# one of ours, lies outside, and 6to4 in it.
_GIVEN_OUT, _6TO4 = ipaddress.ip_network("2000::/3"), ipaddress.ip_network("2002::/16")


class NotPublic(httpx2.TransportError):
    """The name leads to a private place, or the scheme shows what is sent to everybody on the way."""


async def look_up(host: str, port: int) -> list[str]:
    """All addresses of a name that an operator gave."""
    return await _NAMES.look_up(host, port)


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif found not in _GIVEN_OUT or found in _6TO4:
            return False
    return found.is_global and not found.is_multicast


class PublicTransport(httpx2.AsyncBaseTransport):
    """HTTPS to public addresses. `private_too` also lets plain HTTP and our own network be asked, for development."""

    def __init__(
        self,
        *,
        private_too: bool = False,
        lookup: Lookup = look_up,
        inner: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._private_too = private_too
        self._lookup = lookup
        self._inner = inner or httpx2.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        if url.scheme != "https" and not self._private_too:
            raise NotPublic("only https is asked", request=request)
        try:
            found = await self._lookup(url.host, url.port or 443)
        except OSError as error:
            raise httpx2.ConnectError("the name is not known", request=request) from error
        if not found or not (self._private_too or all(is_public(address) for address in found)):
            raise NotPublic("the name leads to no public address", request=request)
        there = httpx2.Request(
            request.method,
            url.copy_with(host=found[0]),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": url.host},
        )
        return await self._inner.handle_async_request(there)

    async def aclose(self) -> None:
        await self._inner.aclose()
