"""The rules of a market's life, as values; and the same graph in the model, in the database and in the truths."""

import re
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deedbook import truths
from deedbook.infra.database import Database
from deedbook.kernel.errors import Invalid
from deedbook.kernel.ids import DocumentId
from deedbook.markets.errors import IllegalTransition
from deedbook.markets.model import TRANSITIONS, AssetDetails, Supply, next_status, supply_of
from deedbook.markets.terms import MarketStatus, Move
from tests.markets.support import asset, market_in
from tests.support.workers import UNKNOWN_ID

GRAPH = {(source.value, target.value) for (source, _), target in TRANSITIONS.items()}
WAYS_ON = {
    status: {move: to for (start, move), to in TRANSITIONS.items() if start is status}
    for status in MarketStatus
}


@pytest.mark.parametrize(("status", "move"), list(product(MarketStatus, Move)), ids=lambda value: value.name)
def test_a_move_leads_where_the_graph_says_when_it_is_made(status: MarketStatus, move: Move) -> None:
    if move in WAYS_ON[status]:
        assert next_status(status, move) is WAYS_ON[status][move]
        return
    with pytest.raises(IllegalTransition) as refused:
        next_status(status, move)
    assert refused.value.extra == {"marketStatus": status.value}
    assert status.value in refused.value.detail


def test_nothing_follows_when_a_market_is_rejected_or_archived() -> None:
    assert [status for status in MarketStatus if not WAYS_ON[status]] == [
        MarketStatus.REJECTED,
        MarketStatus.ARCHIVED,
    ]


async def test_the_database_allows_exactly_the_graph_when_a_status_is_changed(db: Database) -> None:
    async with db.reading() as connection:
        source = await connection.fetchval("SELECT prosrc FROM pg_proc WHERE proname = 'check_market_move'")
    assert set(re.findall(r"\('(\w+)', '(\w+)'\)", source)) == GRAPH


@pytest.mark.parametrize("status", [status for status in MarketStatus if status is not MarketStatus.DRAFT])
async def test_the_database_refuses_a_leap_when_somebody_writes_past_the_model(
    db: Database, status: MarketStatus
) -> None:
    market = await market_in(db, status)
    for target in MarketStatus:
        if target is status or (status.value, target.value) in GRAPH:
            continue
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            async with db.transaction() as tx:
                await tx.execute(
                    "UPDATE markets SET status = $2 WHERE market_id = $1", market.market_id, target.value
                )


def test_the_truths_know_the_same_graph_when_they_judge_a_history() -> None:
    told = re.findall(r"\('market\.(\w+)', '(\w+)', '(\w+)'\)", truths.LEADS_TO)
    assert {(source, target) for _, source, target in told} == GRAPH
    assert len(told) == len(TRANSITIONS)


@pytest.mark.parametrize("symbol", ["AB", "A1", "A-1", "LUX-APT-2", "A" * 32])
def test_a_registration_is_valid_when_its_symbol_is(symbol: str) -> None:
    assert supply_of(asset(token_symbol=symbol, total_supply="2.5", decimals=1)) == Supply(25, 25)


@pytest.mark.parametrize(
    ("cap", "units"), [("2.5", 25), ("2.6", 26), ("1000", 10_000), (str(10**19), 10**20)]
)
def test_a_cap_stands_beside_the_supply_when_it_is_not_below_it(cap: str, units: int) -> None:
    asked = asset(total_supply="2.5", supply_cap=cap, decimals=1)
    assert supply_of(asked) == Supply(25, units)


DOCUMENT = DocumentId(UUID(UNKNOWN_ID))
BAD: list[tuple[dict[str, Any], str]] = [
    *(({"token_symbol": symbol}, "/tokenSymbol") for symbol in
      ("", "A", "a1", "1A", "A_B", "A--B", "-A", "A-", "A" * 33, "A\n", "AВ", "Á1", "A B", "A\x00")),
    *(({"total_supply": amount}, "/totalSupply") for amount in
      ("", "0", "0.0", "-1", "1e3", "NaN", "1\n", "١", str(10**20), "0.0000000000000000001")),
    ({"total_supply": "1.5", "decimals": 0}, "/totalSupply"),
    *(({"supply_cap": amount}, "/supplyCap") for amount in
      ("", "0", "999.999999999999999999", "-1", "1e9", "NaN", "2000\n", str(10**20), "1000.0000000000000000001")),
    ({"asset": AssetDetails(valuation="1e3", currency="USD")}, "/assetDetails/valuation"),
    ({"asset": AssetDetails(valuation="1")}, "/assetDetails/currency"),
    ({"asset": AssetDetails(currency="usd")}, "/assetDetails/currency"),
    ({"asset": AssetDetails(currency="US\n")}, "/assetDetails/currency"),
    ({"asset": AssetDetails(compliance_documents=(DOCUMENT,) * 2)}, "/assetDetails/complianceDocuments"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "pointer"), BAD, ids=repr)
def test_a_registration_names_the_field_when_it_is_not_valid(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        supply_of(asset(**changes))
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_a_registration_names_every_field_when_several_are_wrong() -> None:
    with pytest.raises(Invalid) as refused:
        supply_of(asset(token_symbol="x", total_supply="0", asset=AssetDetails(valuation="-1", currency="$")))
    assert len(refused.value.errors) == 4
