"""The truths that must always hold, as code: run after every journey, by `deedbook check`, and in the demo.

The numbers are those of the project's list of invariants.
"""

from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.truths import (
    compliance,
    custody,
    lifecycle,
    liveness,
    marketdata,
    money,
    record,
    settlement,
    supply,
    trading,
)
from deedbook.truths.lifecycle import LEADS_TO
from deedbook.truths.on_chain import chain_equals_books, ledger_equals_vault
from deedbook.truths.proof import MAX_FINDINGS, Truth, one_moment, prove

__all__ = [
    "LEADS_TO",
    "MAX_FINDINGS",
    "Truth",
    "check_all",
    "check_books",
    "check_candles",
    "check_money",
    "check_settlement",
    "check_supply",
    "check_trading",
]


async def check_all(db: Database, node: SapphireClient, chain_id: int, admin: Address | None) -> list[Truth]:
    """Prove every truth, those of the database and those of the chain.

    Raises:
        DatabaseUnavailable · ChainUnavailable: no proof either way.
    """
    return [
        *await check_books(db),
        await ledger_equals_vault(db, node, chain_id),
        await chain_equals_books(db, node, chain_id, admin),
    ]


async def check_books(db: Database) -> list[Truth]:
    """Prove the truths of the database alone.

    Raises:
        DatabaseUnavailable: no proof either way.
    """
    async with one_moment(db) as connection:
        found = [
            truth
            for part in (
                money,
                custody,
                supply,
                lifecycle,
                record,
                trading,
                settlement,
                marketdata,
                compliance,
                liveness,
            )
            for truth in await prove(connection, part.QUERIES)
        ]
    return [*found, await record.seals_verify(db)]


async def check_money(db: Database) -> list[Truth]:
    """Prove the truths of the ledger alone: nothing is created or lost."""
    async with one_moment(db) as connection:
        return await prove(connection, money.QUERIES)


async def check_supply(db: Database) -> list[Truth]:
    """Prove the truths of supply alone."""
    async with one_moment(db) as connection:
        return await prove(connection, supply.QUERIES)


async def check_trading(db: Database) -> list[Truth]:
    """Prove the truths of money and of trading alone, where tokens and people came by no lifecycle: in benches."""
    async with one_moment(db) as connection:
        parts = (money.QUERIES, trading.QUERIES, marketdata.QUERIES)
        return [truth for queries in parts for truth in await prove(connection, queries)]


async def check_settlement(db: Database) -> list[Truth]:
    """Prove the truths of settlement alone."""
    async with one_moment(db) as connection:
        return await prove(connection, settlement.QUERIES)


async def check_candles(db: Database) -> list[Truth]:
    """Prove the truths of market data alone, where trades came by no orders: in benches."""
    async with one_moment(db) as connection:
        return await prove(connection, marketdata.QUERIES)
