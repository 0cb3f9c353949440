"""The local chain: it goes on where it stopped, or says that it cannot."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from deedbook.infra.embedded import BinaryMissing, EmbeddedAnvil, StateDamaged, find_anvil
from deedbook.infra.embedded.anvil import copy_if_complete, good_copy_of, is_complete, restore_state
from tests.support.servers import free_port
from tests.support.waiting import PATIENCE_S, eventually

from .support import CONTRACTS, wait_for

SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"  # the first of anvil's unlocked accounts
DEPLOY_ONE_STOP = "0x6001600c60003960016000f300"  # creates a contract whose code is 0x00
STATE = b'{"block":{"number":"0x1"},"blocks":[{"header":{}}]}'

needs_anvil = pytest.mark.usefixtures("_anvil")


def anvil(directory: Path, idle_block_time: float | None = None) -> EmbeddedAnvil:
    return EmbeddedAnvil(
        directory / "state.json",
        free_port(),
        block_time=0.05,
        idle_block_time=idle_block_time,
        tools_dir=CONTRACTS,
    )


async def deploy(chain: EmbeddedAnvil) -> str:
    transaction = {"from": SENDER, "data": DEPLOY_ONE_STOP, "gas": "0x186a0"}
    transaction_hash = await chain.rpc("eth_sendTransaction", transaction)
    receipt = await eventually(
        lambda: chain.rpc("eth_getTransactionReceipt", transaction_hash), "it is mined", within_s=PATIENCE_S
    )
    assert isinstance(receipt, dict)
    return str(receipt["contractAddress"])


async def block_number(chain: EmbeddedAnvil) -> int:
    return int(str(await chain.rpc("eth_blockNumber")), 16)


async def assert_contract_and_nonce(chain: EmbeddedAnvil, contract: str) -> None:
    assert await chain.rpc("eth_getCode", contract, "latest") == "0x00"
    assert await chain.rpc("eth_getTransactionCount", SENDER, "latest") == "0x1"
    assert await chain.rpc("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"}) == []


@needs_anvil
async def test_it_starts_cold_then_warm_with_contracts_and_nonces(open_dir: Path) -> None:
    chain = anvil(open_dir)
    async with chain:
        contract = await deploy(chain)
        height = await block_number(chain)
    async with chain:
        assert await block_number(chain) >= height
        await assert_contract_and_nonce(chain, contract)


@needs_anvil
async def test_contracts_and_nonces_survive_when_it_is_killed(open_dir: Path) -> None:
    chain = anvil(open_dir)
    await chain.start()
    contract = await deploy(chain)

    async def is_kept() -> bool:
        """It may be killed while it writes the next state: then the copy is what there is."""
        copy = good_copy_of(chain.data)
        return copy.exists() and contract.lower().encode() in copy.read_bytes().lower()

    await eventually(is_kept, "a state with the contract is kept", within_s=PATIENCE_S)
    os.kill(chain.pid, signal.SIGKILL)
    wait_for(lambda: chain.poll() is not None)
    async with chain:
        await assert_contract_and_nonce(chain, contract)


@needs_anvil
async def test_a_state_file_cut_short_is_replaced_by_the_last_complete_copy(open_dir: Path) -> None:
    chain = anvil(open_dir)
    async with chain:
        contract = await deploy(chain)
    os.truncate(chain.data, chain.data.stat().st_size // 2)
    async with chain:
        await assert_contract_and_nonce(chain, contract)
    assert (open_dir / "state.damaged.json").exists()


@needs_anvil
async def test_a_good_copy_is_kept_while_it_runs(open_dir: Path) -> None:
    async with anvil(open_dir) as chain:

        async def is_made() -> bool:
            return good_copy_of(chain.data).exists()

        await eventually(is_made, "a copy is made", within_s=PATIENCE_S)
        assert is_complete(good_copy_of(chain.data))


@needs_anvil
async def test_an_idle_chain_slows_down_and_wakes_for_a_transaction(open_dir: Path) -> None:
    async with anvil(open_dir, idle_block_time=30) as chain:
        await deploy(chain)

        async def rests() -> bool:
            before = await block_number(chain)
            await asyncio.sleep(0.5)
            return await block_number(chain) == before

        await eventually(rests, "after the quick blocks that follow work there are none", within_s=PATIENCE_S)
        height = await block_number(chain)
        started = time.monotonic()
        await deploy(chain)
        assert time.monotonic() - started < 10, "long before the next idle block"
        assert await block_number(chain) > height


def test_the_state_of_a_new_chain_is_nothing(open_dir: Path) -> None:
    restore_state(open_dir / "state.json")
    assert not list(open_dir.iterdir())


@pytest.mark.parametrize("length", range(len(STATE)))
def test_every_state_cut_short_is_recognized(open_dir: Path, length: int) -> None:
    state = open_dir / "state.json"
    state.write_bytes(STATE)
    copy_if_complete(state)
    state.write_bytes(STATE[:length])
    copy_if_complete(state)
    restore_state(state)
    assert state.read_bytes() == STATE


def test_a_chain_that_cannot_be_read_at_all_is_never_replaced_by_an_empty_one(open_dir: Path) -> None:
    state = open_dir / "state.json"
    state.write_bytes(STATE[:-1])
    for _ in range(2):
        with pytest.raises(StateDamaged, match="start afresh"):
            restore_state(state)


def test_the_binary_is_looked_for_in_order(open_dir: Path) -> None:
    tools, chosen, on_path = open_dir / "tools", open_dir / "chosen", open_dir / "bin" / "anvil"
    installed = tools / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
    for program in (chosen, on_path, installed):
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch(mode=0o755)
    path = {"PATH": str(on_path.parent)}
    assert find_anvil(tools, {"DEEDBOOK_ANVIL": str(chosen), **path}) == chosen
    assert find_anvil(tools, path) == installed
    assert find_anvil(open_dir, path) == on_path


def test_a_missing_binary_comes_with_the_command_that_installs_it(open_dir: Path) -> None:
    with pytest.raises(BinaryMissing, match=r"npm install --prefix .* @foundry-rs/anvil@\d"):
        find_anvil(open_dir, {"PATH": ""})
    with pytest.raises(BinaryMissing, match="DEEDBOOK_ANVIL names"):
        find_anvil(open_dir, {"DEEDBOOK_ANVIL": "/nowhere/anvil"})


@needs_anvil
async def test_a_chain_whose_attendant_fails_is_ended_for_all_to_see(open_dir: Path) -> None:
    with capture_logs() as logs:
        async with anvil(open_dir) as chain:
            good_copy_of(chain.data).mkdir()  # a copy cannot replace a directory

            async def has_ended() -> bool:
                return chain.poll() is not None

            await eventually(has_ended, "it does not run on", within_s=PATIENCE_S)
            good_copy_of(chain.data).rmdir()
    assert [entry["event"] for entry in logs] == ["local_chain_attendant_failed"]
