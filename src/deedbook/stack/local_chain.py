"""Which chain is started where the environment names none: anvil, or what comes with the Python packages."""

import os
from collections.abc import Callable
from pathlib import Path

from deedbook.infra.embedded import BinaryMissing, EmbeddedAnvil, EmbeddedPyEvm, Home, find_anvil
from deedbook.stack.ports import Ports

IDLE_BLOCK_TIME_S = 5.0
CONTRACTS = Path(__file__).parents[3] / "contracts"
FORGETFUL_CONFIRMATIONS = "2"
"""A chain in memory is never set back under those who read it: it is whole, or it is gone."""

LocalChain = EmbeddedAnvil | EmbeddedPyEvm


def local_chain(home: Home, ports: Ports) -> LocalChain:
    """The chain of this home, not yet started. What anvil has kept is never left for a chain that keeps nothing.

    Raises:
        BinaryMissing: anvil is wanted, or this home's chain is one of anvil's, and it cannot be found.
    """
    if uses_anvil(home, ports):
        return EmbeddedAnvil(
            home.anvil_state,
            ports.DEEDBOOK_ANVIL_PORT,
            block_time=ports.DEEDBOOK_LOCAL_BLOCK_S,
            idle_block_time=max(IDLE_BLOCK_TIME_S, ports.DEEDBOOK_LOCAL_BLOCK_S),
            tools_dir=CONTRACTS,
            log_file=home.log_file("anvil"),
        )
    return EmbeddedPyEvm(
        home.chain_in_memory,
        ports.DEEDBOOK_ANVIL_PORT,
        block_time=ports.DEEDBOOK_LOCAL_BLOCK_S,
        idle_block_time=max(IDLE_BLOCK_TIME_S, ports.DEEDBOOK_LOCAL_BLOCK_S),
        log_file=home.log_file("py-evm"),
    )


def uses_anvil(home: Home, ports: Ports) -> bool:
    """Raises BinaryMissing: it must, and cannot."""
    wanted = ports.DEEDBOOK_LOCAL_CHAIN
    if wanted != "auto":
        return wanted == "anvil"
    try:
        find_anvil(CONTRACTS)
    except BinaryMissing:
        if home.anvil_state.exists() or os.environ.get("DEEDBOOK_ANVIL"):
            raise
        return False
    return True


async def forget_a_lost_chain(home: Home, progress: Callable[[str], None]) -> None:
    """Where the last chain of this home was one in memory it is gone, and what refers to it goes too."""
    if home.chain_in_memory.exists():
        progress("The chain of the last run was in memory and is gone: everything begins anew")
        await home.fresh()


def remember_it_is_in_memory(home: Home, progress: Callable[[str], None]) -> None:
    progress(
        "There is no anvil: the chain is py-evm, in memory. It is slower, and the next start begins anew"
    )
    home.chain_in_memory.touch()
