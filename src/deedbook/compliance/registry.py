"""Use cases: what the chain hears of accounts and tokens. Rows say what was asked for and under which key before
anything is sent, so that a process may die anywhere and the next one goes on.

Calls of one wallet are mined in the order in which they were asked for (the lane), and a profile is held while
something is asked for it: what is said last is what stays.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog

from deedbook import chain
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.identities import MAX_UPDATES, IdentityUpdate
from deedbook.chain.terms import Call, Contract
from deedbook.compliance import model, store, telling
from deedbook.compliance.errors import RegistryNotDeployed
from deedbook.compliance.ports import Registrar
from deedbook.compliance.telling import Due, PauseDue
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.ids import TokenId, UserId

log = structlog.get_logger(__name__)

AT_ONCE = 50
assert AT_ONCE <= MAX_UPDATES
KEYS_AT_ONCE = 20
FREEZE, THAW, IDENTITIES = "freeze", "thaw", "identities"
PARTS = (FREEZE, THAW, IDENTITIES)
"""In the order in which they are asked for: a freeze waits for nothing."""


async def register(db: Database, registrar: Registrar, user_id: UserId | None, timeout_s: float) -> None:
    """Tell the chain what it has not heard of this account, or of all, and wait until that is final.

    Raises:
        RegistryNotDeployed: the registry does not stand yet.
        TransactionReverted: the contract undid it; it is asked for anew next time.
        TimeoutError: not final in time; calling again goes on waiting.
    """
    platform = await chain.contracts(db, registrar.chain_id)
    if Contract.IDENTITY_REGISTRY not in platform:
        raise RegistryNotDeployed("run `deedbook chain deploy` first")
    async with db.transaction() as tx:
        await _ask(tx, registrar, platform[Contract.IDENTITY_REGISTRY], user_id)
        await failpoint("registry.beforeCommit")
    await failpoint("registry.afterRequest")
    for key in await telling.unregistered(db, user_id, KEYS_AT_ONCE):
        await _finish(db, key, timeout_s)


async def _ask(tx: Tx, registrar: Registrar, registry: Address, user_id: UserId | None) -> None:
    due = await telling.untold(tx, user_id, AT_ONCE)
    if not due:
        return
    now = await tx.now()
    # Each version of a profile is told once, so its first one names the batch for ever.
    key = f"identity-{due[0].profile.user_id}-{due[0].profile.version}"
    updates = {}
    for entry in due:
        update = await _update(tx, entry, now)
        if update is not None:
            updates[entry.profile.user_id] = update
        await telling.set_told(tx, entry, key, identity=update is not None)
    for part, call in _calls(registrar, registry, due, list(updates.values())):
        await chain.request(tx, f"{key}-{part}", registrar.wallet, call)


async def _update(tx: Tx, due: Due, now: datetime) -> IdentityUpdate | None:
    records = await store.records(tx, due.profile.user_id)
    return model.statement_of(due.profile, records, stated_before=due.told_identity, now=now)


def _calls(
    registrar: Registrar, registry: Address, due: Sequence[Due], updates: Sequence[IdentityUpdate]
) -> list[tuple[str, Call]]:
    changed = [entry.profile for entry in due if entry.told_frozen is not entry.profile.frozen]
    calls = []
    for part, frozen in ((FREEZE, True), (THAW, False)):
        accounts = [profile.account for profile in changed if profile.frozen is frozen]
        if accounts:
            calls.append((part, registrar.words.set_frozen(registry, accounts, frozen)))
    if updates:
        calls.append((IDENTITIES, registrar.words.set_identities(registry, updates)))
    return calls


async def _finish(db: Database, key: str, timeout_s: float) -> None:
    try:
        for part in PARTS:
            if await chain.find(db, f"{key}-{part}") is not None:
                await chain.wait_final(db, f"{key}-{part}", timeout_s)
    except TransactionReverted as refusal:
        log.error("registry_refused", key=key, reason=refusal.detail)
        async with db.transaction() as tx:
            await telling.ask_anew(tx, key)
        raise
    await failpoint("registry.afterFinal")
    async with db.transaction() as tx:
        await telling.set_registered(tx, key)


async def register_pauses(db: Database, registrar: Registrar, token_id: TokenId, timeout_s: float) -> None:
    """Pause or resume a token on the chain as often as it was here, one after the other.

    Raises:
        TransactionReverted: the contract undid it, and the token is not as wanted.
        TimeoutError: not final in time; calling again goes on waiting.
    """
    due = await telling.pause_due(db, token_id)
    if due is None:
        return
    for number in range(due.registered + 1, due.pauses + 1):
        await _register_pause(db, registrar, due, number, timeout_s)
        await failpoint("pause.afterFinal")
        async with db.transaction() as tx:
            await telling.set_pause_registered(tx, token_id, number)


async def _register_pause(
    db: Database, registrar: Registrar, due: PauseDue, number: int, timeout_s: float
) -> None:
    """The odd numbers pause, the even ones resume. All before this one are final."""
    wanted = number % 2 == 1
    key = await chain.next_key(db, f"pause-{due.token_id}-{number}")
    if await chain.find(db, key) is None:
        if await registrar.words.is_paused(registrar.chain, due.contract) is wanted:
            return
        async with db.transaction() as tx:
            call = registrar.words.set_paused(due.contract, wanted)
            await chain.request(tx, key, registrar.wallet, call)
    await failpoint("pause.afterRequest")
    await chain.wait_final(db, key, timeout_s)
