"""Who holds a token: the cap table, for those who may see it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from deedbook.compliance.errors import TokenNotFound
from deedbook.identity.terms import Address, Caller, Role
from deedbook.infra.database import Database
from deedbook.kernel.ids import TokenId
from deedbook.ledger import views as ledger_views
from deedbook.tokens import model, store
from deedbook.tokens.terms import Token

EXPORT_PAGE = 1000
_OFFICERS = frozenset({Role.COMPLIANCE, Role.ADMIN})


@dataclass(frozen=True)
class Holder:
    """One line of the cap table, in base units. `kind` is `treasury` for the issuer, `platform` for fees and the
    house, otherwise `investor`; `share` in percent of all that was issued, rounded down at the sixth decimal."""

    account_id: UUID
    account: Address | None
    kind: str
    available: int
    locked: int
    share: str


@dataclass(frozen=True)
class Spread:
    """Where a token's supply is: in the vault, or in wallets outside."""

    total_supply: int
    in_vault: int

    @property
    def outside_vault(self) -> int:
        return self.total_supply - self.in_vault


async def visible(db: Database, caller: Caller, token_id: TokenId) -> Token:
    """The token whose inside the caller may see: its issuer, compliance and admins.

    Raises:
        TokenNotFound: there is no such token, or it is none of theirs.
    """
    token = await store.read(db, token_id)
    if token is None or (token.issuer_user_id != caller.user_id and not caller.roles & _OFFICERS):
        raise TokenNotFound
    return token


async def page(db: Database, token: Token, after: UUID | None, limit: int) -> list[Holder]:
    """Holders in the order of their ids, after the given one."""
    rows = await ledger_views.holders(db, token.token_id, after, limit)
    return [
        Holder(
            account_id=row["user_id"],
            account=row["account"],
            kind=_kind(token, row["kind"], row["user_id"]),
            available=int(row["available"]),
            locked=int(row["locked"]),
            share=model.share_percent(int(row["available"] + row["locked"]), token.total_supply),
        )
        for row in rows
    ]


async def everybody(db: Database, token: Token) -> AsyncIterator[Holder]:
    """The whole cap table, read page by page."""
    after: UUID | None = None
    while found := await page(db, token, after, EXPORT_PAGE):
        for holder in found:
            yield holder
        after = found[-1].account_id


async def spread(db: Database, token: Token) -> Spread:
    """How much of the supply the vault keeps, by the ledger, which follows the vault's own events."""
    return Spread(token.total_supply, await ledger_views.vault_total(db, token.token_id))


def _kind(token: Token, kind: str, account_id: UUID) -> str:
    if kind != "user":
        return "platform"
    return "treasury" if account_id == token.issuer_user_id else "investor"
