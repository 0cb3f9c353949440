"""Programs of an issuer and of compliance."""

from decimal import Decimal

import pytest

from deedbook.client import refusals
from deedbook.identity import Role
from tests.client.support import program
from tests.support.floor import Floor
from tests.support.world import registration


async def test_a_market_is_registered_and_decided_on_by_programs(floor: Floor) -> None:
    issuer = await floor.world.issuer()
    assert issuer.entity_id is not None
    officer = await floor.world.officer(issuer.entity_id)
    symbol = registration()["tokenSymbol"]
    async with program(floor, issuer) as client, program(floor, officer) as desk:
        deed = await client.add_document(title="Deed of title", kind="title_deed", content=b"%PDF-1.7")
        market = await client.register_market(
            name="Harbour Warehouse",
            asset_type="real_estate",
            token_symbol=symbol,
            total_supply=250_000,
            asset_details={"valuation": "4000000", "currency": "EUR", "complianceDocuments": [deed.id]},
        )
        assert (market.status, market.total_supply) == ("pending_approval", Decimal(250_000))
        with pytest.raises(refusals.Forbidden):
            await client.approve_market(market.id)
        with pytest.raises(refusals.StaleVersion):
            await desk.approve_market(market.id, version=market.version + 1)
        approved = await desk.approve_market(market.id, "documents verified", version=market.version)
        assert approved.status in ("approved", "activating")
        assert symbol in {entry.token_symbol async for entry in client.markets(text=symbol)}
        history = [event.event_type async for event in client.market_events(market.id)]
        assert history[0] == "market.registered"


async def test_compliance_decides_of_people_and_of_tokens(floor: Floor) -> None:
    officer, investor = await floor.world.user(Role.COMPLIANCE), await floor.world.user()
    token = floor.till.deed.symbol
    async with program(floor, officer) as desk:
        record = await desk.set_compliance(
            investor.user_id, token, kyc_status="APPROVED", kyc_level=2, whitelisted=True, jurisdiction="PT"
        )
        assert (record.kyc_status, record.jurisdiction) == ("APPROVED", "PT")
        frozen = await desk.freeze(investor.user_id, "a court order")
        assert frozen.frozen and frozen.records == (record,)
        assert not (await desk.unfreeze(investor.user_id, "taken back")).frozen
        assert investor.user_id in {entry.user_id async for entry in desk.compliance_records()}
        rules = await desk.set_rules(token, max_holders=1000, blocked_jurisdictions={"KP"})
        assert (rules.max_holders, rules.blocked_jurisdictions) == (1000, ("KP",))
        assert await desk.rules(token) == rules
