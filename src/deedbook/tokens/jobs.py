"""Jobs of this room: have the vault take a token, have the chain mint, and read metadata anew."""

from uuid import UUID

import structlog
from redis.exceptions import RedisError

from deedbook.compliance.errors import TokenNotFound
from deedbook.infra.database import Tx
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.ids import TokenId, parse_uuid
from deedbook.kernel.jobs import Job, every, handles
from deedbook.tokens import listing, metadata, mint_store, store, supply
from deedbook.tokens.cache import TokenCopies
from deedbook.tokens.errors import MintNotFound
from deedbook.tokens.ports import TokenResources
from deedbook.tokens.terms import (
    LIST_TOKEN,
    MINT,
    REFRESH_ALL_METADATA,
    REFRESH_METADATA,
    SWEEP_MINTS,
    TokenStatus,
)

log = structlog.get_logger(__name__)

LIST_TIMEOUT_S = 120.0
MINT_TIMEOUT_S = 120.0
SWEPT_AFTER_S = 60.0
SWEEP_TIMEOUT_S = 0.5
SWEPT_AT_ONCE = 50
MAX_REFRESHED = 10_000


async def _give_up_listing(tx: Tx, job: Job, error: str) -> None:
    await listing.fail(tx, _token_id(job), _attempt(job), error)


@handles(LIST_TOKEN, lengthy=True, on_failure=_give_up_listing)
async def list_token(resources: TokenResources, job: Job) -> None:
    """Have the vault take a token. The job is trusted for the token's id and the attempt only."""
    token = await store.read(resources.db, _token_id(job))
    if token is None:
        raise TokenNotFound
    if token.status is not TokenStatus.LISTING or token.listings != _attempt(job):
        return
    await failpoint("list.afterClaim")
    await listing.list_in_vault(resources.db, resources.foundry, token, LIST_TIMEOUT_S)
    await failpoint("list.afterProof")
    async with resources.db.transaction() as tx:
        await listing.finish(tx, token.token_id)


async def _give_up_mint(tx: Tx, job: Job, error: str) -> None:
    await supply.fail_mint(tx, _mint_id(job), error, unless_submitted=True)


@handles(MINT, lengthy=True, on_failure=_give_up_mint)
async def mint_token(resources: TokenResources, job: Job) -> None:
    """Have the chain mint what was approved. The job is trusted for the mint's id only."""
    await supply.carry_out(resources.db, resources.foundry, _mint_id(job), MINT_TIMEOUT_S)


@every(60, SWEEP_MINTS, lengthy=True)
async def sweep_mints(resources: TokenResources, job: Job) -> None:
    """Look after mints whose job has ended before the chain gave its answer."""
    for mint_id in await mint_store.unsettled(resources.db, SWEPT_AFTER_S, SWEPT_AT_ONCE):
        try:
            await supply.carry_out(resources.db, resources.foundry, mint_id, SWEEP_TIMEOUT_S)
        except TimeoutError:
            continue


@handles(REFRESH_METADATA, lengthy=True)
async def refresh_metadata(resources: TokenResources, job: Job) -> None:
    """Read a token's metadata anew, and renew its copy in Redis, which would otherwise end after a day."""
    foundry, token_id = resources.foundry, _token_id(job)
    await metadata.refresh(resources.db, foundry.chain, foundry.vault_tokens, token_id)
    try:
        await TokenCopies(resources.db, resources.redis).refresh({token_id})
    except (RedisError, OSError, TimeoutError) as error:
        # A copy only: the truth stands, and the next fact or day brings another.
        log.warning("copy_not_renewed", token_id=str(token_id), error=type(error).__name__)


@every(86_400, REFRESH_ALL_METADATA)
async def refresh_all_metadata(tx: Tx, job: Job) -> None:
    """Ask for every token that the vault takes, once a day."""
    today = (await tx.now()).date().isoformat()
    for token_id in await store.refreshable(tx, MAX_REFRESHED):
        tx.enqueue(
            REFRESH_METADATA, f"{REFRESH_METADATA.name}-{token_id}-{today}", {"tokenId": str(token_id)}
        )


def _token_id(job: Job) -> TokenId:
    token_id = parse_uuid(str(job.data.get("tokenId", "")))
    if token_id is None:
        raise TokenNotFound("the job names no token")
    return TokenId(token_id)


def _attempt(job: Job) -> int:
    attempt = job.data.get("attempt")
    if not isinstance(attempt, int):
        raise TokenNotFound("the job names no attempt")
    return attempt


def _mint_id(job: Job) -> UUID:
    mint_id = parse_uuid(str(job.data.get("mintId", "")))
    if mint_id is None:
        raise MintNotFound("the job names no mint")
    return mint_id
