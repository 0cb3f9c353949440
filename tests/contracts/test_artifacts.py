"""What is shipped is what the sources give, and every chain we know can run it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from .evm import PACKAGE_ARTIFACTS, ROOT, all_artifacts, artifact_of
from .world import UNIT, World

SHIPPED = ("IdentityRegistry", "RwaToken", "RwaTokenFactory", "Settlement", "TestDollar")
CODE_SIZE_LIMIT = 24_576
PUSH0, TLOAD, TSTORE, MCOPY = 0x5F, 0x5C, 0x5D, 0x5E
PUSH1, PUSH32 = 0x60, 0x7F


def _opcodes(code: bytes) -> Iterator[int]:
    position = 0
    while position < len(code):
        opcode = code[position]
        yield opcode
        position += 1 + (opcode - PUSH1 + 1 if PUSH1 <= opcode <= PUSH32 else 0)


def test_artifacts_match_their_sources() -> None:
    # Where the machine has no Node, the bootstrap has put one there.
    search = f"{ROOT / '.tools/node/bin'}{os.pathsep}{os.environ['PATH']}"
    node = shutil.which("node", path=search)
    assert node is not None, "no Node here: tools/bootstrap.py brings one"
    command = [node, str(ROOT / "contracts/build.mjs"), "--check"]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert outcome.returncode == 0, outcome.stderr


def test_the_package_ships_exactly_the_deployable_contracts() -> None:
    assert sorted(file.stem for file in PACKAGE_ARTIFACTS.glob("*.json")) == list(SHIPPED)


@pytest.mark.parametrize("name", [artifact.name for artifact in all_artifacts()])
def test_the_bytecode_needs_nothing_newer_than_paris(name: str) -> None:
    used = set(_opcodes(artifact_of(name).bytecode))
    assert used.isdisjoint({PUSH0, TLOAD, TSTORE, MCOPY})


def test_walking_opcodes_skips_pushed_data() -> None:
    assert list(_opcodes(bytes.fromhex("605f" + "625c5d5e" + "01" + "5f"))) == [0x60, 0x62, 0x01, PUSH0]


def test_deployed_code_fits_every_chain(world: World) -> None:
    token = world.token(initial_supply=UNIT)
    for contract in (world.registry, world.settlement, world.factory, world.dollar, token):
        code = world.evm.code(contract.address)
        assert 0 < len(code) < CODE_SIZE_LIMIT
        assert set(_opcodes(code)).isdisjoint({PUSH0, TLOAD, TSTORE, MCOPY})
