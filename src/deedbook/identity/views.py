"""Users as staff tell them apart: an id says nothing to people, an account is what a wallet and an explorer show."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import UserId


@dataclass(frozen=True)
class Person:
    """A user and their account."""

    user_id: UserId
    account: Address


async def people(db: Database, user_ids: Sequence[UUID], account: Address | None) -> list[Person]:
    """Those of these users that there are, and whose account this is."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT user_id, account FROM users WHERE user_id = ANY ($1) OR account = $2 ORDER BY user_id",
            list(user_ids),
            account,
        )
    return [Person(**dict(row)) for row in rows]
