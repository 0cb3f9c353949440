"""The platform's contracts on a chain, and what a market's token is made from."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from deedbook import chain
from deedbook.chain import Contract
from deedbook.chain import lane as lanes
from deedbook.chain.ports import Chain
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire import contracts as words
from deedbook.integrations.sapphire.accounts import Account
from deedbook.integrations.sapphire.contracts import SapphireContracts
from deedbook.integrations.sapphire.keys import LocalSigner
from deedbook.integrations.sapphire.platform import deploy_platform
from deedbook.integrations.sapphire.vault_tokens import SapphireVaultTokens
from deedbook.kernel.clock import SystemClock
from deedbook.kernel.ids import MarketId
from deedbook.tokens import Foundry, TokenTerms
from tests.chain.support import POLICY, new_signer
from tests.support.fake_chain import CHAIN_ID


@dataclass
class Platform:
    """A key that founds a platform, and issues on it."""

    db: Database
    node: Chain
    signer: LocalSigner

    @property
    def foundry(self) -> Foundry:
        return Foundry(self.node, SapphireContracts(), SapphireVaultTokens(), CHAIN_ID, self.signer.address)

    async def step(self) -> None:
        await lanes.step(self.db, self.node, self.signer, POLICY, SystemClock().now())

    async def found(
        self,
        cash_token: str = "",
        drive: Callable[[], Awaitable[None]] | None = None,
        fee_account: str = "",
    ) -> dict[Contract, Address]:
        return await deploy_platform(
            self.db, self.node, self.signer.address, CHAIN_ID, cash_token, drive or self.step, fee_account
        )

    async def another_coin(self) -> Address:
        """Another stable token on the chain."""
        key = f"cash-{uuid4()}"
        async with self.db.transaction() as tx:
            call = words.create("TestDollar", ["address"], [self.signer.address])
            await chain.request(tx, key, self.signer.address, call)
        entry = await chain.wait_final(self.db, key, 20)
        assert entry.contract_address is not None
        return entry.contract_address


@asynccontextmanager
async def moving(platform: Platform) -> AsyncIterator[None]:
    """A worker that moves the lane."""

    async def move() -> None:
        while True:
            await platform.step()
            await asyncio.sleep(0.02)

    task = asyncio.create_task(move())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def open_platform(db: Database, node: Chain, anvil: EmbeddedAnvil) -> Platform:
    """A platform that is not founded yet, with a rich key of its own."""
    made = Platform(db, node, new_signer())
    await anvil.rpc("anvil_setBalance", made.signer.address, hex(10**24))
    return made


def token_terms(**changes: Any) -> TokenTerms:
    asked: dict[str, Any] = {
        "market_id": MarketId(uuid4()),
        "name": "Harbour Warehouse",
        "symbol": "HRB" + uuid4().hex[:5].upper(),
        "decimals": 18,
        "supply_units": 1_000_000 * 10**18,
        "cap_units": 3_000_000 * 10**18,
        "issuer": Address(str(Account.create().address).lower()),
        **changes,
    }
    return TokenTerms(**asked)
