"""The truths: each holds in a healthy house, and each finds the violation that is planted for it.

What the schema itself forbids is planted by taking the constraint away first: truths are the second lock,
for the day on which somebody with a database console took away the first.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from deedbook import truths
from deedbook.identity.terms import Address
from deedbook.infra.bullmq import Delivery
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.infra.settings import LOCAL_CHAIN_ID
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.keys import load_signer
from deedbook.stack import supervisor
from deedbook.wiring import WorkerResources, all_handlers
from deedbook.workers.chain import LaneWorker
from deedbook.workers.jobs import JobRunner
from deedbook.workers.relay import FanOutSink
from tests.support.owner import as_owner
from tests.support.servers import PostgresServer
from tests.support.waiting import PATIENCE_S, eventually
from tests.support.world import World, open_world

NO_GUARDS = "ALTER TABLE events DISABLE TRIGGER ALL; ALTER TABLE markets DISABLE TRIGGER USER;"
NO_PAIRS = "SET session_replication_role = replica; DELETE FROM trading_pairs; RESET session_replication_role"
LONG_AGO = "now() - interval '1 day'"


@dataclass
class House:
    """A live market, its token on a real chain and its pair, made by the house's own code."""

    dsn: str
    node: SapphireClient
    admin: Address
    market_id: UUID
    contract: str


@pytest.fixture(scope="module")
async def house(
    postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil
) -> AsyncIterator[House]:
    """Made once; each test plants its violation in a copy of its own."""
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), SAPPHIRE_RPC_URL=anvil.url, SAPPHIRE_CONFIRMATIONS=1) as world:
        signer = load_signer(world.resources.settings)
        r = world.resources
        resources = WorkerResources(
            r.settings, r.db, r.redis, r.permissions, r.node, r.sign_in_policy, signer
        )
        await supervisor.prepare(resources)
        market_id = await _live_market(world, resources)
        contract = (await world.http.get(f"/markets/{market_id}")).json()["contractAddress"].lower()
    node = SapphireClient(anvil.url)
    yield House(dsn, node, signer.address, market_id, contract)
    await node.close()
    await postgres.drop(dsn)


@pytest.fixture
async def books(house: House, postgres: PostgresServer) -> AsyncIterator[Database]:
    """A copy of the house's database, without the guards that would refuse the violation."""
    dsn = await postgres.copy(house.dsn)
    db = await Database.connect(dsn, acquire_timeout_s=PATIENCE_S)
    yield db
    await db.close()
    await postgres.drop(dsn)


async def _live_market(world: World, resources: WorkerResources) -> UUID:
    issuer = await world.issuer()
    market = await world.register(issuer)
    assert issuer.entity_id is not None
    officer = await world.officer(issuer.entity_id)
    approved = await world.post(f"/markets/{market['id']}/approve", officer, {"decision": "approve"})
    assert approved.status_code == 200, approved.text
    stopping = asyncio.Event()
    lane = LaneWorker(resources.db, resources.node, resources.signer, resources.lane_policy)
    moving = asyncio.create_task(lane.run(stopping))
    handlers = all_handlers(resources.settings)
    runner = JobRunner(resources.db, resources, handlers)

    async def nothing_is_left() -> bool:
        """For a moment what was written lately may be held back: by a transaction of the lane's."""
        await resources.db.pool.execute("UPDATE leases SET expires_at = now() - interval '1 second'")
        did = await FanOutSink(resources.db, "test", handlers).step() or await _run_pending(
            resources.db, runner
        )
        return not did and not await resources.db.pool.fetchval(_WAITS)

    try:
        await eventually(nothing_is_left, "the market is live, and all that follows is done", within_s=60)
    finally:
        stopping.set()
        await moving
    return UUID(market["id"])


_WAITS = """
    SELECT EXISTS (SELECT FROM events e JOIN relay_cursors c ON c.sink = 'fan-out'
      WHERE (e.tx_id, e.position) > (c.tx_id, c.position))
"""


async def _run_pending(db: Database, runner: JobRunner) -> bool:
    rows = await db.pool.fetch("SELECT job_id, name, data FROM jobs WHERE status = 'pending'")
    for row in rows:
        await runner(Delivery(row["job_id"], row["name"], row["data"]))
    return bool(rows)


async def broken(db: Database) -> dict[str, tuple[str, ...]]:
    return {truth.name: truth.findings for truth in await truths.check_books(db) if not truth.holds}


async def test_every_truth_holds_when_a_market_is_live(house: House, books: Database) -> None:
    found = await truths.check_all(books, house.node, LOCAL_CHAIN_ID, house.admin)
    numbers = {"INV-1", "INV-2", "INV-3", "INV-6", "INV-8", "INV-9", "INV-11", "INV-13"}
    assert numbers <= {truth.name.split()[0] for truth in found}
    assert {truth.name: truth.findings for truth in found if not truth.holds} == {}


VIOLATIONS: list[tuple[str, str, str]] = [
    (
        "INV-6 one contract",
        "contract 0x",
        (
            "ALTER TABLE markets DROP CONSTRAINT markets_contract_address_key;"
            "UPDATE markets SET contract_address = (SELECT contract_address FROM markets WHERE market_id = '{market}') "
            "WHERE market_id = '{other}'"
        ),
    ),
    (
        "INV-6 one contract",
        "deployments of market {market}",
        (
            "INSERT INTO chain_transactions (transaction_id, key, wallet, data, gas, status, nonce) VALUES "
            "(gen_random_uuid(), 'deploy-token-{market}-2', 'w', '', 1, 'confirmed', 900)"
        ),
    ),
    (
        "INV-6 one nonce",
        " nonce ",
        (
            "ALTER TABLE chain_transactions DROP CONSTRAINT chain_transactions_wallet_nonce_key;"
            "UPDATE chain_transactions SET nonce = nonce - 1 WHERE nonce = (SELECT max(nonce) FROM chain_transactions)"
        ),
    ),
    (
        "INV-6 one nonce",
        "nonce that the lane did not give",
        "UPDATE chain_wallets SET next_nonce = next_nonce - 1",
    ),
    (
        "INV-6 one nonce",
        "no stored bytes: deploy-token-{market}-1",
        (
            "DELETE FROM chain_attempts USING chain_transactions t "
            "WHERE t.transaction_id = chain_attempts.transaction_id AND t.key = 'deploy-token-{market}-1'"
        ),
    ),
    ("INV-6 each job", "activated twice: {market}", "{again:market.activated}"),
    ("INV-6 each job", "decided twice: {market}", "{again:market.approved}"),
    (
        "INV-6 each job",
        "done twice: deploy-market-token-{market}-1",
        (
            "INSERT INTO jobs (job_id, queue, name, data, status) "
            "VALUES ('deploy-market-token-{market}-1.2', 'q', 'n', '{{}}', 'done')"
        ),
    ),
    (
        "INV-8 a market's history",
        "market.activated of {market} after approved",
        "DELETE FROM events WHERE event_type = 'market.activation_started'",
    ),
    (
        "INV-8 a market's history",
        "market.resumed of {market} after active",
        "{new:market.resumed}",
    ),
    (
        "INV-8 a market's history",
        "market {market} is paused, its history ends at active",
        "UPDATE markets SET status = 'paused' WHERE market_id = '{market}'",
    ),
    (
        "INV-8 a market's history",
        "market without history: {market}",
        "DELETE FROM events WHERE stream_id = '{market}'",
    ),
    (
        "INV-8 a market's history",
        "history without market: {other}",
        "DELETE FROM market_assets WHERE market_id = '{other}'; DELETE FROM markets WHERE market_id = '{other}'",
    ),
    (
        "INV-8 a live market",
        "market {market} without its token",
        "{no pairs}; DELETE FROM tokens WHERE market_id = '{market}'",
    ),
    (
        "INV-8 a live market",
        "market {market} without its token",
        "UPDATE tokens SET contract_address = NULL WHERE market_id = '{market}'",
    ),
    (
        "INV-8 a live market",
        "market {market} without its token",
        "UPDATE tokens SET decimals = 6 WHERE market_id = '{market}'",
    ),
    (
        "INV-8 a live market",
        "token without live market: ROGUE",
        (
            "INSERT INTO tokens (token_id, symbol, name, token_type, decimals, chain_id) "
            "VALUES (gen_random_uuid(), 'ROGUE', 'Rogue', 'RWA', 18, 31337)"
        ),
    ),
    (
        "INV-8 a live market",
        "token without live market: EARLY",
        (
            "INSERT INTO tokens (token_id, symbol, name, token_type, decimals, chain_id, market_id) "
            "VALUES (gen_random_uuid(), 'EARLY', 'Early', 'RWA', 18, 31337, '{other}')"
        ),
    ),
    (
        "INV-8 a live market",
        "market {market} is active, its pair missing",
        f"{{no pairs}}; UPDATE markets SET updated_at = {LONG_AGO}",
    ),
    (
        "INV-8 a live market",
        "market {market} is active, its pair paused",
        f"UPDATE trading_pairs SET status = 'paused'; UPDATE markets SET updated_at = {LONG_AGO}",
    ),
    (
        "INV-11",
        "events_append_only does not stand on events",
        "ALTER TABLE events DISABLE TRIGGER events_append_only",
    ),
    ("INV-11", "events_never_truncated does not stand", "DROP TRIGGER events_never_truncated ON events"),
    ("INV-11", "markets_move does not stand on markets", "ALTER TABLE markets DISABLE TRIGGER markets_move"),
    (
        "INV-13",
        "pending job forgotten",
        (
            "INSERT INTO jobs (job_id, queue, name, data, created_at) "
            f"VALUES ('forgotten', 'q', 'n', '{{{{}}}}', {LONG_AGO})"
        ),
    ),
    (
        "INV-13",
        "undelivered by jobs",
        (
            "INSERT INTO jobs (job_id, queue, name, data, created_at) "
            f"VALUES ('forgotten', 'q', 'n', '{{{{}}}}', {LONG_AGO})"
        ),
    ),
    (
        "INV-13",
        "activating for long: {other}",
        f"UPDATE markets SET status = 'activating', updated_at = {LONG_AGO} WHERE market_id = '{{other}}'",
    ),
    (
        "INV-13",
        "activating and nobody is at it: {other}",
        (
            "UPDATE markets SET status = 'activating', activations = 1 WHERE market_id = '{other}';"
            "INSERT INTO jobs (job_id, queue, name, data, status) "
            "VALUES ('deploy-market-token-{other}-1', 'deploy-token', 'deploy-market-token', '{{}}', 'failed')"
        ),
    ),
    (
        "INV-13",
        "mint not booked for long: ",
        (
            "INSERT INTO mint_requests (mint_id, token_id, user_id, account, amount, status, requested_by, reason, "
            "updated_at) SELECT gen_random_uuid(), token_id, issuer_user_id, '0x', 1, 'SUBMITTED', issuer_user_id, "
            f"'r', {LONG_AGO} FROM tokens WHERE market_id = '{{market}}'"
        ),
    ),
    (
        "INV-13",
        "listing for long: WAITING",
        (
            "INSERT INTO tokens (token_id, symbol, name, token_type, decimals, chain_id, status) "
            "VALUES (gen_random_uuid(), 'WAITING', 'Waiting', 'STABLE', 6, 31337, 'listing')"
        ),
    ),
    ("INV-13", "lane stopped: foreign use", "UPDATE chain_wallets SET stopped_reason = 'foreign use'"),
    (
        "INV-13",
        "transaction not final for long",
        (
            f"UPDATE chain_transactions SET status = 'sent', created_at = {LONG_AGO} "
            "WHERE nonce = (SELECT max(nonce) FROM chain_transactions)"
        ),
    ),
    ("INV-13", "undelivered by redis", f"UPDATE events SET occurred_at = {LONG_AGO}"),
    (
        "INV-13",
        "undelivered by fan-out",
        f"UPDATE events SET occurred_at = {LONG_AGO}; DELETE FROM relay_cursors",
    ),
]


@pytest.mark.parametrize(
    ("truth", "finding", "violation"), VIOLATIONS, ids=[f"{t} · {f}"[:70] for t, f, _ in VIOLATIONS]
)
async def test_truth_is_broken_when_its_violation_is_planted(
    house: House, books: Database, truth: str, finding: str, violation: str
) -> None:
    other = await _second_market(books, house.market_id)
    plain = await broken(books)
    assert plain == {}
    words = {"market": str(house.market_id), "other": str(other)}
    async with as_owner(books) as connection:
        if truth != "INV-11":
            await connection.execute(NO_GUARDS)
        await connection.execute(_statement(violation, words))
    found = await broken(books)
    named = [name for name in found if name.startswith(truth)]
    assert named, f"not found; found: {found}"
    assert any(finding.format(**words) in text for text in found[named[0]]), found


async def _second_market(db: Database, market_id: UUID) -> UUID:
    """A registered market beside the live one."""
    other = uuid4()
    async with db.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO markets (market_id, name, asset_type, issuer_id, issuer_user_id, issuer_account, token_name, "
            "token_symbol, total_supply, supply_cap, status) SELECT $2, name, asset_type, issuer_id, issuer_user_id, "
            "issuer_account, token_name, 'OTHER', total_supply, supply_cap, 'pending_approval' FROM markets "
            "WHERE market_id = $1",
            market_id,
            other,
        )
        await connection.execute(
            "INSERT INTO events (event_id, event_type, version, stream_type, stream_id, actor_type, payload) "
            "VALUES (gen_random_uuid(), 'market.registered', 1, 'market', $1, 'issuer', '{}')",
            other,
        )
    return other


def _statement(violation: str, words: dict[str, str]) -> str:
    """`{again:type}` repeats a fact of the live market, `{new:type}` adds one."""
    for kind in ("again", "new"):
        if violation.startswith(f"{{{kind}:"):
            event_type = violation.removeprefix(f"{{{kind}:").removesuffix("}")
            return (
                "INSERT INTO events (event_id, event_type, version, stream_type, stream_id, actor_type, payload) "
                f"VALUES (gen_random_uuid(), '{event_type}', 1, 'market', '{words['market']}', 'system', '{{}}')"
            )
    return violation.replace("{no pairs}", NO_PAIRS).format(**words)


# On the chain


CHAIN_VIOLATIONS: list[tuple[str, str]] = [
    (
        "the factory names another contract",
        "UPDATE markets SET contract_address = '0x' || repeat('1', 40) {live}",
    ),
    ("total supply is", "UPDATE tokens SET total_supply = total_supply - 1 {live}"),
    (
        "total supply is",
        "UPDATE tokens SET supply_cap = supply_cap + 1, total_supply = total_supply + 1 {live}",
    ),
    ("cap is", "UPDATE markets SET supply_cap = supply_cap + 1 {live}"),
    ("symbol is", "UPDATE markets SET token_symbol = 'FORGED' {live}"),
    (
        "there is no settlement at",
        "UPDATE chain_contracts SET address = '0x' || repeat('3', 40) WHERE name = 'settlement'",
    ),
]


@pytest.mark.parametrize(("finding", "violation"), CHAIN_VIOLATIONS, ids=[f for f, _ in CHAIN_VIOLATIONS])
async def test_chain_differs_from_the_books_when_a_row_is_forged(
    house: House, books: Database, finding: str, violation: str
) -> None:
    async with as_owner(books) as connection:
        await connection.execute(NO_GUARDS)
        await connection.execute(violation.format(live=f"WHERE market_id = '{house.market_id}'"))
    found = {
        truth.name[:5]: truth.findings
        for truth in await truths.check_all(books, house.node, LOCAL_CHAIN_ID, house.admin)
    }
    assert any(finding in text for text in found["INV-9"]), found["INV-9"]


async def test_finding_and_not_a_crash_when_the_chain_was_started_anew(
    house: House, books: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tests.support import servers

    async with servers.anvil(tmp_path_factory.mktemp("empty")) as empty:
        node = SapphireClient(empty.url)
        found = (await truths.check_all(books, node, LOCAL_CHAIN_ID, house.admin))[-1]
        await node.close()
    assert any("there is no token_factory" in text for text in found.findings)


async def test_findings_are_few_when_much_is_wrong(books: Database, house: House) -> None:
    async with books.pool.acquire() as connection:
        await connection.execute(
            "INSERT INTO jobs (job_id, queue, name, data, created_at) "
            f"SELECT 'job-' || n, 'q', 'n', '{{}}', {LONG_AGO} FROM generate_series(1, 100) n"
        )
    found = await broken(books)
    assert [len(findings) for findings in found.values()] == [truths.MAX_FINDINGS]
