"""Consent that is taken back on the chain: whoever has signed something cancels it there by its digest.

What we know by then ends; what we do not know is never taken in. Between the two lies what is being taken in at that
moment: it has looked, and found nothing cancelled, and is not there yet for whoever cancels. So what was not known is
looked for once more, when everybody has ended who may not have seen the cancel.
"""

from deedbook import identity
from deedbook.chain.vault import VaultEvent
from deedbook.custody.errors import StillUnderWay
from deedbook.custody.events import ConsentWithdrawn
from deedbook.custody.terms import FIND_LATE_TEXT
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.infra.endings import all_ended

WAIT_S = 20.0


async def withdraw(tx: Tx, event: VaultEvent) -> None:
    """Tell whose consent to which action was taken back on the chain. Anybody may name any digest there: of what we do
    not know nobody is told, and it is not taken in later."""
    assert event.reference is not None, "it names a digest"
    if await _told(tx, event.account, event.reference):
        return
    await identity.note_withdrawn(tx, event.account, event.reference)
    data = {"account": event.account, "digest": event.reference.hex()}
    tx.enqueue(FIND_LATE_TEXT, f"{FIND_LATE_TEXT.name}-{data['account']}-{data['digest']}", data)


async def find_late(db: Database, account: Address, digest: bytes) -> None:
    """Do the same for what was being taken in when it was cancelled. Told twice it ends once.

    Raises:
        StillUnderWay: somebody writes who may not have seen the cancel; again later.
    """
    if not await all_ended(db, WAIT_S):
        raise StillUnderWay
    async with db.transaction() as tx:
        await _told(tx, account, digest)


async def _told(tx: Tx, account: Address, digest: bytes) -> bool:
    action_id = await identity.action_of_digest(tx, account, digest)
    if action_id is None:
        return False
    holder = await identity.user_of_account(tx, account)
    assert holder is not None, "who has signed is a user"
    told = ConsentWithdrawn(action_id=action_id, user_id=holder)
    tx.emit(told, before={"withdrawn": False}, after={"withdrawn": True})
    return True
