"""The wallet of the demo and of the command line."""

import httpx2
import pytest

from deedbook.stack.wallet import Wallet, sign_in

OFFER = {
    "domain": "localhost",
    "uri": "http://localhost",
    "version": "1",
    "chainId": 31337,
    "nonce": "a" * 16,
}


def exchange(refusals: int, wait_s: int) -> httpx2.MockTransport:
    """The far side: it has room after so many refusals."""
    left = [refusals]

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/auth/siwe":
            return httpx2.Response(200, json={"accessToken": "it"})
        left[0] -= 1
        if left[0] >= 0:
            return httpx2.Response(429, headers={"Retry-After": str(wait_s)})
        return httpx2.Response(200, json=OFFER)

    return httpx2.MockTransport(answer)


async def test_sign_in_waits_when_there_were_too_many() -> None:
    async with httpx2.AsyncClient(transport=exchange(2, 0), base_url="http://exchange") as http:
        told: list[float] = []
        assert await sign_in(http, Wallet.new(), told.append) == {"accessToken": "it"}
    assert told == [0, 0], "who looks on knows why nothing happens"


async def test_sign_in_does_not_wait_for_ever() -> None:
    async with httpx2.AsyncClient(transport=exchange(1, 3600), base_url="http://exchange") as http:
        with pytest.raises(httpx2.HTTPStatusError, match="429"):
            await sign_in(http, Wallet.new())
