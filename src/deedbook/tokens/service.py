"""Use cases: have a market's token deployed, and prove that it stands."""

from deedbook import chain
from deedbook.chain.terms import Contract
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import MarketId, TokenId, UserId, new_uuid
from deedbook.tokens import store
from deedbook.tokens.errors import DeploymentNotProven, PlatformNotDeployed
from deedbook.tokens.events import TokenListed
from deedbook.tokens.ports import Foundry
from deedbook.tokens.terms import Deployment, Token, TokenTerms, TokenType


async def deploy(db: Database, foundry: Foundry, terms: TokenTerms, timeout_s: float) -> Deployment:
    """Have the token deployed, wait until it is final, and prove it on the chain. Harmless when repeated.

    The factory takes each market once, and the transaction's key names the market: at most one contract
    can ever exist, whoever crashes when. A transaction that was undone is asked for again under the next
    number, so that a retry by hand really retries. A token that stands without our knowing is proven and
    adopted.

    Raises:
        PlatformNotDeployed: the factory is not there yet.
        TimeoutError: not final in time; calling again goes on waiting for the same transaction.
        TransactionReverted: undone by the contract.
        DeploymentNotProven: the chain shows something else than was asked.
        ChainUnavailable: no answer from the node.
    """
    platform = await chain.contracts(db, foundry.chain_id)
    if Contract.TOKEN_FACTORY not in platform:
        raise PlatformNotDeployed("run `deedbook chain deploy` first")
    key = await chain.next_key(db, f"deploy-token-{terms.market_id}")
    if await chain.find(db, key) is None:
        token = await foundry.contracts.token_of(foundry.chain, platform, terms.market_id)
        if token is not None:
            return await _adopt(foundry, platform, terms, token)
        await _request(db, foundry, platform, terms, key)
    entry = await chain.wait_final(db, key, timeout_s)
    token = await foundry.contracts.token_of(foundry.chain, platform, terms.market_id)
    if token is None or entry.tx_hash is None:
        raise DeploymentNotProven("the factory does not know a token for this market")
    return await _proven(foundry, platform, terms, Deployment(token, entry.tx_hash), newly=True)


async def _request(
    db: Database, foundry: Foundry, platform: dict[Contract, Address], terms: TokenTerms, key: str
) -> None:
    """Ask for the deployment, and before it for the issuer's entry in the registry where there is none."""
    calls = []
    if not await foundry.contracts.is_verified(foundry.chain, platform, terms.issuer):
        register = foundry.contracts.register_issuer(platform, terms.issuer)
        calls.append((await chain.next_key(db, f"register-issuer-{terms.market_id}"), register))
    calls.append((key, foundry.contracts.deploy_token(platform, terms, foundry.admin)))
    async with db.transaction() as tx:
        for call_key, call in calls:
            await chain.request(tx, call_key, foundry.admin, call)


async def _adopt(
    foundry: Foundry, platform: dict[Contract, Address], terms: TokenTerms, token: Address
) -> Deployment:
    """A token that stands although we know of no deployment: the database was restored from before it."""
    tx_hash = await foundry.contracts.deployment_of(foundry.chain, platform, terms.market_id)
    if tx_hash is None:
        raise DeploymentNotProven(
            f"the factory has {token} for this market, which this database did not deploy, and its deployment "
            "lies further back than is searched"
        )
    return await _proven(foundry, platform, terms, Deployment(token, tx_hash), newly=False)


async def _proven(
    foundry: Foundry,
    platform: dict[Contract, Address],
    terms: TokenTerms,
    deployment: Deployment,
    *,
    newly: bool,
) -> Deployment:
    """The deployment, when it is what was asked. Of a token that stood before, supply may have moved on."""
    wrong = await foundry.contracts.differences(
        foundry.chain, platform, terms, deployment.address, foundry.admin
    )
    if newly:
        wrong += await foundry.contracts.supply_differences(
            foundry.chain, platform, terms, deployment.address
        )
    if wrong:
        raise DeploymentNotProven("; ".join(wrong))
    return deployment


async def record(tx: Tx, terms: TokenTerms, issuer: UserId, deployment: Deployment, chain_id: int) -> TokenId:
    """Write the token's row, with the supply that was minted at its deployment; a repeated call finds the row of
    the first. The factory has listed the token in the vault."""
    token = Token(
        token_id=TokenId(new_uuid()),
        symbol=terms.symbol,
        name=terms.name,
        token_type=TokenType.RWA,
        decimals=terms.decimals,
        contract_address=deployment.address,
        market_id=terms.market_id,
        chain_id=chain_id,
        total_supply=terms.supply_units,
        supply_cap=terms.cap_units,
        issuer_user_id=issuer,
    )
    if await store.add(tx, token):
        tx.emit(listed(token), before={"status": None}, after=token.summary)
        return token.token_id
    existing = await store.by_market(tx, terms.market_id)
    assert existing is not None, f"the symbol {terms.symbol} belongs to another token"
    return existing.token_id


async def record_cash(tx: Tx, address: Address, chain_id: int, decimals: int) -> None:
    """Write the row of the quote token, USDC, which founding the platform has listed in the vault."""
    token = Token(
        TokenId(new_uuid()), "USDC", "USD Coin", TokenType.STABLE, decimals, address, None, chain_id
    )
    if await store.add(tx, token):
        tx.emit(listed(token), before={"status": None}, after=token.summary)


def listed(token: Token) -> TokenListed:
    """The fact that the vault takes this token."""
    assert token.contract_address is not None, "the vault lists contracts"
    return TokenListed(
        token_id=token.token_id,
        symbol=token.symbol,
        token_type=token.token_type.value,
        decimals=token.decimals,
        contract_address=token.contract_address,
    )


async def of_market(tx: Tx, market_id: MarketId) -> Token | None:
    """The token of a market."""
    return await store.by_market(tx, market_id)


async def of_symbol(tx: Tx, symbol: str) -> Token | None:
    """The token of this symbol."""
    return await store.by_symbol(tx, symbol)


async def of_address(tx: Tx, address: Address) -> Token | None:
    """The token whose contract stands at this address."""
    return await store.by_address(tx, address)


async def of_id(tx: Tx, token_id: TokenId) -> Token | None:
    """The token of this id."""
    return await store.by_id(tx, token_id)
