"""Truths of settlement: they hold where trades settled, failed and wait, and find each violation that is planted."""

import pytest

from deedbook import truths
from deedbook.chain.delivery import FailureReason
from deedbook.infra.database import Database
from deedbook.settlement import jobs
from tests.settlement.support import Floor, open_floor
from tests.support.owner import as_owner

NO_GUARDS = "SET session_replication_role = replica; "
SETTLED = "(SELECT trade_id FROM trade_settlements WHERE status = 'SETTLED')"
FAILED = "(SELECT trade_id FROM trade_settlements WHERE status = 'FAILED')"
WAITING = "(SELECT trade_id FROM trade_settlements WHERE status = 'PENDING')"


@pytest.fixture
async def floor(db: Database) -> Floor:
    """One trade settled, one failed with a claim that is open, one waits."""
    floor = await open_floor(db)
    buyer, seller, middleman = await floor.buyer(), await floor.seller(), await floor.buyer("100")
    await floor.trade(buyer, seller)
    await floor.settle_all()
    bad = await floor.trade(middleman, seller, "2", "10.00")
    passed_on = await floor.trade(buyer, middleman, "1.9", "11.00")
    floor.words.refuses |= {bad: FailureReason.CANCELLED, passed_on: FailureReason.PAUSED}
    await floor.advance()
    return floor


async def broken(floor: Floor) -> dict[str, tuple[str, ...]]:
    found = await truths.check_settlement(floor.db)
    return {truth.name: truth.findings for truth in found if not truth.holds}


async def test_every_truth_holds_when_trades_settled_failed_and_wait(floor: Floor) -> None:
    assert await broken(floor) == {}
    rows = await floor.house.rows("SELECT status FROM trade_settlements ORDER BY place")
    assert [row["status"] for row in rows] == ["SETTLED", "FAILED", "PENDING"]
    await jobs.advance(floor.db, floor.desk)
    await floor.require_truths()


VIOLATIONS = [
    (
        "INV-6 each trade is settled by one event",
        "is SETTLED, the vault has told of it 0 times",
        "UPDATE blockchain_events SET orphaned = true WHERE event_name = 'trade_settled'",
    ),
    (
        "INV-6 each trade is settled by one event",
        "is SETTLED, the vault has told of it 2 times",
        (
            "INSERT INTO blockchain_events (chain_id, tx_hash, ordinal, block_number, block_hash, log_index, "
            "contract_address, event_name, args, processed) SELECT chain_id, tx_hash, 99, block_number, block_hash, "
            "99, contract_address, event_name, args, true FROM blockchain_events WHERE event_name = 'trade_settled'"
        ),
    ),
    (
        "INV-6 a trade's settlement is what its trade shows",
        "shows PENDING, and is SETTLED",
        f"UPDATE trades SET settlement_status = 'PENDING' WHERE trade_id IN {SETTLED}",
    ),
    (
        "INV-6 a trade's settlement is what its trade shows",
        "has taken up 3 and finished 1, rows 3 and 2",
        "UPDATE settlement_pairs SET finished = 1",
    ),
    (
        "INV-6 what is on its way",
        "without its transaction",
        "UPDATE chain_transactions SET key = 'other' WHERE key LIKE 'settle-%'",
    ),
    (
        "INV-1 what a failed trade took",
        "suspense has -",
        "UPDATE settlement_claims SET amount = amount - 1",
    ),
    (
        "INV-1 what a failed trade took",
        "for good",
        f"DELETE FROM events WHERE event_type = 'settlement.failed' AND stream_id IN {FAILED}",
    ),
    (
        "INV-8 settlements are paths",
        "goes from SETTLED to SETTLED",
        """UPDATE events SET before = '{"status": "SETTLED"}' WHERE event_type = 'settlement.settled'""",
    ),
    (
        "INV-8 settlements are paths",
        "and nothing says so",
        "DELETE FROM events WHERE event_type = 'settlement.settled'",
    ),
    (
        "INV-13 no settlement is forgotten",
        "is PENDING for long: token_paused",
        f"UPDATE trade_settlements SET updated_at = now() - interval '1 day' WHERE trade_id IN {WAITING}",
    ),
    (
        "INV-13 no settlement is forgotten",
        "claim of",
        "UPDATE settlement_claims SET created_at = now() - interval '8 days'",
    ),
]


@pytest.mark.parametrize(("name", "finding", "planted"), VIOLATIONS)
async def test_a_violation_is_found_when_it_is_planted(
    floor: Floor, name: str, finding: str, planted: str
) -> None:
    async with as_owner(floor.db) as owner:
        await owner.execute(NO_GUARDS + planted)
    found = await broken(floor)
    [findings] = [texts for truth, texts in found.items() if truth.startswith(name)]
    assert any(finding in text for text in findings), findings
