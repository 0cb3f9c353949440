"""The vault's events take their effect: those that lie deep enough, in the order of the chain, one transaction each.

An event that cannot have its effect yet, or that we have a bug with, keeps those of its token waiting, since their
order matters; all other tokens go on.
"""

import structlog

from deedbook import tokens
from deedbook.chain.vault import VaultEventKind
from deedbook.custody import consents
from deedbook.custody.effects import take_effect
from deedbook.custody.store import events as store
from deedbook.custody.store.events import Claimed, Place
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint
from deedbook.infra.telemetry import scrub, told_lately
from deedbook.kernel.errors import Unavailable
from deedbook.tokens import Token

log = structlog.get_logger(__name__)

PAGE = 200
MAX_PAGES = 500
TOLD_EVERY_S = 30.0


class _TokenUnknown(Exception):
    """The token's row is not there yet: its market is about to be recorded."""


async def apply_events(db: Database, chain_id: int, depth: int) -> int:
    """Let all events under so many blocks have their effect; how many had.

    Raises:
        Unavailable: the database does not answer; what had its effect stays done.
    """
    after, blocked, done = Place(-1, -1), set[Address](), 0
    for _ in range(MAX_PAGES):
        page = await store.waiting(db, chain_id, depth, after, PAGE)
        for found in page:
            if found.event.token in blocked:
                continue
            if await _apply(db, found, depth):
                done += 1
            else:
                blocked.add(found.event.token)
        if len(page) < PAGE:
            break
        after = page[-1].place
    return done


async def _token(tx: Tx, address: Address) -> Token:
    token = await tokens.of_address(tx, address)
    if token is None:
        raise _TokenUnknown(f"no token of ours stands at {address}")
    return token


async def _apply(db: Database, found: Claimed, depth: int) -> bool:
    """One event; `False` when its token has to wait."""
    try:
        async with db.transaction() as tx:
            if not await store.claim(tx, found, depth):
                return True
            if found.event.kind is VaultEventKind.ORDER_CANCELLED:
                await consents.withdraw(tx, found.event)
            else:
                await take_effect(tx, found, await _token(tx, found.event.token))
            await store.mark_processed(tx, found)
            await failpoint("vault.beforeCommit")
    except Unavailable:
        raise
    except Exception as error:
        # One event must not keep all others from their effect, whatever is wrong with it.
        await store.note_error(db, found, scrub(str(error) or repr(error)))
        if not told_lately(f"vault event {found.tx_hash} {found.ordinal}", TOLD_EVERY_S):
            log.error(
                "vault_event_waits",
                tx_hash=found.tx_hash,
                ordinal=found.ordinal,
                exc_info=not isinstance(error, _TokenUnknown),
            )
        return False
    return True
