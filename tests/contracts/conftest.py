"""One anvil for all contract tests, and a freshly founded platform on it for each."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.servers import free_port

from .evm import CHAIN_ID, ROOT, Evm
from .world import World, found

MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
STARTUP_SECONDS = 20


def _anvil() -> Path:
    package = f"anvil-{sys.platform}-{MACHINES[platform.machine()]}"
    binary = ROOT / "contracts/node_modules/@foundry-rs" / package / "bin/anvil"
    assert binary.exists(), "these tests need anvil and solc: npm ci --prefix contracts"
    return binary


def _wait_until_ready(evm: Evm, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            assert int(evm.rpc("eth_chainId"), 16) == CHAIN_ID
            return
        except httpx2.TransportError:
            assert process.poll() is None, "anvil ended at once"
            assert time.monotonic() < deadline, "anvil does not answer"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def evm() -> Iterator[Evm]:
    # Never automine: under a burst anvil leaves ready transactions unmined. Shanghai is Sapphire's EVM.
    port = free_port()
    command = [str(_anvil()), "--host", "127.0.0.1", "--port", str(port), "--chain-id", str(CHAIN_ID)]
    command += [
        "--hardfork",
        "shanghai",
        "--gas-limit",
        "15000000",
        "--no-mining",
        "--prune-history",
        "--silent",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = Evm(f"http://127.0.0.1:{port}")
    try:
        _wait_until_ready(client, process)
        yield client
    finally:
        client.close()
        process.kill()
        process.wait()


@pytest.fixture
def world(evm: Evm) -> World:
    return found(evm)
