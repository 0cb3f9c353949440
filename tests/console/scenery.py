"""What the pictures show beside the demo's story: people at work, so that no desk is empty."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.console.venue import Venue

USUAL: dict[str, Any] = {
    "name": "Harbour Wharf",
    "description": "A wharf with two cranes and a cold store, let to three carriers until 2034.",
    "assetType": "real_estate",
    "tokenSymbol": "WHARF",
    "tokenName": "Harbour Wharf",
    "totalSupply": "100000",
    "supplyCap": "250000",
}
DETAILS: dict[str, Any] = {
    "valuation": "12500000",
    "currency": "EUR",
    "location": "Quay 3, Lisbon",
    "attributes": {"area": "4,200 m²", "tenants": "3", "yield": "5.4 %"},
}
RULES = {"minKycLevel": 1, "maxHolders": 149, "blockedJurisdictions": ["KP", "IR"]}
PAPERS = (("Deed of title", "title_deed"), ("Valuation 2026", "valuation_report"))
SOON = timedelta(days=12)


async def dress(venue: Venue) -> None:
    """Something on every desk."""
    await _registrations(venue)
    await _a_withdrawal_to_review(venue)
    await _a_record_that_ends(venue)
    await _a_program(venue)


async def _registrations(venue: Venue) -> None:
    """One that was rejected and comes again with what was asked for, and another one."""
    first = await _submit(venue, USUAL, {**DETAILS, "valuation": "14000000"}, PAPERS[:1])
    verdict = {"decision": "reject", "reason": "The valuation is two years old: bring one of this year."}
    await venue.post("compliance", f"/markets/{first['id']}/approve", verdict)
    again = await _submit(venue, USUAL, DETAILS, PAPERS)
    venue.samples["waiting"] = again["id"]
    other = {"name": "Solar Park Alentejo", "assetType": "private_equity", "tokenSymbol": "SOLAR"}
    await _submit(venue, {**USUAL, **other, "tokenName": "Solar Park Alentejo"}, DETAILS, PAPERS)


async def _submit(
    venue: Venue, market: dict[str, Any], details: dict[str, Any], papers: tuple[tuple[str, str], ...]
) -> dict[str, Any]:
    documents = [
        await venue.post("issuer", "/documents", {"title": title, "kind": kind, **_paper(title)})
        for title, kind in papers
    ]
    asset = {
        **details,
        "complianceDocuments": [document["id"] for document in documents],
        "regulatoryInfo": {"jurisdiction": "PT", "regulator": "CMVM", "proposedRules": RULES},
    }
    return await venue.post("issuer", "/markets/register", {**market, "assetDetails": asset})


def _paper(title: str) -> dict[str, Any]:
    sha256 = hashlib.sha256(title.encode()).hexdigest()
    return {"mediaType": "application/pdf", "sha256": sha256, "sizeBytes": 284_113}


async def _a_withdrawal_to_review(venue: Venue) -> None:
    async with venue.program("admin") as desk:
        await desk.set_withdrawal_limits(
            "USDC", automatic_up_to="500", four_eyes_above="1000", daily_limit="100000"
        )
    async with venue.program("investor") as client:
        await client.withdraw("USDC", "750")
        await client.withdraw("USDC", "1250.5")


async def _a_record_that_ends(venue: Venue) -> None:
    standing = {
        "tokenId": await venue.token_id(),
        "kycStatus": "APPROVED",
        "kycLevel": 2,
        "whitelisted": True,
        "jurisdiction": "LU",
        "expiresAt": (datetime.now(UTC) + SOON).strftime("%Y-%m-%dT00:00:00Z"),
    }
    await venue.post("compliance", f"/tokens/compliance/{venue.user_id('second-investor')}", standing)


async def _a_program(venue: Venue) -> None:
    key = {"name": "Market maker", "scopes": ["read", "trade"], "dailyNotional": "25000"}
    await venue.post("investor", "/me/api-keys", key)
    webhook = {"url": "https://bot.example.com/deedbook", "kinds": ["order.filled"]}
    await venue.post("investor", "/me/webhooks", webhook)
