"""What lets a user in, seen and ended by themselves. The account's own wallet always signs in anew, so that nobody
locks themselves out; and whoever was let in from elsewhere needs its signature to come back."""

from uuid import UUID

from deedbook.identity import service, sign_in_store, store
from deedbook.identity.errors import SignInNotFound
from deedbook.identity.events import SubjectReleased
from deedbook.identity.sign_in_store import SignIn, of_user
from deedbook.identity.terms import Caller
from deedbook.infra.database import Tx
from deedbook.kernel.ids import new_uuid

__all__ = ["SignIn", "end", "of_user"]


async def end(tx: Tx, caller: Caller, sign_in_id: UUID) -> None:
    """End one of the caller's, also the one that they came by.

    Raises:
        SignInNotFound: it is over, or none of theirs.
    """
    if await store.owns_session(tx, caller.user_id, sign_in_id):
        await service.revoke(tx, sign_in_id, "ended")
        return
    released = await sign_in_store.release(tx, caller.user_id, sign_in_id, new_uuid())
    if released is None:
        raise SignInNotFound
    told = SubjectReleased(
        subject_id=sign_in_id, user_id=caller.user_id, issuer=released.issuer, subject=released.subject
    )
    tx.emit(told, caller.actor, before={"userId": caller.user_id}, after={"userId": None})
