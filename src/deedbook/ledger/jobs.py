"""Jobs of this room: checkpoints, from which a running balance is derived without adding up a whole history."""

from typing import Protocol

from deedbook.infra.database import Database
from deedbook.kernel.ids import TokenId
from deedbook.kernel.jobs import HOUSEKEEPING, Job, JobKind, every
from deedbook.ledger import store
from deedbook.ledger.terms import AccountId

CHECKPOINT_LEDGER = JobKind("checkpoint-ledger", HOUSEKEEPING)
LINES_EACH = 1000
ACCOUNTS_EACH = 200
ROUNDS = 100


class LedgerResources(Protocol):
    """What the wiring hands to these jobs."""

    @property
    def db(self) -> Database: ...


@every(60, CHECKPOINT_LEDGER, lengthy=True)
async def checkpoint_ledger(resources: LedgerResources, job: Job) -> None:
    """Write down the balance after every thousandth line. Two at once write the same row once."""
    for _ in range(ROUNDS):
        async with resources.db.transaction() as tx:
            behind = await store.behind_checkpoint(tx, LINES_EACH, ACCOUNTS_EACH)
            for row in behind:
                account_id, token_id = AccountId(row["account_id"]), TokenId(row["token_id"])
                await store.add_checkpoint(
                    tx, account_id, token_id, row["line_id"], int(row["balance"]), LINES_EACH
                )
        if not behind:
            return
