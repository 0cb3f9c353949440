"""What is told of a token beside its terms: its asset, its rules, and what the contract says of itself.

Read anew every day and on demand. Where chain and register differ that is told to operators and never repaired
here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from deedbook.chain.erc20 import Erc20Metadata
from deedbook.chain.ports import Chain
from deedbook.compliance import TokenRules
from deedbook.compliance import views as compliance_views
from deedbook.infra.database import Database, Tx
from deedbook.kernel.amounts import to_text
from deedbook.kernel.clock import to_wire
from deedbook.kernel.ids import TokenId
from deedbook.tokens import mint_store, model, store, views
from deedbook.tokens.events import MetadataDiffers, MetadataUpdated
from deedbook.tokens.ports import VaultTokens
from deedbook.tokens.terms import Token, TokenType

log = structlog.get_logger(__name__)

REFRESHED_AT = "refreshedAt"
MARKET_VALUE = "marketValue"


@dataclass(frozen=True)
class _Seen:
    """What the chain showed."""

    words: Erc20Metadata | None
    supply: int | None


async def refresh(db: Database, node: Chain, words: VaultTokens, token_id: TokenId) -> None:
    """Read everything anew and write it down; a fact is told of what has changed. Harmless when repeated.

    Raises:
        ChainUnavailable: no answer from the node; nothing was written.
    """
    token = await store.read(db, token_id)
    if token is None or token.contract_address is None:
        return
    seen = _Seen(
        await words.metadata(node, token.contract_address),
        await words.total_supply(node, token.contract_address),
    )
    asset = await views.asset(db, token.market_id) if token.market_id is not None else None
    async with db.transaction() as tx:
        await _write(tx, token, seen, asset)


async def note_market_value(tx: Tx, token_id: TokenId, value: Mapping[str, Any]) -> bool:
    """Tell beside the token what it is worth outside, and since when; whether that is news. Told again it is none."""
    token = await store.by_id(tx, token_id)
    assert token is not None, "tokens are never removed"
    former = await store.metadata(tx, token_id)
    if former.get(MARKET_VALUE) == value:
        return False
    await store.set_metadata(tx, token_id, {**former, MARKET_VALUE: dict(value)})
    updated = MetadataUpdated(token_id=token_id, symbol=token.symbol)
    tx.emit(updated, before={MARKET_VALUE: former.get(MARKET_VALUE)}, after={MARKET_VALUE: value})
    return True


async def _write(tx: Tx, before: Token, seen: _Seen, asset: dict[str, Any] | None) -> None:
    former = await store.metadata(tx, before.token_id)
    token = await store.by_id(tx, before.token_id)
    assert token is not None, "tokens are never removed"
    was = {name: value for name, value in former.items() if name != REFRESHED_AT}
    differences = await _differences(tx, before, token, seen, was.get("chain"))
    told = {**was, "chain": _chain(token, seen), "differences": differences}
    if asset is not None:
        told |= {"asset": _asset(asset), "rules": await _rules(tx, token)}
    moment = to_wire(await tx.now())
    await store.set_metadata(tx, token.token_id, {**told, REFRESHED_AT: moment})
    if token.token_type is not TokenType.RWA and seen.supply is not None:
        # Nobody mints these here: the register only follows.
        await store.set_supply(tx, token.token_id, seen.supply)
    if told != was:
        updated = MetadataUpdated(token_id=token.token_id, symbol=token.symbol)
        tx.emit(updated, before=was, after=told)
    if differences:
        log.error("token_differs", token=token.symbol, differences=differences)
        if differences != was.get("differences"):
            differs = MetadataDiffers(token_id=token.token_id, differences=tuple(differences))
            named = {"differences": was.get("differences", [])}
            tx.emit(differs, before=named, after={"differences": differences})


async def _differences(
    tx: Tx, before: Token, token: Token, seen: _Seen, former: dict[str, Any] | None
) -> list[str]:
    """What the chain says otherwise. Others' tokens may be called here as we like: only what they change counts."""
    if seen.words is None:
        return ["the contract does not answer as a token"]
    found = model.word_differences(token, seen.words, former)
    if token.token_type is TokenType.RWA:
        on_its_way = await mint_store.submitted_units(tx, token.token_id)
        least = min(before.total_supply, token.total_supply)
        if seen.supply is None or not least <= seen.supply <= token.total_supply + on_its_way:
            shown = to_text(seen.supply, token.decimals) if seen.supply is not None else "nothing"
            booked = to_text(token.total_supply, token.decimals)
            found.append(f"totalSupply is {shown}, and the register has {booked}")
    return found


def _chain(token: Token, seen: _Seen) -> dict[str, Any]:
    return {
        "name": seen.words.name if seen.words else None,
        "symbol": seen.words.symbol if seen.words else None,
        "decimals": seen.words.decimals if seen.words else None,
        "totalSupply": to_text(seen.supply, token.decimals) if seen.supply is not None else None,
    }


def _asset(asset: dict[str, Any]) -> dict[str, Any]:
    valuation = asset["valuation"]
    return {
        "assetType": asset["asset_type"],
        "description": asset["description"],
        "valuation": model.plain(valuation) if valuation is not None else None,
        "currency": asset["currency"],
        "location": asset["location"],
        "regulatoryInfo": asset["regulatory_info"],
        "documents": [
            {
                "documentId": str(document["document_id"]),
                "title": document["title"],
                "kind": document["kind"],
                "sha256": "0x" + document["sha256"].hex(),
                "version": document["version"],
            }
            for document in asset["documents"]
        ],
    }


async def _rules(tx: Tx, token: Token) -> dict[str, Any]:
    found = await compliance_views.rules(tx, token.token_id)
    rules = found[1] if found is not None else TokenRules()
    most = rules.max_ownership
    return {
        "minKycLevel": rules.min_kyc_level,
        "accreditationRequired": rules.accreditation_required,
        "allowedJurisdictions": sorted(rules.allowed_jurisdictions),
        "blockedJurisdictions": sorted(rules.blocked_jurisdictions),
        "maxHolders": rules.max_holders,
        "maxOwnership": to_text(most, token.decimals) if most is not None else None,
        "lockUpDays": rules.lock_up_days,
        "paused": rules.paused,
    }
