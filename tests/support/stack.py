"""The whole platform in real processes, on servers of its own, for tests that kill them.

Every process dies with the test run. The parts have names of their own, since two of them are workers: `jobs`
runs the jobs, `lane` moves the chain transactions, so that each can be killed without the other.
"""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from deedbook import truths
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedPostgres, EmbeddedValkey
from deedbook.infra.embedded.pidfile import wait_until
from deedbook.infra.schema import migrate
from deedbook.infra.settings import Settings
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.permissions.config import LOCAL_TOPIC_ARN
from deedbook.stack import supervisor
from deedbook.stack.environment import LOCAL_ADMIN_KEY
from deedbook.stack.grant import grant
from deedbook.stack.processes import DeedbookProcess
from deedbook.stack.wallet import Wallet, sign_in
from deedbook.wiring import open_worker_resources
from tests.support import servers
from tests.support.waiting import eventually

PARTS: Mapping[str, Sequence[str]] = {
    "permissions": ["permissions"],
    "api": ["api"],
    "jobs": ["worker", "--no-lane"],
    "lane": ["worker", "--queues", "housekeeping"],
    "relay": ["relay"],
    "scheduler": ["scheduler"],
    "matcher": ["matcher"],
}
ERRANDS: Mapping[str, Sequence[str]] = {
    queue: ["worker", "--no-lane", "--queues", queue]
    for queue in (
        "process-withdrawal",
        "process-transfer",
        "sync-blockchain",
        "mint-token",
        "verify-compliance",
        "execute-blockchain-settlement",
    )
}
"""Workers for one queue each, so that each can die over its own work while the others go on."""
PATIENCE_S = 60.0
IDLE_BLOCK_S = 3.0
DEPLOYED = "0x" + keccak(b"TokenDeployed(bytes32,address,address,uint256)").hex()


class Part(DeedbookProcess):
    """One process of ours under the name that it has in the test."""

    def __init__(
        self,
        name: str,
        directory: Path,
        environ: Mapping[str, str],
        special: Mapping[str, str],
        *,
        port: int,
        health: str,
    ) -> None:
        log_file = directory / f"{name}.log"
        super().__init__(name, directory, log_file, {**environ, **special}, port=port, health=health)
        self._arguments = {**PARTS, **ERRANDS}[name]
        self._special = dict(special)

    def command(self) -> Sequence[str]:
        python_m_deedbook = super().command()[:3]
        return [*python_m_deedbook, *self._arguments]

    def is_plain(self) -> bool:
        return self.poll() is None and not self._special

    def kill_hard(self) -> None:
        """`kill -9`."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Listing:
    """A market that was registered."""

    market_id: str
    symbol: str


class Stack:
    """The servers, our processes on them, an issuer and an officer who are signed in."""

    def __init__(self, directory: Path, *, confirmations: int = 4, block_time: float = 0.05) -> None:
        self.directory = directory
        self.postgres: EmbeddedPostgres = servers.postgres(directory)
        self.valkey: EmbeddedValkey = servers.valkey(directory)
        # It rests when nobody works: anvil keeps the newest state alone, and ledger and vault are compared at one
        # block, the one that the watcher has read.
        self.anvil: EmbeddedAnvil = servers.anvil(directory, block_time, idle_block_time=IDLE_BLOCK_S)
        self.environ = self._environ(confirmations)
        self.settings = Settings(**self.environ)  # type: ignore[arg-type]  # read from text, as from the environment
        self.parts: dict[str, Part] = {}
        self._beside: list[Part] = []
        self.http = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{self.settings.PORT}/api/v1", timeout=10, trust_env=False
        )
        self.desk = httpx2.AsyncClient(
            base_url=str(self.settings.ENTITY_PERMISSIONS_BASE_URL), timeout=10, trust_env=False
        )
        self.node = SapphireClient(self.anvil.url)
        self.issuer, self.officer = Wallet.new(), Wallet.new()
        self.tokens: dict[Wallet, str] = {}
        self._officer_id = ""

    def _environ(self, confirmations: int) -> dict[str, str]:
        permissions_port = servers.free_port()
        return {
            **servers.QUICK_START,
            "DEEDBOOK_HOME": str(self.directory / "home"),
            "DATABASE_URL": self.postgres.dsn(),
            "REDIS_URL": self.valkey.url(),
            "SAPPHIRE_RPC_URL": self.anvil.url,
            "SAPPHIRE_ADMIN_KEY": LOCAL_ADMIN_KEY,
            "SAPPHIRE_CONFIRMATIONS": str(confirmations),
            "PORT": str(servers.free_port()),
            "DEEDBOOK_PERMISSIONS_PORT": str(permissions_port),
            "ENTITY_PERMISSIONS_BASE_URL": f"http://127.0.0.1:{permissions_port}",
            "ENTITY_PERMISSIONS_POLLING": "false",
            "SNS_TOPIC_ARNS": LOCAL_TOPIC_ARN,
            "SNS_PINNED_CERTIFICATE": str(self.directory / "home" / "permissions" / "sns-certificate.pem"),
            "DEEDBOOK_SECRET": secrets.token_hex(24),
            "WEBHOOK_HMAC_SECRET": secrets.token_hex(24),
            "ACCESS_TOKEN_TTL_S": "3600",
            "RATE_LIMIT_READS": "1000000",
            "RATE_LIMIT_WRITES": "1000000",
            "RATE_LIMIT_AUTH": "1000000",
            "RATE_LIMIT_ORDERS": "1000000",
        }

    # Life

    async def start(self) -> None:
        """Servers, schema, contracts, processes, users."""
        await asyncio.gather(self.postgres.start(), self.valkey.start(), self.anvil.start())
        await asyncio.to_thread(migrate, self.postgres.dsn())
        async with open_worker_resources(self.settings, "test") as resources:
            await supervisor.prepare(resources)
        await asyncio.gather(*(self.run(name) for name in PARTS))
        await self._sign_in()

    async def stop(self) -> None:
        await asyncio.gather(self.http.aclose(), self.desk.aclose(), self.node.close())
        parts = [*self.parts.values(), *self._beside]
        for part in parts:
            part.kill_hard()
        await asyncio.gather(*(part.stop() for part in parts))
        await asyncio.gather(self.postgres.stop(), self.valkey.stop(), self.anvil.stop())

    async def run(self, name: str, **environ: str) -> None:
        """Start a part; one that runs is stopped first, as an operator would."""
        if name in self.parts:
            await self.parts[name].stop()
        self.parts[name] = self._part(name, environ)
        await self.parts[name].start()

    async def dismiss(self, *names: str) -> None:
        """Stop parts that are not wanted any more."""
        await asyncio.gather(*(self.parts.pop(name).stop() for name in names if name in self.parts))

    async def run_beside(self, name: str) -> None:
        """Start a second process of a part."""
        self._beside.append(self._part(name, {}, f"{name}-{len(self._beside) + 2}"))
        await self._beside[-1].start()

    async def stop_beside(self) -> None:
        await asyncio.gather(*(part.stop() for part in self._beside))
        self._beside.clear()

    def _part(self, name: str, environ: Mapping[str, str], alias: str = "") -> Part:
        port, health = {
            "api": (self.settings.PORT, "/readyz"),
            "permissions": (int(self.environ["DEEDBOOK_PERMISSIONS_PORT"]), "/healthz"),
        }.get(name, (0, ""))
        url = f"http://127.0.0.1:{port}{health}" if health else ""
        directory = self.directory / (alias or name)
        return Part(name, directory, self.environ, environ, port=port, health=url)

    async def all_run(self) -> None:
        """Start again what does not run, or runs with an environment of its own. Between tests."""
        await self.dismiss(*ERRANDS)
        plain = {name for name, part in self.parts.items() if part.is_plain()}
        await asyncio.gather(*(self.run(name) for name in PARTS if name not in plain))

    def kill(self, name: str) -> None:
        """`kill -9`."""
        self.parts[name].kill_hard()

    async def dies(self, name: str, *, or_lives_s: float | None = None) -> bool:
        """Wait until a part has killed itself; `False` when it may live on, and did for that long."""
        part = self.parts[name]
        await wait_until(lambda: part.poll() is not None, time.monotonic() + (or_lives_s or PATIENCE_S))
        code = part.poll()
        if code is None and or_lives_s is not None:
            return False
        assert code == -signal.SIGKILL, f"{name} should have killed itself, and not {code}:\n{self.log(name)}"
        return True

    def log(self, name: str, lines: int = 15) -> str:
        """The end of what a part has said."""
        return "\n".join(self.parts[name].log_file.read_text(errors="replace").splitlines()[-lines:])

    # What users do; they repeat a request until it is answered, with the same key

    async def call(
        self, method: str, path: str, *, status: int = 200, who: Wallet | None = None, **request: Any
    ) -> Any:
        """One call of the issuer, or of somebody else who is signed in, however often it has to be sent."""
        headers = {"Authorization": f"Bearer {self.tokens[who or self.issuer]}"}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                response = await self.http.request(method, path, headers=headers, **request)
            except httpx2.HTTPError as error:
                answer = repr(error)
            else:
                if response.status_code == status:
                    return response.json()
                answer = f"{response.status_code} {response.text[:300]}"
                in_flight = response.status_code == 409 and "idempotency_key_in_flight" in answer
                assert response.status_code in (503, 404) or in_flight, f"{method} {path}: {answer}"
            assert time.monotonic() < deadline, f"{method} {path}: {answer}"
            await asyncio.sleep(0.05)

    async def register(self) -> Listing:
        symbol = "T" + uuid4().hex[:10].upper()
        body = {
            "name": "Harbour Warehouse",
            "assetType": "real_estate",
            "tokenSymbol": symbol,
            "totalSupply": "1000",
            "supplyCap": "1000000",
        }
        market = await self.call("POST", "/markets/register", status=201, json=body)
        return Listing(market["id"], symbol)

    async def approve(self, listing: Listing) -> None:
        """The officer decides at the permission service's desk, as soon as the request is there."""
        body = {"decision": "approved", "reason": "in order", "actor_id": self._officer_id}
        path = f"/api/v1/approvals/{listing.market_id}/decision"

        async def decided() -> bool:
            try:
                return (await self.desk.post(path, json=body)).status_code == 200
            except httpx2.HTTPError:
                return False

        await eventually(decided, "the desk takes the decision", within_s=PATIENCE_S)

    async def live(self, listing: Listing, *, within_s: float = PATIENCE_S) -> None:
        """Wait until the market is active and its pair is open."""

        async def is_live() -> bool:
            market = await self.call("GET", f"/markets/{listing.market_id}")
            assert market["status"] in ("pending_approval", "activating", "active"), market
            return bool(market["status"] == "active")

        await eventually(is_live, f"{listing} is active", within_s=within_s)
        pair = await self.call("GET", f"/trading/pairs/{listing.symbol}-USDC")
        assert pair["status"] == "active"

    async def lifecycle(self) -> Listing:
        """From registration to the open pair."""
        listing = await self.register()
        await self.approve(listing)
        await self.live(listing)
        return listing

    # What must be so afterwards

    async def prove(self, *listings: Listing) -> None:
        """Each step happened exactly once, by every witness; all truths hold; nothing is left over."""
        db = await Database.connect(self.postgres.dsn(), pool_size=2, acquire_timeout_s=PATIENCE_S)
        try:
            for listing in listings:
                assert await _once(db, listing) == _ONCE
                assert await self.contracts_of(listing) == 1
                assert await self.told(listing, "market.activated") == 1
            await eventually(lambda: self._rests(db), "nothing is left over", within_s=PATIENCE_S)
            signer = await db.pool.fetchval("SELECT address FROM chain_wallets")
            proof = await eventually(
                lambda: self._proof(db, signer), "the truths can be proven", within_s=PATIENCE_S
            )
            assert proof == ({},), proof
        finally:
            await db.close()

    async def _proof(self, db: Database, signer: Address) -> tuple[dict[str, tuple[str, ...]]] | None:
        """The truths that do not hold; `None` while new blocks keep ledger and vault from being compared."""
        found = await truths.check_all(db, self.node, self.settings.SAPPHIRE_CHAIN_ID, signer)
        broken = {truth.name: truth.findings for truth in found if not truth.holds}
        waits = any("could not be compared" in text for texts in broken.values() for text in texts)
        return None if waits else (broken,)

    async def _rests(self, db: Database) -> bool:
        """INV-13: no open jobs, transactions or settlements, everything delivered."""
        open_now = await db.pool.fetchval(
            """
            SELECT (SELECT count(*) FROM jobs WHERE status IN ('pending', 'failed'))
                 + (SELECT count(*) FROM chain_transactions WHERE status NOT IN ('confirmed', 'reverted'))
                 + (SELECT count(*) FROM trade_settlements WHERE status NOT IN ('SETTLED', 'FAILED'))
                 + (SELECT count(*) FROM pair_writer w LEFT JOIN settlement_pairs p USING (pair_id)
                    WHERE w.trade_number > COALESCE(p.opened_to, 0))
                 + (SELECT count(*) FROM relay_cursors WHERE sink <> 'jobs' AND NOT starts_with(sink, 'trading-')
                                                         AND tx_id < (SELECT max(tx_id) FROM events))
                 + (SELECT count(*) FROM relay_cursors WHERE starts_with(sink, 'trading-')
                                                         AND tx_id < (SELECT max(tx_id) FROM trading_facts))
            """
        )
        return bool(open_now == 0)

    async def contracts_of(self, listing: Listing) -> int:
        """How many contracts the chain itself says were deployed for the market."""
        market = "0x" + bytes.fromhex(listing.market_id.replace("-", "")).ljust(32, b"\0").hex()
        wanted = {"fromBlock": "0x0", "toBlock": "latest", "topics": [DEPLOYED, market]}
        logs = await self.anvil.rpc("eth_getLogs", wanted)
        assert isinstance(logs, list)
        return len(logs)

    async def told(self, listing: Listing, event_type: str) -> int:
        """How often the permission service has this fact about the market."""

        async def count() -> int:
            query = {"event_type": event_type, "source": "deedbook", "limit": "200"}
            events = (await self.desk.get("/api/v1/events", params=query)).json()
            return sum(event["payload"]["market_id"] == listing.market_id for event in events)

        return await eventually(count, f"the permission service hears of {event_type}", within_s=PATIENCE_S)

    async def enter(self, wallet: Wallet) -> str:
        """Sign in, however often that has to be tried; the user's id."""

        async def entered() -> dict[str, Any] | None:
            try:
                return await sign_in(self.http, wallet)
            except httpx2.HTTPError:
                return None

        told = await eventually(entered, f"{wallet} signs in", within_s=PATIENCE_S, every_s=0.05)
        assert told is not None
        self.tokens[wallet] = told["accessToken"]
        return str(told["userId"])

    async def _sign_in(self) -> None:
        await grant(self.settings, self.issuer.address, "issuer", "Harbour Homes", "")
        await grant(self.settings, self.officer.address, "compliance", "", "")
        await self.enter(self.issuer)
        self._officer_id = await self.enter(self.officer)


_ONCE = {
    "registered": 1,
    "approved": 1,
    "activation_started": 1,
    "activated": 1,
    "tokens": 1,
    "pairs": 1,
    "deployments": 1,
    "decisions": 1,
}


async def _once(db: Database, listing: Listing) -> dict[str, int]:
    row = await db.pool.fetchrow(
        """
        SELECT count(*) FILTER (WHERE event_type = 'market.registered') AS registered,
               count(*) FILTER (WHERE event_type = 'market.approved') AS approved,
               count(*) FILTER (WHERE event_type = 'market.activation_started') AS activation_started,
               count(*) FILTER (WHERE event_type = 'market.activated') AS activated,
               (SELECT count(*) FROM tokens WHERE symbol = $2) AS tokens,
               (SELECT count(*) FROM trading_pairs WHERE symbol = $2 || '-USDC') AS pairs,
               (SELECT count(*) FROM chain_transactions
                    WHERE key LIKE 'deploy-token-' || $1::text || '-%') AS deployments,
               (SELECT count(*) FROM processed_events WHERE payload ->> 'market_id' = $1::text
                    AND event_type = 'market.approved' AND processing_status = 'success') AS decisions
        FROM events WHERE stream_id = $1::text::uuid
        """,
        listing.market_id,
        listing.symbol,
    )
    assert row is not None
    return dict(row)
