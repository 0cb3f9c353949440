"""People whom an issuer of ours vouches for: found by issuer and subject, and users once they have shown a wallet.

Until then nobody stands in the ledger for them: they look, and bind. Which account is theirs they show by a signed
message of its own text, so that no sign-in message that went astray binds anybody.
"""

from deedbook.identity import service, subject_store
from deedbook.identity.access import AccessClaims
from deedbook.identity.errors import SignInRefused, WalletBound
from deedbook.identity.events import SessionRevoked, SubjectBound
from deedbook.identity.oidc import Vouched
from deedbook.identity.service import SignInPolicy
from deedbook.identity.store import is_disabled
from deedbook.identity.subject_store import Subject
from deedbook.identity.terms import Caller, Means
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import UserId, new_uuid


async def claims_of(db: Database, vouched: Vouched) -> AccessClaims:
    """Who this is here; noted down when they are seen first."""
    found = await subject_store.find(db, vouched.issuer, vouched.subject)
    if found is None:
        found = await subject_store.add(db, new_uuid(), vouched.issuer, vouched.subject)
    return AccessClaims(
        found.user_id or UserId(found.subject_id),
        found.subject_id,
        vouched.expires_at,
        Means.SUBJECT,
        vouched.issued_at,
    )


def statement(subject: Subject) -> str:
    """What the wallet's owner agrees to."""
    return f"Let {_plain(subject.subject)} at {subject.issuer} act for this account."


async def asked_of(db: Database, caller: Caller) -> str:
    """What the owner of the account agrees to that this caller wants to bind."""
    found = await subject_store.named(db, caller.session_id)
    assert found is not None, "they were seen just now"
    return statement(found)


async def bind(tx: Tx, policy: SignInPolicy, caller: Caller, message: str, signature: str) -> Caller:
    """Make the signer's account the caller's. Where it is a user's already, the caller is that user from now on.

    Raises:
        WalletBound: they have one, or came by a session, which is a wallet's.
        SignInRefused · SignatureMalformed: the message, its nonce or its signer does not hold.
    """
    vouched = caller.vouched
    subject = await subject_store.lock(tx, caller.session_id) if vouched is not None else None
    if vouched is None or subject is None or subject.user_id is not None:
        raise WalletBound
    account = await service.proven_account(tx, policy, message, signature, statement(subject))
    user_id = await service.ensure_user(tx, account, UserId(subject.subject_id))
    if await is_disabled(tx, user_id):
        raise SignInRefused("this account is closed")
    await subject_store.bind(tx, subject.subject_id, user_id)
    told = SubjectBound(
        subject_id=subject.subject_id, user_id=user_id, issuer=subject.issuer, account=account
    )
    tx.emit(told, caller.actor, before={"userId": None}, after={"userId": user_id})
    bound = await subject_store.caller_in(tx, subject.subject_id, vouched)
    assert bound is not None, "it was bound just now"
    return bound


async def sign_out(tx: Tx, caller: Caller) -> None:
    """End all tokens that were issued to them up to now."""
    await subject_store.end(tx, caller.session_id)
    told = SessionRevoked(user_id=caller.user_id, session_id=str(caller.session_id), reason="logout")
    tx.emit(told, caller.actor, before={"revoked": False}, after={"revoked": True, "reason": "logout"})


def _plain(text: str) -> str:
    """On one line, as a wallet shows it."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
