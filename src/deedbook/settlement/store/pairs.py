"""SQL of pairs as settlement knows them: whether the contract does, and how many trades wait."""

from dataclasses import dataclass

from deedbook.chain.delivery import FeesFrom
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import PairId
from deedbook.settlement.terms import PairToList

_TO_LIST = """
    SELECT p.pair_id, p.symbol, b.contract_address AS base, q.contract_address AS quote, p.fee_mode
    FROM trading_pairs p JOIN tokens b ON b.token_id = p.base_token_id JOIN tokens q ON q.token_id = p.quote_token_id
    WHERE b.contract_address IS NOT NULL AND q.contract_address IS NOT NULL AND b.chain_id = $1 AND q.chain_id = $1
"""


@dataclass(frozen=True)
class Backlog:
    """How many trades of a pair are not settled, and how many it may have before it takes cancels alone."""

    pair_id: PairId
    unsettled: int
    bound: int
    congested: bool


async def unlisted(db: Database, chain_id: int, limit: int) -> list[PairToList]:
    """Pairs that the contract is not known to know, the oldest first."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            f"{_TO_LIST} AND NOT EXISTS (SELECT 1 FROM settlement_pairs s WHERE s.pair_id = p.pair_id "
            "AND s.listed_at IS NOT NULL) ORDER BY p.created_at LIMIT $2",
            chain_id,
            limit,
        )
    return [
        PairToList(
            PairId(row["pair_id"]),
            row["symbol"],
            Address(row["base"]),
            Address(row["quote"]),
            FeesFrom(row["fee_mode"]),
        )
        for row in rows
    ]


async def set_listed(tx: Tx, pair_id: PairId) -> bool:
    """Write that the contract knows a pair; `False` when that was written before."""
    return (
        await tx.fetchval(
            "INSERT INTO settlement_pairs AS s (pair_id, listed_at) VALUES ($1, now()) ON CONFLICT (pair_id) "
            "DO UPDATE SET listed_at = now() WHERE s.listed_at IS NULL RETURNING pair_id",
            pair_id,
        )
        is not None
    )


async def backlogs(tx: Tx) -> list[Backlog]:
    """Pairs whose backlog is at its bound, and those that are congested. Tokens without a contract are settled nowhere:
    benches trade such."""
    rows = await tx.fetch(
        """
        SELECT p.pair_id, w.trade_number - s.finished AS unsettled, p.max_backlog AS bound, p.congested
        FROM trading_pairs p JOIN pair_writer w USING (pair_id) JOIN settlement_pairs s USING (pair_id)
        JOIN tokens b ON b.token_id = p.base_token_id JOIN tokens q ON q.token_id = p.quote_token_id
        WHERE b.contract_address IS NOT NULL AND q.contract_address IS NOT NULL
          AND (p.congested OR w.trade_number - s.finished >= p.max_backlog)
        """
    )
    return [Backlog(PairId(row["pair_id"]), row["unsettled"], row["bound"], row["congested"]) for row in rows]
