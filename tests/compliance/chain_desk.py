"""A desk whose token stands on a real chain, and what the chain says of accounts."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from deedbook import chain, tokens
from deedbook.chain.terms import Contract
from deedbook.chain.vault import reference_of
from deedbook.compliance import Registrar, registry
from deedbook.identity import account_of_user
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire import custody as words
from deedbook.integrations.sapphire.contracts import read
from deedbook.integrations.sapphire.registry import SapphireRegistry
from deedbook.kernel.ids import UserId
from tests.compliance.support import Desk, new_user, open_desk
from tests.support.fake_chain import CHAIN_ID
from tests.support.platform import Platform, token_terms

TIMEOUT_S = 20.0
_IDENTITY = "(bool,bytes2,uint8,uint64,bool)"


@dataclass(frozen=True)
class ChainDesk(Desk):
    """A desk with a platform on a chain."""

    platform: Platform
    contract: Address

    @property
    def registrar(self) -> Registrar:
        node, wallet = self.platform.node, self.platform.signer.address
        return Registrar(node, SapphireRegistry(), CHAIN_ID, wallet)

    async def register(self, user_id: UserId | None = None) -> None:
        await registry.register(self.db, self.registrar, user_id, TIMEOUT_S)

    async def register_pauses(self) -> None:
        await registry.register_pauses(self.db, self.registrar, self.token, TIMEOUT_S)

    async def account(self, user_id: UserId) -> Address:
        async with self.db.transaction() as tx:
            found = await account_of_user(tx, user_id)
        assert found is not None
        return found

    async def identity(self, user_id: UserId) -> tuple[bool, bytes, int, int, bool]:
        """Verified, jurisdiction, accreditation, expiry and frozen, as the registry has them."""
        platform = await chain.contracts(self.db, CHAIN_ID)
        asked = "identityOf(address)", ["address"], [await self.account(user_id)]
        told: Any = await read(self.platform.node, platform[Contract.IDENTITY_REGISTRY], *asked, _IDENTITY)
        return tuple(told)

    async def chain_says(self, sender: UserId, receiver: UserId, amount: int = 0) -> int:
        """The reason number for which the token would refuse this move of a vault balance."""
        accounts = await self.account(sender), await self.account(receiver)
        return await words.vault_restriction(self.platform.node, self.contract, *accounts, amount)

    async def mint(self, user_id: UserId, amount: int) -> None:
        """Put tokens into the vault and into the ledger."""
        reference = reference_of(uuid4())
        call = words.mint_to_vault(self.contract, await self.account(user_id), amount, reference)
        async with self.db.transaction() as tx:
            await chain.request(tx, f"mint-{reference.hex()}", self.platform.signer.address, call)
        await chain.wait_final(self.db, f"mint-{reference.hex()}", TIMEOUT_S)
        await self.give(user_id, amount)

    async def asked(self, stem: str) -> list[str]:
        """The keys of the transactions that were asked for under this stem, with what became of them."""
        async with self.db.reading() as connection:
            rows = await connection.fetch(
                "SELECT key, status FROM chain_transactions WHERE key LIKE $1 || '%' ORDER BY position", stem
            )
        return [f"{row['key'].removeprefix(stem)} {row['status']}" for row in rows]


async def open_chain_desk(platform: Platform) -> ChainDesk:
    """A new token on the chain, whose issuer compliance knows nothing of."""
    terms = token_terms()
    deployment = await tokens.deploy(platform.db, platform.foundry, terms, TIMEOUT_S)
    desk = await open_desk(platform.db, deployment.address)
    issuer = await new_user(platform.db, terms.issuer)
    async with platform.db.transaction() as tx:
        await tx.execute("UPDATE tokens SET issuer_user_id = $2 WHERE token_id = $1", desk.token, issuer)
    desk = replace(desk, issuer=issuer)
    return ChainDesk(**vars(desk), platform=platform, contract=deployment.address)
