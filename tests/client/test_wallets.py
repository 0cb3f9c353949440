"""Whoever comes by another issuer's token makes their signer's account theirs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest

from deedbook.client import AsyncClient, LocalSigner, refusals
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.stack.wallet import Wallet
from tests.client.support import URL
from tests.support.oidc_issuer import AUDIENCE, Issuer, oidc_issuer
from tests.support.servers import PostgresServer
from tests.support.world import World, open_world


@dataclass(frozen=True)
class Door:
    """A world that trusts an issuer."""

    world: World
    issuer: Issuer

    @asynccontextmanager
    async def program(self, subject: str, wallet: Wallet) -> AsyncIterator[AsyncClient]:
        """A client of whom the issuer vouches for, with a wallet."""
        transport = httpx2.ASGITransport(self.world.app, raise_app_exceptions=False)
        signer, token = LocalSigner.from_key(wallet.private_key), self.issuer.token(subject)
        async with AsyncClient(URL, signer=signer, token=token, transport=transport) as client:
            yield client


@pytest.fixture(scope="module")
async def door(postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil) -> AsyncIterator[Door]:
    dsn = await postgres.new_database()
    async with (
        oidc_issuer() as issuer,
        open_world(
            dsn, valkey.url(), SAPPHIRE_RPC_URL=anvil.url, OIDC_ISSUERS=(f"{issuer.url}={AUDIENCE}",)
        ) as world,
    ):
        yield Door(world, issuer)
    await postgres.drop(dsn)


async def test_an_account_is_ones_own_when_its_signer_has_agreed(door: Door) -> None:
    wallet = Wallet.new()
    async with door.program("ada", wallet) as client:
        assert (await client.me()).account is None
        asked = await client.wallet()
        assert asked.account is None and asked.statement is not None and "ada" in asked.statement
        with pytest.raises(refusals.WalletNeeded):
            await client.restrict_withdrawals(True)
        bound = await client.bind_wallet()
        assert bound.account == wallet.address and await client.me() == bound
        told = await client.wallet()
        assert (told.account, told.statement) == (wallet.address, None)
        assert (await client.restrict_withdrawals(True)).allow_list_only
        with pytest.raises(refusals.WalletBound):
            await client.bind_wallet()
