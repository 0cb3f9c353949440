"""Jobs of this room: deploy a market's token, and poll for decisions where no webhook reaches us."""

from itertools import product

from deedbook import tokens
from deedbook.infra import inbox
from deedbook.infra.database import Tx
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.errors import Refusal, Unavailable
from deedbook.kernel.ids import MarketId, parse_uuid
from deedbook.kernel.jobs import Job, every, first_id, handles
from deedbook.markets import decisions, service, store
from deedbook.markets.errors import MarketNotFound
from deedbook.markets.ports import MarketResources
from deedbook.markets.terms import DEPLOY_MARKET_TOKEN, POLL_DECISIONS, MarketStatus

DEPLOY_TIMEOUT_S = 120.0
POLLED_TYPES = ("market.rejected", "market.approved", *sorted(decisions.PERMISSION_EVENTS))


async def _give_up(tx: Tx, job: Job, error: str) -> None:
    await service.fail_activation(tx, _market_id(job), _attempt(job), error)


@handles(DEPLOY_MARKET_TOKEN, lengthy=True, on_failure=_give_up)
async def deploy_market_token(resources: MarketResources, job: Job) -> None:
    """Deploy the token contract and make the market live. The job is trusted for the market's id only."""
    market = await store.read(resources.db, _market_id(job))
    if market is None:
        raise MarketNotFound
    if market.status is not MarketStatus.ACTIVATING or market.activations != _attempt(job):
        return
    await failpoint("deploy.afterClaim")
    foundry = resources.foundry
    deployment = await tokens.deploy(resources.db, foundry, market.token_terms, DEPLOY_TIMEOUT_S)
    await failpoint("deploy.afterProof")
    async with resources.db.transaction() as tx:
        await service.finish_activation(tx, market.market_id, deployment, foundry.chain_id)
        await failpoint("deploy.beforeCommit")
    await failpoint("deploy.afterCommit")


@every(10, POLL_DECISIONS, lengthy=True)
async def poll_decisions(resources: MarketResources, job: Job) -> None:
    """Read the permission service's newest events; those that a webhook brought are known by their id."""
    away: Unavailable | None = None
    for event_type, source in product(POLLED_TYPES, resources.decision_sources):
        try:
            await _take_in(resources, event_type, source)
        except Unavailable as error:
            # One question without an answer must not keep the others' decisions away.
            away = error
    if away is not None:
        raise away


async def _take_in(resources: MarketResources, event_type: str, source: str) -> None:
    recent = await resources.decision_feed.recent(event_type, source)
    new = await inbox.unseen(resources.db, [event.event_id for event in recent])
    for event in reversed(recent):
        if event.event_id in new and event.source == source:
            await decisions.receive(resources.db, resources.permissions, resources.decision_sources, event)


def _market_id(job: Job) -> MarketId:
    market_id = parse_uuid(str(job.data.get("marketId", "")))
    if market_id is None:
        raise MarketNotFound("the job names no market")
    return MarketId(market_id)


def _attempt(job: Job) -> int:
    """The activation that this job belongs to: the last part of its id."""
    number = first_id(job.job_id).rsplit("-", 1)[-1]
    if not number.isdigit():
        raise _UnknownJob(f"cannot read the attempt in {job.job_id}")
    return int(number)


class _UnknownJob(Refusal):
    code, kind, title = "unknown_job", MarketNotFound.kind, "The job is not one of ours"
