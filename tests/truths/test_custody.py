"""Truths of money and custody: they hold in a healthy house, and find each violation that is planted."""

import pytest

from deedbook import custody, truths
from deedbook.custody.errands import TRANSFER, WITHDRAW
from deedbook.infra.database import Database
from tests.custody.support import CASH, House, open_house
from tests.support.owner import as_owner
from tests.support.vault_logs import deposited

NO_GUARDS = "SET session_replication_role = replica; "
"""Neither triggers nor foreign keys; checks of a table are taken away one by one."""
ALICES = "(SELECT from_user_id FROM transfers)"
LONG_AGO = "now() - interval '1 day'"


@pytest.fixture
async def house(db: Database) -> House:
    """Money came in, was given on, was taken out; one withdrawal waits for a person, one was taken back."""
    house = await open_house(db)
    alice, bob = await house.rich("5000"), await house.person()
    await house.happen(deposited(bob.account, 7, token=CASH))
    moved = await house.transfer(alice, bob, "100")
    await house.carry_out(TRANSFER, moved.transfer_id)
    taken = await house.withdraw(alice, "200")
    await house.carry_out(WITHDRAW, taken.withdrawal_id)
    await house.withdraw(alice, "2000")
    cancelled = await house.withdraw(alice, "1500")
    async with db.transaction() as tx:
        await custody.withdrawals.cancel(tx, alice.caller, cancelled.withdrawal_id, None)
    await house.announce(alice, "9")
    return house


async def broken(house: House) -> dict[str, tuple[str, ...]]:
    """What does not hold, but for one: this house's issued token was put there without a market."""
    found = {truth.name: truth.findings for truth in await truths.check_books(house.db) if not truth.holds}
    without_market = found.pop(
        "INV-8 a live market has its token, and its pair", ("token without live market",)
    )
    assert [text.startswith("token without live market") for text in without_market] == [True]
    return found


async def test_every_truth_holds_when_money_came_and_went(house: House) -> None:
    assert await broken(house) == {}
    rows = await house.rows("SELECT status FROM withdrawal_requests ORDER BY created_at")
    assert [row["status"] for row in rows] == ["COMPLETED", "PENDING_APPROVAL", "CANCELLED"]


OPEN = "(SELECT withdrawal_id FROM withdrawal_requests WHERE status = 'PENDING_APPROVAL')"
PAID = "(SELECT withdrawal_id FROM withdrawal_requests WHERE status = 'COMPLETED')"
FACT = (
    "INSERT INTO events (event_id, event_type, version, stream_type, stream_id, actor_type, payload, before, after, "
    "occurred_at) SELECT gen_random_uuid(), {}, 1, split_part({}, '.', 1), {}, 'system', {}, {}, {}, {}"
)


def fact(
    event_type: str,
    stream: str,
    payload: str = "{}",
    before: str = "null",
    after: str = "null",
    at: str = "now()",
) -> str:
    name = f"'{event_type}'"
    return FACT.format(
        name, name, stream, f"'{payload}'::jsonb", f"'{before}'::jsonb", f"'{after}'::jsonb", at
    )


VIOLATIONS: list[tuple[str, str, str]] = [
    (
        "INV-1 every posting",
        "comes to 1",
        "UPDATE ledger_lines SET amount = amount + 1 WHERE kind = 'transfer' AND amount > 0",
    ),
    (
        "INV-1 a balance is",
        "its lines say",
        f"UPDATE user_balances SET available = available + 1 WHERE user_id = {ALICES}",
    ),
    ("INV-1 a balance is", "holds 0 of", f"DELETE FROM user_balances WHERE user_id = {ALICES}"),
    ("INV-1 what all hold", "held", "DELETE FROM ledger_lines WHERE kind = 'deposit' AND amount < 0"),
    (
        "INV-1 a checkpoint",
        "at line 1",
        (
            "INSERT INTO ledger_checkpoints SELECT account_id, token_id, 1, 5 FROM ledger_lines "
            f"WHERE account_id = {ALICES} LIMIT 1"
        ),
    ),
    (
        "INV-2",
        "balance of",
        (
            "ALTER TABLE user_balances DROP CONSTRAINT user_balances_available_check;"
            f"UPDATE user_balances SET available = -1 WHERE user_id = {ALICES}"
        ),
    ),
    (
        "INV-2",
        "balance of",
        (
            "ALTER TABLE user_balances DROP CONSTRAINT user_balances_locked_check;"
            f"UPDATE user_balances SET locked = 'NaN' WHERE user_id = {ALICES}"
        ),
    ),
    (
        "INV-2",
        "line ",
        (
            "ALTER TABLE ledger_lines DROP CONSTRAINT ledger_lines_amount_check;"
            "UPDATE ledger_lines SET amount = 'NaN' WHERE kind = 'transfer'"
        ),
    ),
    ("INV-3 what is locked", "locked and 0 held", "DELETE FROM holds"),
    ("INV-3 what is locked", "locked and", "UPDATE holds SET amount = amount + 1"),
    ("INV-3 every hold", "is PENDING_APPROVAL without its hold", "DELETE FROM holds"),
    (
        "INV-3 every hold",
        "is CANCELLED and has a hold",
        (
            "UPDATE holds SET owner_id = (SELECT withdrawal_id "
            "FROM withdrawal_requests WHERE status = 'CANCELLED')"
        ),
    ),
    ("INV-3 every hold", "is unknown and has a hold", "UPDATE holds SET owner_id = gen_random_uuid()"),
    (
        "INV-6 each event",
        "2 events deposited, 1 postings",
        (
            "DELETE FROM ledger_lines WHERE posting_id = (SELECT posting_id "
            "FROM ledger_lines WHERE kind = 'deposit' LIMIT 1)"
        ),
    ),
    ("INV-6 each event", "withdrawal.completed twice", fact("withdrawal.completed", PAID)),
    (
        "INV-6 each event",
        "the vault has told so 0 times",
        "DELETE FROM blockchain_events WHERE event_name = 'withdrawn'",
    ),
    (
        "INV-6 each event",
        "the vault has told so 2 times",
        (
            "INSERT INTO blockchain_events (chain_id, tx_hash, ordinal, "
            "block_number, block_hash, log_index, contract_address, event_name, args, processed) "
            "SELECT chain_id, tx_hash, 99, block_number, block_hash, 99, contract_address, event_name, args, true "
            "FROM blockchain_events WHERE event_name = 'transferred'"
        ),
    ),
    (
        "INV-8 withdrawals",
        "goes from PENDING_APPROVAL to COMPLETED",
        fact(
            "withdrawal.completed",
            OPEN,
            before='{"status": "PENDING_APPROVAL"}',
            after='{"status": "COMPLETED"}',
        ),
    ),
    (
        "INV-8 withdrawals",
        "begins at APPROVED, before it was PENDING_APPROVAL",
        fact(
            "withdrawal.processing", OPEN, before='{"status": "APPROVED"}', after='{"status": "PROCESSING"}'
        ),
    ),
    (
        "INV-8 withdrawals",
        "is FAILED, its history ends at PENDING_APPROVAL",
        "UPDATE withdrawal_requests SET status = 'FAILED' WHERE status = 'PENDING_APPROVAL'",
    ),
    ("INV-8 withdrawals", "its history ends at nothing", "DELETE FROM events WHERE stream_type = 'transfer'"),
    ("INV-8 every withdrawal", "is COMPLETED with 0 approvals", "DELETE FROM withdrawal_approvals"),
    (
        "INV-8 every withdrawal",
        "with 1 approvals of 2",
        "UPDATE withdrawal_requests SET approvals_needed = 2 WHERE status = 'COMPLETED'",
    ),
    (
        "INV-8 every withdrawal",
        "is COMPLETED with 0 approvals",
        (
            "UPDATE withdrawal_approvals a SET approver = w.user_id::text FROM withdrawal_requests w "
            "WHERE w.withdrawal_id = a.withdrawal_id"
        ),
    ),
    (
        "INV-10",
        "transfer.requested",
        fact("compliance.account_frozen", ALICES, at=LONG_AGO) + "; UPDATE events "
        "SET position = DEFAULT WHERE event_type = 'transfer.requested'",
    ),
    (
        "INV-13 nothing that",
        "is UNKNOWN for long",
        f"UPDATE withdrawal_requests SET status = 'UNKNOWN', updated_at = {LONG_AGO}, usable_from = {LONG_AGO}",
    ),
    (
        "INV-13 nothing that",
        "is SUBMITTED for long",
        f"UPDATE transfers SET status = 'SUBMITTED', updated_at = {LONG_AGO}",
    ),
    (
        "INV-13 nothing that",
        "waits: no such token",
        (
            "UPDATE blockchain_events SET processed = false, "
            f"processing_error = 'no such token', seen_at = {LONG_AGO}"
        ),
    ),
    (
        "INV-13 nothing that",
        "the chain does not know",
        f"UPDATE compliance_profiles SET version = 9, updated_at = {LONG_AGO}",
    ),
    (
        "INV-13 nothing that",
        "watcher stopped: the chain went back",
        "UPDATE chain_cursors SET stopped_reason = 'the chain went back'",
    ),
]


@pytest.mark.parametrize(
    ("truth", "finding", "violation"), VIOLATIONS, ids=[f"{t} · {f}" for t, f, _ in VIOLATIONS]
)
async def test_truth_is_broken_when_its_violation_is_planted(
    house: House, truth: str, finding: str, violation: str
) -> None:
    assert await broken(house) == {}
    async with as_owner(house.db) as connection:
        await connection.execute(NO_GUARDS + violation)
        await connection.execute("RESET session_replication_role")
    found = await broken(house)
    texts = [text for name, findings in found.items() if name.startswith(truth) for text in findings]
    assert any(finding in text for text in texts), found
