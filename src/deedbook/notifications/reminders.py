"""Approvals that will run out: whoever has one is told while there is time to renew it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from deedbook.compliance import KycStatus, Record
from deedbook.compliance import views as compliance
from deedbook.infra.database import Database
from deedbook.kernel.clock import to_wire
from deedbook.notifications import service
from deedbook.notifications.model import Notice
from deedbook.notifications.terms import Kind
from deedbook.tokens import views as tokens

AHEAD = timedelta(days=14)
PAGE = 500
PAGES = 200


async def remind(db: Database) -> None:
    """Tell everybody whose approval runs out soon. Asked again, it tells nobody twice."""
    async with db.transaction() as tx:
        now = await tx.now()
    after = None
    for _ in range(PAGES):
        records = await compliance.ending(db, KycStatus.APPROVED, now + AHEAD, after, PAGE)
        notices = await _notices(db, records, now)
        async with db.transaction() as tx:
            await service.tell(tx, notices)
        if len(records) < PAGE:
            return
        after = compliance.place(records[-1])


async def _notices(db: Database, records: Sequence[Record], now: datetime) -> list[Notice]:
    ids = sorted({record.token_id for record in records})
    symbols = {shown.token.token_id: shown.token.symbol for shown in await tokens.some(db, list(ids))}
    return [
        _notice(record, symbols.get(record.token_id, "a token"), record.expires_at, now)
        for record in records
        if record.expires_at is not None and record.expires_at > now
    ]


def _notice(record: Record, symbol: str, expires_at: datetime, now: datetime) -> Notice:
    when = to_wire(expires_at)
    return Notice(
        user_id=record.user_id,
        kind=Kind.COMPLIANCE_EXPIRING,
        source=f"{Kind.COMPLIANCE_EXPIRING.value}.{record.token_id}.{when}",
        subject_type="compliance",
        subject_id=record.token_id,
        title=f"Your approval for {symbol} runs out soon",
        body=f"Ask compliance to renew it, or you cannot trade {symbol} from then on.",
        details=(("Token", symbol), ("Until", when)),
        data={"tokenId": str(record.token_id), "symbol": symbol, "expiresAt": when},
        occurred_at=now,
    )
