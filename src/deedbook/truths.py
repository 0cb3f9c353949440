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
    "INV-6 one nonce, one transaction, its bytes stored": """
        SELECT wallet || ' nonce ' || nonce FROM chain_transactions WHERE nonce IS NOT NULL
        GROUP BY wallet, nonce HAVING count(*) > 1
        UNION ALL
        SELECT 'nonce that the lane did not give: ' || t.wallet || ' ' || t.nonce
        FROM chain_transactions t JOIN chain_wallets w ON w.address = t.wallet WHERE t.nonce >= w.next_nonce
        UNION ALL
        SELECT 'no stored bytes: ' || t.key FROM chain_transactions t WHERE t.status <> 'queued' AND NOT EXISTS (
            SELECT 1 FROM chain_attempts a WHERE a.transaction_id = t.transaction_id)
    """,
    "INV-6 each job and event has one effect": """
        SELECT 'activated twice: ' || stream_id FROM events WHERE event_type = 'market.activated'
        GROUP BY stream_id HAVING count(*) > 1
        UNION ALL
        SELECT 'decided twice: ' || stream_id FROM events
        WHERE event_type IN ('market.approved', 'market.rejected') GROUP BY stream_id HAVING count(*) > 1
        UNION ALL
        SELECT 'done twice: ' || split_part(job_id, '.', 1) FROM jobs WHERE status = 'done'
        GROUP BY split_part(job_id, '.', 1) HAVING count(*) > 1
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
        UNION ALL
        SELECT DISTINCT 'history without market: ' || stream_id FROM moves
        WHERE NOT EXISTS (SELECT 1 FROM markets WHERE market_id = stream_id)
    """,
    "INV-8 a live market has its token, and its pair": """
        SELECT 'market ' || m.market_id || ' without its token' FROM markets m LEFT JOIN tokens t USING (market_id)
        WHERE m.activated_at IS NOT NULL AND (m.contract_address, m.token_symbol, m.decimals)
              IS DISTINCT FROM (t.contract_address, t.symbol, t.decimals)
        UNION ALL
        SELECT 'token without live market: ' || t.symbol FROM tokens t LEFT JOIN markets m USING (market_id)
        WHERE t.token_type = 'RWA' AND m.activated_at IS NULL
        UNION ALL
        SELECT 'market ' || m.market_id || ' is ' || m.status || ', its pair ' || COALESCE(p.status, 'missing')
        FROM markets m LEFT JOIN trading_pairs p USING (market_id)
        WHERE m.activated_at IS NOT NULL AND m.updated_at < now() - interval '60 seconds'
              AND (m.status, p.status) NOT IN (('active', 'active'), ('paused', 'paused'), ('archived', 'closed'))
                  IS NOT FALSE
    """,
    "INV-11 what was written down cannot be changed": """
        SELECT guard || ' does not stand on ' || relation
        FROM (VALUES ('events', 'events_append_only'), ('events', 'events_never_truncated'),
                     ('markets', 'markets_move')) AS g (relation, guard)
        WHERE NOT EXISTS (SELECT 1 FROM pg_trigger
                          WHERE tgrelid = to_regclass(relation) AND tgname = guard AND tgenabled IN ('O', 'A'))
    """,
    "INV-13 nothing is stuck": """
        SELECT 'pending job ' || job_id FROM jobs
        WHERE status = 'pending' AND created_at < now() - interval '10 minutes'
        UNION ALL
        SELECT 'activating for long: ' || market_id FROM markets
        WHERE status = 'activating' AND updated_at < now() - interval '30 minutes'
        UNION ALL
        SELECT 'activating and nobody is at it: ' || market_id FROM markets m
        WHERE status = 'activating' AND NOT EXISTS (
            SELECT 1 FROM jobs WHERE status = 'pending'
                AND split_part(job_id, '.', 1) = 'deploy-market-token-' || m.market_id || '-' || m.activations)
        UNION ALL
        SELECT 'lane stopped: ' || stopped_reason FROM chain_wallets WHERE stopped_reason IS NOT NULL
        UNION ALL
        SELECT 'transaction not final for long: ' || key FROM chain_transactions
        WHERE status IN ('queued', 'signed', 'sent', 'mined') AND created_at < now() - interval '30 minutes'
        UNION ALL
        SELECT 'undelivered by ' || s.sink FROM (VALUES ('fan-out'), ('redis')) AS s (sink)
        LEFT JOIN relay_cursors c USING (sink)
        WHERE EXISTS (SELECT 1 FROM events e WHERE e.occurred_at < now() - interval '60 seconds'
                      AND (e.tx_id, e.position) > (COALESCE(c.tx_id, '0'), COALESCE(c.position, 0)))
        UNION ALL
        SELECT 'undelivered by jobs' FROM (VALUES (1)) AS one LEFT JOIN relay_cursors c ON c.sink = 'jobs'
        WHERE EXISTS (SELECT 1 FROM jobs j WHERE j.created_at < now() - interval '60 seconds'
                      AND j.status = 'pending'
                      AND (j.tx_id, j.position) > (COALESCE(c.tx_id, '0'), COALESCE(c.position, 0)))
    """,
}


async def check_all(db: Database, node: SapphireClient, chain_id: int, admin: Address | None) -> list[Truth]:
    """Prove every truth, those of the database and those of the chain.

    Raises:
        DatabaseUnavailable · ChainUnavailable: no proof either way.
    """
    return [*await check_books(db), await _chain_equals_books(db, node, chain_id, admin)]


async def check_books(db: Database) -> list[Truth]:
    """Prove the truths of the database alone.

    Raises:
        DatabaseUnavailable: no proof either way.
    """
    truths = []
    async with db.reading() as connection:
        for name, query in _QUERIES.items():
            rows = await connection.fetch(f"{query} LIMIT {MAX_FINDINGS}")
            truths.append(Truth(name, tuple(str(row[0]) for row in rows)))
    return truths


async def _chain_equals_books(
    db: Database, node: SapphireClient, chain_id: int, admin: Address | None
) -> Truth:
    """INV-9 for what exists so far: code, supply and the issuer's vault balance are what the books say."""
    platform = await chain.contracts(db, chain_id)
    findings = [
        f"there is no {contract.value} at {address}"
        for contract, address in platform.items()
        if not await node.code(address)
    ]
    if not findings:
        for terms, token in await _issued(db):
            findings += await _token_differences(node, platform, terms, token, admin)
    return Truth("INV-9 the chain holds what the books say", tuple(findings[:MAX_FINDINGS]))


async def _issued(db: Database) -> list[tuple[TokenTerms, Address]]:
    """The newest tokens and where the books say that they are."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT market_id, token_name, token_symbol, decimals, total_supply, issuer_account, contract_address "
            "FROM markets WHERE contract_address IS NOT NULL ORDER BY created_at DESC LIMIT 500"
        )
    return [
        (
            TokenTerms(
                MarketId(row["market_id"]),
                row["token_name"],
                row["token_symbol"],
                row["decimals"],
                int(row["total_supply"]),
                Address(row["issuer_account"]),
            ),
            Address(row["contract_address"]),
        )
        for row in rows
    ]


async def _token_differences(
    node: SapphireClient,
    platform: dict[Contract, Address],
    terms: TokenTerms,
    token: Address,
    admin: Address | None,
) -> list[str]:
    words = SapphireContracts()
    if await words.token_of(node, platform, terms.market_id) != token:
        return [f"{terms.symbol}: the factory names another contract"]
    findings = []
    if admin is not None:
        wrong = await words.differences(node, platform, terms, token, admin)
        findings += [f"{terms.symbol}: {difference}" for difference in wrong]
    held = await read(
        node, platform[Contract.SETTLEMENT], "totalOf(address)", ["address"], [token], "uint256"
    )
    if held > terms.supply_units:
        findings.append(f"{terms.symbol}: the vault owes more than was issued")
    return findings
