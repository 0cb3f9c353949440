"""The lane over a local chain that is killed, set back, or started anew."""

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from deedbook.chain.errors import ChainDisagrees, ChainUnavailable
from deedbook.chain.terms import TxStatus
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.infra.embedded.anvil import good_copy_of
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.keys import LocalSigner
from tests.chain.support import Lane, new_signer
from tests.support import servers
from tests.support.waiting import eventually


@asynccontextmanager
async def lane_on(anvil: EmbeddedAnvil, db: Database, signer: LocalSigner) -> AsyncIterator[Lane]:
    node = SapphireClient(anvil.url)
    try:
        yield Lane(db, node, signer)
    finally:
        await node.close()


async def run(lane: Lane, *keys: str, within_s: float = 30) -> None:
    """Step, and check nonces as the worker does, until these are final."""

    async def done() -> bool:
        with suppress(ChainUnavailable):
            await lane.check()
            await lane.step()
        rows = await lane.rows("SELECT status FROM chain_transactions WHERE key = ANY($1)", list(keys))
        return all(row["status"] in ("confirmed", "reverted") for row in rows)

    await eventually(done, f"{len(keys)} are final", within_s=within_s)


async def is_gone(lane: Lane) -> bool:
    try:
        await lane.step()
    except ChainUnavailable:
        return True
    return False


async def has_ended(anvil: EmbeddedAnvil) -> bool:
    return anvil.poll() is not None


async def are_kept(anvil: EmbeddedAnvil, lane: Lane) -> None:
    """All blocks until now stand in the copy of the state file, which survives any kill."""
    head = await lane.node.head()

    async def does() -> bool:
        try:
            state = json.loads(good_copy_of(anvil.data).read_bytes())
        except FileNotFoundError:
            return False
        return bool(int(str(state["best_block_number"]), 0) >= head)

    await eventually(does, f"block {head} is kept", within_s=30, every_s=0.2)


async def effects(anvil: EmbeddedAnvil, lane: Lane) -> list[int]:
    found = []
    for number in range(await lane.node.head() + 1):
        block = await anvil.rpc("eth_getBlockByNumber", hex(number), True)
        assert isinstance(block, dict)
        found += [int(sent["input"], 16) for sent in block["transactions"] if sent["from"] == lane.wallet]
    return found


async def test_a_chain_that_is_killed_and_comes_back_older_loses_nothing(
    db: Database, tmp_path: Path
) -> None:
    anvil, signer = servers.anvil(tmp_path), new_signer()
    async with anvil, lane_on(anvil, db, signer) as lane:
        await anvil.rpc("anvil_setBalance", signer.address, hex(10**24))
        await lane.begin()
        early = [f"early-{number}" for number in range(5)]
        await lane.ask(*early)
        await run(lane, *early)
        await are_kept(anvil, lane)

        late = [f"late-{number}" for number in range(60)]
        await lane.ask(*late, first=5)
        await run(lane, *late[:20])
        os.kill(anvil.pid, signal.SIGKILL)
        await eventually(lambda: is_gone(lane), "the chain is gone")
        await eventually(
            lambda: has_ended(anvil), "its process, which answers nobody a moment before, is too"
        )
        await anvil.start()
        await lane.later(4)
        await run(lane, *late)

        assert await effects(anvil, lane) == list(range(65))
        assert await lane.node.nonce(lane.wallet) == await lane.next_nonce() == 65
        assert {await lane.status(key) for key in (*early, *late)} == {TxStatus.CONFIRMED}
        assert await lane.stopped() is None


async def test_a_chain_that_is_set_back_is_brought_forward_again(db: Database, anvil: EmbeddedAnvil) -> None:
    signer = new_signer()
    async with lane_on(anvil, db, signer) as lane:
        await anvil.rpc("anvil_setBalance", signer.address, hex(10**24))
        await lane.begin()
        await lane.ask("early")
        await run(lane, "early")
        mark = await anvil.rpc("evm_snapshot")
        late = [f"late-{number}" for number in range(10)]
        await lane.ask(*late, first=1)
        await run(lane, *late)
        before = [(await lane.entry(key)).tx_hash for key in late]

        await servers.take_back(anvil, mark)
        assert await lane.node.nonce(lane.wallet) == 1
        await lane.check()
        assert {await lane.status(key) for key in late} == {TxStatus.SENT}
        await lane.later(4)
        await run(lane, *late)
        assert [(await lane.entry(key)).tx_hash for key in late] == before
        assert await lane.node.nonce(lane.wallet) == 11


async def test_a_chain_that_was_started_anew_is_refused(db: Database, tmp_path: Path) -> None:
    signer = new_signer()
    old = servers.anvil(tmp_path / "old")
    async with old, lane_on(old, db, signer) as lane:
        await old.rpc("anvil_setBalance", signer.address, hex(10**24))
        await lane.begin()
        await lane.ask("mint")
        await run(lane, "mint")
    fresh = servers.anvil(tmp_path / "fresh")
    async with fresh, lane_on(fresh, db, signer) as lane:
        with pytest.raises(ChainDisagrees, match="up --fresh"):
            await lane.check()
        assert await lane.status("mint") is TxStatus.CONFIRMED
