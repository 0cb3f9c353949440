"""Accounts and tokens for ledger tests, and what the database says of them."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from deedbook import truths
from deedbook.identity import ensure_user
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.ids import TokenId
from deedbook.ledger import CHAIN, SUSPENSE, AccountId, LineKind, into_the_vault, post


@dataclass(frozen=True)
class Books:
    """A database with a few accounts and tokens of one test's own."""

    db: Database
    accounts: tuple[AccountId, ...]
    tokens: tuple[TokenId, ...]

    async def deposit(self, account: AccountId, token: TokenId, amount: int) -> UUID:
        posting_id = uuid4()
        async with self.db.transaction() as tx:
            await post(tx, [into_the_vault(posting_id, LineKind.DEPOSIT, account, token, amount)])
        return posting_id

    async def balances(self) -> dict[tuple[AccountId, TokenId], tuple[int, int]]:
        """Available and locked of each account here that holds anything."""
        async with self.db.reading() as connection:
            rows = await connection.fetch(
                "SELECT user_id, token_id, available, locked FROM user_balances "
                "WHERE user_id = ANY ($1) AND available + locked > 0",
                self.accounts,
            )
        return {
            (row["user_id"], row["token_id"]): (int(row["available"]), int(row["locked"])) for row in rows
        }

    async def owed(self, token: TokenId) -> tuple[int, int]:
        """What the chain and suspense lines of a token come to."""
        async with self.db.reading() as connection:
            row = await connection.fetchrow(
                "SELECT COALESCE(sum(amount) FILTER (WHERE account_id = $2), 0) AS chain, "
                "COALESCE(sum(amount) FILTER (WHERE account_id = $3), 0) AS suspense "
                "FROM ledger_lines WHERE token_id = $1",
                token,
                CHAIN,
                SUSPENSE,
            )
        assert row is not None
        return int(row["chain"]), int(row["suspense"])

    async def untrue(self) -> dict[str, tuple[str, ...]]:
        """The truths of money that are broken."""
        found = await truths.check_money(self.db)
        return {truth.name: truth.findings for truth in found if not truth.holds}


async def open_books(db: Database, accounts: int = 3, tokens: int = 2) -> Books:
    """New users, and tokens that stand on no chain."""
    async with db.transaction() as tx:
        users = [await ensure_user(tx, _address(uuid4())) for _ in range(accounts)]
        made = []
        for _ in range(tokens):
            token = uuid4()
            await tx.execute(
                "INSERT INTO tokens (token_id, symbol, name, token_type, decimals, chain_id) "
                "VALUES ($1, $2, 'A token', 'CRYPTO', 6, 31337)",
                token,
                f"T{token.hex[:12].upper()}",
            )
            made.append(TokenId(token))
    return Books(db, tuple(AccountId(user) for user in users), tuple(made))


def _address(seed: UUID) -> Address:
    return Address(f"0x{seed.hex:0>40}")
