"""Use cases: register, decide, activate, pause, resume, archive."""

from dataclasses import replace

from deedbook import tokens
from deedbook.identity.errors import FourEyes
from deedbook.identity.terms import Caller
from deedbook.infra.database import Tx
from deedbook.kernel.clock import to_wire
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.events import SYSTEM, Actor
from deedbook.kernel.ids import EntityId, MarketId, UserId, new_uuid
from deedbook.markets import model, store
from deedbook.markets.errors import (
    IssuerEntityMissing,
    MarketNotFound,
    StaleVersion,
    SymbolTaken,
)
from deedbook.markets.events import (
    MarketActivated,
    MarketActivationFailed,
    MarketActivationStarted,
    MarketApprovalRequested,
    MarketApproved,
    MarketArchived,
    MarketPaused,
    MarketRegistered,
    MarketRejected,
    MarketResumed,
)
from deedbook.markets.model import Market, RegisterMarket, next_status
from deedbook.markets.store import Document
from deedbook.markets.terms import DEPLOY_MARKET_TOKEN, Decision, MarketStatus, Move
from deedbook.tokens.terms import Deployment


def issuer_entity(caller: Caller) -> EntityId:
    """The issuer for whom the caller acts.

    Raises:
        IssuerEntityMissing: for none.
    """
    if caller.entity_id is None:
        raise IssuerEntityMissing("ask an operator to bind your account to your issuer's entity")
    return caller.entity_id


async def register(tx: Tx, caller: Caller, command: RegisterMarket) -> Market:
    """Register an asset and ask for its approval, in one step.

    Raises:
        Invalid: with every field that is wrong.
        SymbolTaken: choose another symbol.
    """
    supply = model.supply_of(command)
    found = await store.documents(tx, caller.user_id, command.asset.compliance_documents)
    missing = [
        FieldError(
            f"/assetDetails/complianceDocuments/{index}", "document_not_found", "not a document of yours"
        )
        for index, document_id in enumerate(command.asset.compliance_documents)
        if document_id not in found
    ]
    if missing:
        raise Invalid("some documents are not on record", errors=tuple(missing))
    if not await tokens.claim_symbol(tx, command.token_symbol):
        raise SymbolTaken(f"the symbol {command.token_symbol} is taken; choose another")
    now = await tx.now()
    draft = Market(
        market_id=MarketId(new_uuid()),
        name=command.name,
        description=command.description,
        asset_type=command.asset_type,
        issuer_id=issuer_entity(caller),
        issuer_user_id=caller.user_id,
        issuer_account=caller.account,
        token_name=command.token_name or command.name[:64],
        token_symbol=command.token_symbol,
        decimals=command.decimals,
        total_supply=supply.units,
        supply_cap=supply.cap_units,
        status=MarketStatus.DRAFT,
        version=1,
        activations=0,
        created_at=now,
        updated_at=now,
    )
    await store.add(tx, draft, command.asset)
    market = await store.save(tx, draft, replace(draft, status=next_status(draft.status, Move.SUBMIT)))
    tx.emit(_registered(market), caller.actor, before={"status": None}, after=draft.audited)
    asked = _approval_requested(market, command, list(found.values()), caller)
    tx.emit(asked, caller.actor, before=draft.audited, after=market.audited)
    return market


async def decide(
    tx: Tx,
    market_id: MarketId,
    decision: Decision,
    reason: str,
    actor: Actor,
    *,
    if_version: int | None = None,
) -> Market:
    """Carry out an officer's decision; an approval starts the activation by itself.

    Who decided must have been authorized before. Both ways in, the API and the permission service's
    events, end here.

    Raises:
        MarketNotFound · StaleVersion · FourEyes · IllegalTransition: see there.
    """
    market = await _locked(tx, market_id, if_version)
    if actor.actor_id == market.issuer_user_id:
        raise FourEyes("an issuer does not decide on their own registration")
    if decision is Decision.REJECTED:
        status = next_status(market.status, Move.REJECT)
        rejected = await store.save(tx, market, replace(market, status=status, rejected_reason=reason))
        told = MarketRejected(
            market_id=market_id, entity_id=market.issuer_id, decision=decision.value, reason=reason
        )
        tx.emit(told, actor, before=market.audited, after=rejected.audited)
        return rejected
    status = next_status(market.status, Move.APPROVE)
    approver = UserId(actor.actor_id) if actor.actor_id else None
    decided = replace(market, status=status, approved_by=approver, approved_at=await tx.now())
    approved = await store.save(tx, market, decided)
    agreed = MarketApproved(
        market_id=market_id, entity_id=market.issuer_id, decision=decision.value, reason=reason
    )
    tx.emit(agreed, actor, before=market.audited, after=approved.audited)
    return await _start_activation(tx, approved, SYSTEM)


async def activate(tx: Tx, market_id: MarketId, actor: Actor, *, if_version: int | None = None) -> Market:
    """Start the activation by hand: the way on after a deployment that failed for good."""
    return await _start_activation(tx, await _locked(tx, market_id, if_version), actor)


async def finish_activation(tx: Tx, market_id: MarketId, deployment: Deployment, chain_id: int) -> None:
    """Make the market live: token row, state and fact together. A repeated call changes nothing."""
    market = await _locked(tx, market_id, None)
    if market.status is not MarketStatus.ACTIVATING:
        return
    token_id = await tokens.record(tx, market.token_terms, market.issuer_user_id, deployment, chain_id)
    live = await store.save(
        tx,
        market,
        replace(
            market,
            status=next_status(market.status, Move.FINISH_ACTIVATION),
            contract_address=deployment.address,
            deployment_tx_hash=deployment.tx_hash,
            activated_at=await tx.now(),
            metadata={key: value for key, value in market.metadata.items() if key != "activationError"},
        ),
    )
    activated = MarketActivated(
        market_id=market_id,
        token_id=token_id,
        token_symbol=market.token_symbol,
        contract_address=deployment.address,
        deployment_tx_hash=deployment.tx_hash,
    )
    tx.emit(activated, before=market.audited, after=live.audited)


async def fail_activation(tx: Tx, market_id: MarketId, attempt: int, error: str) -> None:
    """Take an activation back: the market is approved again, with the error kept for people to see."""
    market = await _locked(tx, market_id, None)
    if market.status is not MarketStatus.ACTIVATING or market.activations != attempt:
        return
    reason = error[:1000]
    failure = {"attempt": attempt, "error": reason, "at": to_wire(await tx.now())}
    failed = await store.save(
        tx,
        market,
        replace(
            market,
            status=next_status(market.status, Move.FAIL_ACTIVATION),
            metadata={**market.metadata, "activationError": failure},
        ),
    )
    told = MarketActivationFailed(market_id=market_id, attempt=attempt, reason=reason)
    tx.emit(told, before=market.audited, after=failed.audited)


async def pause(
    tx: Tx, market_id: MarketId, reason: str, actor: Actor, *, if_version: int | None = None
) -> Market:
    """Refuse new orders until the market resumes."""
    before, market = await _move(tx, market_id, Move.PAUSE, if_version)
    paused = MarketPaused(market_id=market_id, reason=reason)
    tx.emit(paused, actor, before=before.audited, after=market.audited)
    return market


async def resume(
    tx: Tx, market_id: MarketId, reason: str, actor: Actor, *, if_version: int | None = None
) -> Market:
    """Let trading go on."""
    before, market = await _move(tx, market_id, Move.RESUME, if_version)
    resumed = MarketResumed(market_id=market_id, reason=reason)
    tx.emit(resumed, actor, before=before.audited, after=market.audited)
    return market


async def archive(
    tx: Tx, market_id: MarketId, reason: str, actor: Actor, *, if_version: int | None = None
) -> Market:
    """End trading for good."""
    before, market = await _move(tx, market_id, Move.ARCHIVE, if_version)
    archived = MarketArchived(market_id=market_id, reason=reason)
    tx.emit(archived, actor, before=before.audited, after=market.audited)
    return market


async def status_of(tx: Tx, market_id: MarketId) -> MarketStatus | None:
    """The market's status, held as it is until the commit, for rooms above that follow it."""
    return await store.status(tx, market_id)


async def _locked(tx: Tx, market_id: MarketId, if_version: int | None) -> Market:
    market = await store.lock(tx, market_id)
    if market is None:
        raise MarketNotFound
    if if_version is not None and market.version != if_version:
        raise StaleVersion(
            f"you saw version {if_version}; it is now {market.version}: look again, then decide"
        )
    return market


async def _move(tx: Tx, market_id: MarketId, move: Move, if_version: int | None) -> tuple[Market, Market]:
    """The market before and after."""
    market = await _locked(tx, market_id, if_version)
    return market, await store.save(tx, market, replace(market, status=next_status(market.status, move)))


async def _start_activation(tx: Tx, market: Market, actor: Actor) -> Market:
    attempt = market.activations + 1
    status = next_status(market.status, Move.START_ACTIVATION)
    started = await store.save(tx, market, replace(market, status=status, activations=attempt))
    told = MarketActivationStarted(market_id=market.market_id, attempt=attempt)
    tx.emit(told, actor, before=market.audited, after=started.audited)
    # A retry by hand must never be swallowed as a repetition: the attempt is part of the job's id.
    tx.enqueue(
        DEPLOY_MARKET_TOKEN,
        f"{DEPLOY_MARKET_TOKEN.name}-{market.market_id}-{attempt}",
        {
            "marketId": str(market.market_id),
            "tokenName": market.token_name,
            "tokenSymbol": market.token_symbol,
            "decimals": market.decimals,
            "totalSupply": market.supply_text,
            "actorId": str(actor.actor_id or market.approved_by or ""),
        },
    )
    return started


def _registered(market: Market) -> MarketRegistered:
    return MarketRegistered(
        market_id=market.market_id,
        entity_id=market.issuer_id,
        name=market.name,
        asset_type=market.asset_type.value,
        token_symbol=market.token_symbol,
        total_supply=market.supply_text,
    )


def _approval_requested(
    market: Market, command: RegisterMarket, documents: list[Document], caller: Caller
) -> MarketApprovalRequested:
    asset = command.asset
    return MarketApprovalRequested(
        market_id=market.market_id,
        entity_id=market.issuer_id,
        facts={
            "name": market.name,
            "description": market.description,
            "assetType": market.asset_type.value,
            "tokenName": market.token_name,
            "tokenSymbol": market.token_symbol,
            "decimals": market.decimals,
            "totalSupply": market.supply_text,
            "supplyCap": market.cap_text,
            "valuation": asset.valuation,
            "currency": asset.currency,
            "location": asset.location,
            "regulatoryInfo": asset.regulatory_info,
            "attributes": asset.attributes,
        },
        documents=tuple(
            {
                "documentId": str(document.document_id),
                "title": document.title,
                "kind": document.kind,
                "sha256": "0x" + document.sha256.hex(),
                "version": document.version,
            }
            for document in documents
        ),
        issuer={
            "userId": str(caller.user_id),
            "account": caller.account,
            "entityId": str(market.issuer_id),
            "roles": sorted(role.value for role in caller.roles),
        },
    )
