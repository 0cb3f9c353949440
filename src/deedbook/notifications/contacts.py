"""Use cases of where somebody can be reached: an address counts once its owner has proved it by a code sent there."""

import hmac
import re
from collections.abc import Collection
from datetime import timedelta

from deedbook.identity import Caller
from deedbook.infra.database import Database, Tx
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.notifications import derived
from deedbook.notifications.errors import ChannelNotSetUp, CodeRefused, ContactNotFound, TooManyCodes
from deedbook.notifications.events import ContactChanged
from deedbook.notifications.model import Contact
from deedbook.notifications.store import codes
from deedbook.notifications.store import contacts as store
from deedbook.notifications.terms import SEND_CODE, Channel

CODE_MINUTES = 15
MOST_TRIES = 5
CODES_AN_HOUR, CODES_TO_ONE_ADDRESS = 5, 10
"""The latter whoever asks for them: wallets cost nothing, and who gets the codes may have asked for none."""
REMOVED_AT_ONCE = 5000
_HOUR = timedelta(hours=1)
# What mail servers take everywhere: no quoted names, no comments, no lines that end early.
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_PATTERNS = {Channel.EMAIL: _EMAIL, Channel.SMS: _PHONE}


async def put(
    tx: Tx, caller: Caller, channel: Channel, address: str, set_up: Collection[Channel], texts_an_hour: int
) -> None:
    """Give an address of mine; a code is sent there, and until I have entered it nothing else is. Text messages cost
    money, and accounts cost none: so many codes leave as such in an hour, and no more.

    Raises:
        ChannelNotSetUp: this installation sends nothing that way.
        Invalid: it is no such address.
        TooManyCodes: so many were sent in the last hour, for me, to this address, or as text messages to all.
    """
    if channel not in set_up:
        raise ChannelNotSetUp
    if len(address) > 254 or not _PATTERNS[channel].fullmatch(address):
        problem = FieldError("/address", "malformed", "an address such as ada@example.com, or +352621000000")
        raise Invalid("this is no address", errors=(problem,))
    known = await store.one(tx, caller.user_id, channel, lock=True)
    sent = await codes.lately(tx, caller.user_id, channel, address, await tx.now() - _HOUR)
    drained = channel is Channel.SMS and sent.in_all >= texts_an_hour
    if drained or sent.by_user >= CODES_AN_HOUR or sent.to_address >= CODES_TO_ONE_ADDRESS:
        raise TooManyCodes(retry_after_s=_HOUR.total_seconds())
    challenge_id = new_uuid()
    await codes.add(tx, challenge_id, caller.user_id, channel, address)
    await store.put(tx, caller.user_id, channel, address, challenge_id)
    tx.enqueue(
        SEND_CODE,
        f"code-{challenge_id}",
        {"userId": str(caller.user_id), "channel": channel.value, "challengeId": str(challenge_id)},
    )
    _tell(tx, caller, channel, known, "given")


async def count_try(db: Database, user_id: UserId, channel: Channel) -> None:
    """Use up one of a code's tries, whatever comes of it: a refusal must not give it back.

    Raises:
        CodeRefused: no code holds, or it was tried too often.
    """
    async with db.transaction() as tx:
        counted = await store.count_try(tx, user_id, channel, MOST_TRIES, CODE_MINUTES * 60)
    if not counted:
        raise CodeRefused("no code holds now: ask for another one")


async def verify(tx: Tx, caller: Caller, channel: Channel, code: str, secret: str) -> None:
    """Prove that an address is mine.

    Raises:
        CodeRefused: it is another code.
    """
    contact = await store.one(tx, caller.user_id, channel, lock=True)
    if contact is None or not hmac.compare_digest(code, code_of(contact, secret)):
        raise CodeRefused("this is not the code that was sent")
    await store.verify(tx, caller.user_id, channel)
    _tell(tx, caller, channel, contact, "verified")


async def remove(tx: Tx, caller: Caller, channel: Channel) -> None:
    """Have nothing sent there any more.

    Raises:
        ContactNotFound: nothing is.
    """
    known = await store.one(tx, caller.user_id, channel, lock=True)
    if known is None:
        raise ContactNotFound
    await store.remove(tx, caller.user_id, channel)
    _tell(tx, caller, channel, known, "removed")


async def remove_old(tx: Tx) -> bool:
    """Forget codes that count no longer; whether there may be more."""
    return await codes.remove_old(tx, await tx.now() - _HOUR, REMOVED_AT_ONCE) == REMOVED_AT_ONCE


def code_of(contact: Contact, secret: str) -> str:
    """The code that was sent to an address."""
    return derived.contact_code(
        secret, contact.user_id, contact.channel, contact.address, contact.challenge_id
    )


def _tell(tx: Tx, caller: Caller, channel: Channel, known: Contact | None, state: str) -> None:
    before = "absent" if known is None else "verified" if known.verified_at else "given"
    told = ContactChanged(user_id=caller.user_id, channel=channel.value, state=state)
    tx.emit(told, caller.actor, before={"state": before}, after={"state": state})
