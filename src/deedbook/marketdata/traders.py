"""Use cases of traders who want to be shown. Nobody is, unless they ask for it."""

from datetime import timedelta

from deedbook.identity import Caller
from deedbook.infra.database import Tx
from deedbook.marketdata.errors import LeaderNameTaken
from deedbook.marketdata.events import TraderHidden, TraderShown
from deedbook.marketdata.store import traders as store

KEPT = timedelta(days=2)
REMOVED_AT_ONCE = 5000


async def show(tx: Tx, caller: Caller, name: str) -> str:
    """Show me under this name; what I trade from now on counts.

    Raises:
        LeaderNameTaken: somebody else is shown under it.
    """
    former = await store.shown_as(tx, caller.user_id)
    if former == name:
        return name
    if not await store.show(tx, caller.user_id, name):
        raise LeaderNameTaken
    told = TraderShown(user_id=caller.user_id)
    tx.emit(told, caller.actor, before={"name": former}, after={"name": name})
    return name


async def hide(tx: Tx, caller: Caller) -> None:
    """Show me no longer, and forget what I traded. Harmless for who is not shown."""
    former = await store.shown_as(tx, caller.user_id)
    if former is None:
        return
    await store.hide(tx, caller.user_id)
    tx.emit(TraderHidden(user_id=caller.user_id), caller.actor, before={"name": former}, after={"name": None})


async def remove_old(tx: Tx) -> None:
    """Forget hours that nobody asks for any more."""
    await store.remove_old(tx, await tx.now() - KEPT, REMOVED_AT_ONCE)
