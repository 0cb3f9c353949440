"""Jobs of this room: keys rotate, and what can never be used again is removed."""

from typing import Protocol

from deedbook.identity import key_store, service, store
from deedbook.identity.service import SignInPolicy
from deedbook.infra.database import Database
from deedbook.kernel.jobs import HOUSEKEEPING, Job, JobKind, every

ROTATE_KEYS = JobKind("rotate-signing-keys", HOUSEKEEPING)
REMOVE_EXPIRED = JobKind("remove-expired-sign-ins", HOUSEKEEPING)


class IdentityResources(Protocol):
    """What the wiring hands to these jobs."""

    @property
    def db(self) -> Database: ...
    @property
    def sign_in_policy(self) -> SignInPolicy: ...
    @property
    def signing_key_rotation_s(self) -> int: ...


@every(86_400, ROTATE_KEYS, lengthy=True)
async def rotate_signing_keys(resources: IdentityResources, job: Job) -> None:
    async with resources.db.transaction() as tx:
        await service.rotate_signing_key(
            tx, resources.sign_in_policy, older_than_s=resources.signing_key_rotation_s
        )


@every(300, REMOVE_EXPIRED, lengthy=True)
async def remove_expired(resources: IdentityResources, job: Job) -> None:
    async with resources.db.transaction() as tx:
        await store.remove_expired(tx)
        await key_store.remove_expired(tx)
