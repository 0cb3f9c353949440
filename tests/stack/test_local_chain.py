"""Which chain is started, and what becomes of a home whose chain is gone."""

import os
import signal
from pathlib import Path

import pytest

from deedbook.infra.embedded import BinaryMissing, EmbeddedAnvil, EmbeddedPyEvm, Home
from deedbook.stack import local_chain, supervisor
from deedbook.stack.ports import Ports
from tests.stack.test_supervisor import Sleeper


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home on a machine without anvil."""
    monkeypatch.setattr(local_chain, "CONTRACTS", tmp_path / "nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DEEDBOOK_ANVIL", raising=False)
    home = Home(tmp_path / "home")
    home.open()
    return home


def test_the_chain_in_memory_is_taken_where_there_is_no_anvil(home: Home) -> None:
    assert isinstance(local_chain.local_chain(home, Ports()), EmbeddedPyEvm)


def test_what_anvil_has_kept_is_never_left_for_a_chain_that_keeps_nothing(home: Home) -> None:
    home.anvil_state.write_text("{}")
    with pytest.raises(BinaryMissing):
        local_chain.local_chain(home, Ports())


def test_a_program_that_was_named_is_not_replaced_by_another(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEDBOOK_ANVIL", "/nowhere/anvil")
    with pytest.raises(BinaryMissing, match="/nowhere/anvil"):
        local_chain.local_chain(home, Ports())


def test_the_chain_that_is_wanted_is_taken(home: Home) -> None:
    assert isinstance(local_chain.local_chain(home, Ports(DEEDBOOK_LOCAL_CHAIN="anvil")), EmbeddedAnvil)
    assert isinstance(local_chain.local_chain(home, Ports(DEEDBOOK_LOCAL_CHAIN="py-evm")), EmbeddedPyEvm)


@pytest.mark.parametrize("in_memory", [True, False])
async def test_everything_begins_anew_only_where_the_chain_was_in_memory(home: Home, in_memory: bool) -> None:
    said: list[str] = []
    if in_memory:
        local_chain.remember_it_is_in_memory(home, said.append)
    secret = home.secret("deedbook")
    with home.held():
        await local_chain.forget_a_lost_chain(home, said.append)
    assert (home.secret("deedbook") == secret) is not in_memory
    assert not home.chain_in_memory.exists()
    assert ["begins anew" in line for line in said] == [True, True] * in_memory


class Forgetful(Sleeper):
    keeps_data = False


async def test_a_chain_in_memory_is_not_started_again_under_those_who_rely_on_it(tmp_path: Path) -> None:
    keeper, chain = supervisor._Keeper(), Forgetful("chain", tmp_path)
    await keeper.start(chain)
    os.kill(chain.pid, signal.SIGKILL)
    with pytest.raises(supervisor.StackFailed, match="start again"):
        await keeper.watch()
