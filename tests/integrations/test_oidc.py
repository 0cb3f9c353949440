"""Keys of issuers over real HTTP: kept, asked for again when they change, never more often than is decent."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from deedbook.identity.errors import IssuerUnavailable
from deedbook.integrations.oidc.client import AGAIN_S, AT_MOST_S, KEPT_S, OidcIssuers
from tests.support.oidc_issuer import AUDIENCE, Issuer, as_jwk, new_key, oidc_issuer
from tests.support.waiting import PATIENCE_S

ALL = {"rsa-1", "ec-1", "ed-1", "weak"}


@dataclass
class Desk:
    """Our side, with the clock in our hand."""

    issuer: Issuer
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.client = OidcIssuers(
            {self.issuer.url: AUDIENCE}, timeout_s=PATIENCE_S, private_too=True, clock=lambda: self.now
        )

    async def names(self, key_id: str = "rsa-1") -> set[str]:
        return {key["kid"] for key in await self.client.keys(self.issuer.url, key_id)}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with oidc_issuer() as issuer:
        made = Desk(issuer)
        yield made
        await made.client.close()


async def test_keys_are_asked_for_once_in_a_while(desk: Desk) -> None:
    for _ in range(3):
        assert await desk.names() == ALL
    assert desk.issuer.asked == 2  # where the keys are, and the keys
    desk.now += KEPT_S + 1
    await desk.names()
    assert desk.issuer.asked == 4


async def test_a_new_key_is_found_and_made_up_ones_cost_nothing(desk: Desk) -> None:
    await desk.names()
    desk.issuer.published = [as_jwk(new_key("EdDSA"), "EdDSA", "ed-2")]
    for number in range(20):
        assert await desk.names(f"made-up-{number}") == ALL
    assert desk.issuer.asked == 2
    desk.now += AGAIN_S
    assert await desk.names("ed-2") == {"ed-2"}


async def test_known_keys_go_on_while_the_issuer_is_silent_but_not_for_ever(desk: Desk) -> None:
    await desk.names()
    desk.issuer.silent = True
    desk.now += KEPT_S + 1
    assert "rsa-1" in await desk.names()
    desk.now += AT_MOST_S
    with pytest.raises(IssuerUnavailable):
        await desk.names()
    desk.issuer.silent = False
    desk.now += AGAIN_S
    assert "rsa-1" in await desk.names()


async def test_an_issuer_that_calls_itself_by_another_name_is_not_believed(desk: Desk) -> None:
    """The mix-up of A-13: one issuer's discovery must not answer for another's."""
    desk.issuer.calls_itself = "https://login.example.com"
    with pytest.raises(IssuerUnavailable):
        await desk.names()


async def test_an_issuer_in_our_own_network_is_not_asked_in_production(desk: Desk) -> None:
    strict = OidcIssuers({desk.issuer.url: AUDIENCE}, timeout_s=2, private_too=False)
    with pytest.raises(IssuerUnavailable):
        await strict.keys(desk.issuer.url, "rsa-1")
    await strict.close()
    assert desk.issuer.asked == 0


async def test_secrets_among_the_keys_are_left_out(desk: Desk) -> None:
    desk.issuer.published.append({"kty": "oct", "kid": "secret", "k": "AAAA"})
    assert "secret" not in await desk.names()
