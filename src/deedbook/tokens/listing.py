"""Use cases: put somebody else's token on the register, and have the vault take it."""

from dataclasses import replace

from deedbook import chain
from deedbook.chain.erc20 import Erc20Metadata
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Contract
from deedbook.compliance.errors import TokenNotFound
from deedbook.identity.terms import Caller, Role
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.clock import to_wire
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.events import Actor
from deedbook.kernel.ids import TokenId, new_uuid
from deedbook.tokens import store
from deedbook.tokens.errors import (
    ListingNotFailed,
    ListingNotProven,
    NotAToken,
    PlatformNotDeployed,
    TokenExists,
)
from deedbook.tokens.events import TokenListingFailed, TokenListingRetried, TokenRegistered
from deedbook.tokens.ports import Foundry, VaultTokens
from deedbook.tokens.service import listed
from deedbook.tokens.terms import LIST_TOKEN, REFRESH_METADATA, RegisterToken, Token, TokenStatus

MAX_DECIMALS = 18
LISTING_ERROR = "listingError"
_REGISTRARS = frozenset({Role.OPERATOR, Role.ADMIN})


async def examine(
    db: Database, node: Chain, words: VaultTokens, chain_id: int, command: RegisterToken
) -> Erc20Metadata:
    """Ask the contract what it is, with no transaction open. Its name and symbol are its own claim; what counts
    are the decimals, with which every amount will be read.

    Raises:
        PlatformNotDeployed: there is no vault yet.
        NotAToken: nothing there that answers as a token, or a contract of the platform's own.
        Invalid: the decimals that were given are not the contract's.
        ChainUnavailable: no answer from the node.
    """
    platform = await chain.contracts(db, chain_id)
    if Contract.SETTLEMENT not in platform:
        raise PlatformNotDeployed("run `deedbook chain deploy` first")
    told = await words.metadata(node, command.contract_address)
    if told is None or command.contract_address == platform[Contract.SETTLEMENT]:
        raise NotAToken("what stands at this address does not answer as an ERC-20 token")
    if told.decimals > MAX_DECIMALS:
        raise NotAToken(
            f"the vault keeps tokens of at most {MAX_DECIMALS} decimals; this has {told.decimals}"
        )
    if command.decimals not in (None, told.decimals):
        wrong = FieldError("/decimals", "not_the_contracts", f"the contract says {told.decimals}")
        raise Invalid("the decimals are not the contract's", errors=(wrong,))
    return told


async def register(
    tx: Tx, caller: Caller, command: RegisterToken, told: Erc20Metadata, chain_id: int
) -> Token:
    """Put a token on the register, as `examine` found it, and ask the vault to take it.

    Raises:
        TokenExists: the symbol or the contract is taken.
    """
    if not await store.claim_symbol(tx, command.symbol):
        raise TokenExists(f"the symbol {command.symbol} is taken")
    token = Token(
        token_id=TokenId(new_uuid()),
        symbol=command.symbol,
        name=command.name,
        token_type=command.token_type,
        decimals=told.decimals,
        contract_address=command.contract_address,
        market_id=None,
        chain_id=chain_id,
        status=TokenStatus.LISTING,
        listings=1,
    )
    if not await store.add(tx, token):
        raise TokenExists("the contract is on the register already")
    registered = TokenRegistered(
        token_id=token.token_id,
        symbol=token.symbol,
        token_type=token.token_type.value,
        decimals=token.decimals,
        contract_address=command.contract_address,
    )
    tx.emit(registered, caller.actor, before={"status": None}, after=token.summary)
    _enqueue(tx, token)
    return token


async def list_again(tx: Tx, actor: Actor, token_id: TokenId) -> Token:
    """Ask the vault once more, after a listing that failed for good.

    Raises:
        TokenNotFound · ListingNotFailed: what they say.
    """
    token = await store.lock(tx, token_id)
    if token is None:
        raise TokenNotFound
    if token.status is not TokenStatus.FAILED:
        raise ListingNotFailed(f"the token is {token.status.value}")
    again = replace(token, status=TokenStatus.LISTING, listings=token.listings + 1)
    await store.set_status(tx, again)
    retried = TokenListingRetried(token_id=token_id, attempt=again.listings)
    tx.emit(retried, actor, before=token.summary, after=again.summary)
    _enqueue(tx, again)
    return again


async def list_in_vault(db: Database, foundry: Foundry, token: Token, timeout_s: float) -> None:
    """Have the vault take the token, wait until that is final, and prove it. Harmless when repeated.

    Raises:
        PlatformNotDeployed: there is no vault yet.
        TimeoutError: not final in time; calling again goes on waiting for the same transaction.
        TransactionReverted: undone by the contract.
        ListingNotProven: the contract has changed its decimals since it was examined.
        ChainUnavailable: no answer from the node.
    """
    platform = await chain.contracts(db, foundry.chain_id)
    if Contract.SETTLEMENT not in platform:
        raise PlatformNotDeployed("run `deedbook chain deploy` first")
    assert token.contract_address is not None, "what is listed is a contract"
    words, contract = foundry.vault_tokens, token.contract_address
    if await words.listed_decimals(foundry.chain, platform, contract) is None:
        key = await chain.next_key(db, f"list-token-{token.token_id}")
        async with db.transaction() as tx:
            await chain.request(tx, key, foundry.admin, words.list_token(platform, contract))
        await failpoint("list.afterRequest")
        await chain.wait_final(db, key, timeout_s)
    decimals = await words.listed_decimals(foundry.chain, platform, contract)
    if decimals != token.decimals:
        raise ListingNotProven(f"the vault reads {decimals} decimals, and {token.decimals} were registered")


async def finish(tx: Tx, token_id: TokenId) -> None:
    """The vault takes the token. A repeated call changes nothing."""
    token = await store.lock(tx, token_id)
    assert token is not None, "tokens are never removed"
    if token.status is not TokenStatus.LISTING:
        return
    active = replace(token, status=TokenStatus.ACTIVE)
    await store.set_status(tx, active)
    told = await store.metadata(tx, token_id)
    await store.set_metadata(tx, token_id, {name: told[name] for name in told if name != LISTING_ERROR})
    tx.emit(listed(active), before=token.summary, after=active.summary)


async def fail(tx: Tx, token_id: TokenId, attempt: int, error: str) -> None:
    """Give this attempt up, with the error kept for people to see."""
    token = await store.lock(tx, token_id)
    if token is None or token.status is not TokenStatus.LISTING or token.listings != attempt:
        return
    failed, reason = replace(token, status=TokenStatus.FAILED), error[:1000]
    await store.set_status(tx, failed)
    failure = {"attempt": attempt, "error": reason, "at": to_wire(await tx.now())}
    await store.set_metadata(tx, token_id, {**await store.metadata(tx, token_id), LISTING_ERROR: failure})
    told = TokenListingFailed(token_id=token_id, attempt=attempt, reason=reason)
    tx.emit(told, before=token.summary, after=failed.summary)


async def request_refresh(tx: Tx, caller: Caller, token_id: TokenId) -> Token:
    """Have a token's metadata read anew: for its issuer, operators and admins.

    Raises:
        TokenNotFound: there is no such token, or it is none of theirs.
    """
    token = await store.by_id(tx, token_id)
    if token is None or (token.issuer_user_id != caller.user_id and not caller.roles & _REGISTRARS):
        raise TokenNotFound
    tx.enqueue(
        REFRESH_METADATA, f"{REFRESH_METADATA.name}-{token_id}-{new_uuid()}", {"tokenId": str(token_id)}
    )
    return token


def _enqueue(tx: Tx, token: Token) -> None:
    # A retry by hand must never be swallowed as a repetition: the attempt is part of the job's id.
    job_id = f"{LIST_TOKEN.name}-{token.token_id}-{token.listings}"
    tx.enqueue(LIST_TOKEN, job_id, {"tokenId": str(token.token_id), "attempt": token.listings})
