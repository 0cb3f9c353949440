"""What a deposit starts from: what its owner's own wallet has of a token, and how the vault may be let take it."""

import asyncio
from dataclasses import dataclass

from deedbook import chain, tokens
from deedbook.chain.terms import Contract
from deedbook.chain.vault import PermitTerms
from deedbook.custody.errors import TokenNotKept, VaultNotDeployed
from deedbook.custody.ports import Purses
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import TokenId
from deedbook.tokens import Token, TokenStatus


@dataclass(frozen=True)
class Purse:
    """A wallet of a token: `held` there, and `allowed` to the vault already; `None` where the contract does not say.
    `permit` is under what an approval is signed, `None` where the token takes none by signature."""

    token: Token
    contract: Address
    owner: Address
    vault: Address
    held: int | None
    allowed: int | None
    permit: PermitTerms | None


async def look(db: Database, purses: Purses, chain_id: int, token_id: TokenId, owner: Address) -> Purse:
    """Look into a wallet. No transaction may be open: the chain is asked.

    Raises:
        VaultNotDeployed: there is nothing to deposit into yet.
        TokenNotKept: no token of ours, or not yet.
        ChainUnavailable: the node gives no answer.
    """
    vault = (await chain.contracts(db, chain_id)).get(Contract.SETTLEMENT)
    if vault is None:
        raise VaultNotDeployed
    async with db.transaction() as tx:
        token = await tokens.of_id(tx, token_id)
    if token is None or token.status is not TokenStatus.ACTIVE or token.contract_address is None:
        raise TokenNotKept
    contract = token.contract_address
    held, allowed, permit = await asyncio.gather(
        purses.held(contract, owner),
        purses.allowed(contract, owner, vault),
        purses.permit_terms(chain_id, contract, owner),
    )
    return Purse(token, contract, owner, vault, held, allowed, permit)
