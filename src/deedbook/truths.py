"""The truths that must always hold, as code: run after every journey, by `deedbook check`, and in the demo.

The numbers are those of the project's list of invariants. Each query returns what breaks the truth, so an
empty answer is a proof and any row is a finding.
"""

from dataclasses import dataclass

from deedbook import chain
from deedbook.chain.terms import Contract
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.contracts import SapphireContracts, read
from deedbook.kernel.ids import MarketId
from deedbook.tokens.terms import TokenTerms

MAX_FINDINGS = 5


@dataclass(frozen=True)
class Truth:
    """A truth and what breaks it; nothing does when `findings` is empty."""

    name: str
    findings: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.findings


# What each lifecycle fact makes of a market, in the order of the state graph.
LEADS_TO = """(VALUES
    ('market.registered', 'draft', 'pending_approval'), ('market.approved', 'pending_approval', 'approved'),
    ('market.rejected', 'pending_approval', 'rejected'), ('market.activation_started', 'approved', 'activating'),
    ('market.activated', 'activating', 'active'), ('market.activation_failed', 'activating', 'approved'),
    ('market.paused', 'active', 'paused'), ('market.resumed', 'paused', 'active'),
    ('market.archived', 'active', 'archived'))"""

_QUERIES: dict[str, str] = {
    "INV-6 one contract per market, one market per contract": """
        SELECT 'contract ' || contract_address FROM markets WHERE contract_address IS NOT NULL
        GROUP BY contract_address HAVING count(*) > 1
        UNION ALL
        SELECT 'deployments of market ' || substring(key FROM 14 FOR 36) FROM chain_transactions
        WHERE key LIKE 'deploy-token-%' AND status = 'confirmed'
        GROUP BY substring(key FROM 14 FOR 36) HAVING count(*) > 1
    """,
    "INV-6 one nonce, one transaction": """
        SELECT wallet || ' nonce ' || nonce FROM chain_transactions WHERE nonce IS NOT NULL
        GROUP BY wallet, nonce HAVING count(*) > 1
    """,
    "INV-6 each job and event has one effect": """
        SELECT 'activated twice: ' || stream_id FROM events WHERE event_type = 'market.activated'
        GROUP BY stream_id HAVING count(*) > 1
        UNION ALL
        SELECT 'decided twice: ' || stream_id FROM events
        WHERE event_type IN ('market.approved', 'market.rejected') GROUP BY stream_id HAVING count(*) > 1
    """,
    "INV-8 a market's history is a path of the state graph": f"""
        WITH moves AS (
            SELECT e.stream_id, e.event_type, g.source, g.target, e.position,
                   lag(g.target) OVER (PARTITION BY e.stream_id ORDER BY e.position) AS before
            FROM events e JOIN {LEADS_TO} AS g (event_type, source, target) USING (event_type)
            WHERE e.stream_type = 'market')
        SELECT event_type || ' of ' || stream_id || ' after ' || COALESCE(before, 'nothing') FROM moves
        WHERE source <> COALESCE(before, 'draft')
        UNION ALL
        SELECT 'market ' || m.market_id || ' is ' || m.status || ', its history ends at ' || l.target
        FROM markets m JOIN LATERAL (SELECT target FROM moves WHERE stream_id = m.market_id
                                     ORDER BY position DESC LIMIT 1) l ON true
        WHERE m.status <> l.target
        UNION ALL
        SELECT 'market without history: ' || market_id FROM markets m
        WHERE NOT EXISTS (SELECT 1 FROM moves WHERE stream_id = m.market_id)
    """,
    "INV-8 a live market has its token, and its pair": """
        SELECT 'market ' || m.market_id FROM markets m LEFT JOIN tokens t USING (market_id)
        LEFT JOIN trading_pairs p USING (market_id)
        WHERE m.activated_at IS NOT NULL AND (t.token_id IS NULL OR t.contract_address <> m.contract_address
              OR (p.pair_id IS NULL AND m.activated_at < now() - interval '60 seconds'))
        UNION ALL
        SELECT 'token without live market: ' || t.symbol FROM tokens t JOIN markets m USING (market_id)
        WHERE m.activated_at IS NULL
    """,
    "INV-13 nothing is stuck": """
        SELECT 'pending job ' || job_id FROM jobs
        WHERE status = 'pending' AND created_at < now() - interval '10 minutes'
        UNION ALL
        SELECT 'activating for long: ' || market_id FROM markets
        WHERE status = 'activating' AND updated_at < now() - interval '30 minutes'
        UNION ALL
        SELECT 'lane stopped: ' || stopped_reason FROM chain_wallets WHERE stopped_reason IS NOT NULL
        UNION ALL
        SELECT 'undelivered by ' || c.sink FROM relay_cursors c WHERE c.sink <> 'epc' AND EXISTS (
            SELECT 1 FROM events e WHERE c.sink <> 'jobs' AND (e.tx_id, e.position) > (c.tx_id, c.position)
                AND e.occurred_at < now() - interval '60 seconds')
    """,
}


async def check_all(db: Database, node: SapphireClient, chain_id: int, admin: Address | None) -> list[Truth]:
    """Prove every truth, those of the database and those of the chain.

    Raises:
        DatabaseUnavailable · ChainUnavailable: no proof either way.
    """
    truths = []
    async with db.reading() as connection:
        for name, query in _QUERIES.items():
            rows = await connection.fetch(query + f" LIMIT {MAX_FINDINGS}")
            truths.append(Truth(name, tuple(str(row[0]) for row in rows)))
    truths.append(await _chain_equals_books(db, node, chain_id, admin))
    return truths


async def _chain_equals_books(
    db: Database, node: SapphireClient, chain_id: int, admin: Address | None
) -> Truth:
    """INV-9 for what exists so far: code, supply and the issuer's vault balance are what the books say."""
    words, platform = SapphireContracts(), await chain.contracts(db, chain_id)
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT market_id, token_name, token_symbol, decimals, total_supply, issuer_account, contract_address "
            "FROM markets WHERE contract_address IS NOT NULL ORDER BY created_at DESC LIMIT 500"
        )
    findings: list[str] = []
    for row in rows:
        terms = TokenTerms(
            MarketId(row["market_id"]),
            row["token_name"],
            row["token_symbol"],
            row["decimals"],
            int(row["total_supply"]),
            Address(row["issuer_account"]),
        )
        token = Address(row["contract_address"])
        if await words.token_of(node, platform, terms.market_id) != token:
            findings.append(f"{terms.symbol}: the factory names another contract")
        if admin is not None:
            wrong = await words.differences(node, platform, terms, token, admin)
            findings.extend(f"{terms.symbol}: {difference}" for difference in wrong)
        held = await read(
            node, platform[Contract.SETTLEMENT], "totalOf(address)", ["address"], [token], "uint256"
        )
        if held > terms.supply_units:
            findings.append(f"{terms.symbol}: the vault owes more than was issued")
    return Truth("INV-9 the chain holds what the books say", tuple(findings[:MAX_FINDINGS]))
