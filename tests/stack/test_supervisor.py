"""The keeper: parts are started again on their own, until one falls over too often; and the shared environment."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from deedbook.infra.embedded import Home, PortTaken, Server
from deedbook.infra.settings import Settings, SettingsError
from deedbook.stack import environment, supervisor
from deedbook.stack.ports import Ports
from deedbook.stack.processes import DeedbookProcess
from deedbook.stack.supervisor import StackFailed, StoppedEarly
from tests.support.waiting import eventually, under_way


class Sleeper(Server):
    """A server that does nothing for a minute; `blocked` keeps it from becoming ready."""

    stop_signal = signal.SIGTERM

    def __init__(self, name: str, directory: Path, seconds: str = "60") -> None:
        self.name = name  # type: ignore[misc]  # one class, several servers
        super().__init__(directory / name, 0, log_file=None, port_setting="")
        self.seconds = seconds
        self.blocked = False

    def command(self) -> Sequence[str]:
        return ["/bin/sleep", self.seconds]

    async def is_ready(self) -> bool:
        return not self.blocked


@pytest.fixture
async def keeper() -> AsyncIterator[supervisor._Keeper]:
    made = supervisor._Keeper()
    yield made
    await made.stop()


async def test_part_is_started_again_while_another_is_still_starting(
    tmp_path: Path, keeper: supervisor._Keeper
) -> None:
    """The API becomes ready only when its database is there, which may be what fell over meanwhile."""
    waiting, needed = Sleeper("waiting", tmp_path), Sleeper("needed", tmp_path)
    for server in (waiting, needed):
        await keeper.start(server)
    waiting.blocked = True
    async with under_way(keeper.watch()):
        first = waiting.pid
        os.kill(first, signal.SIGKILL)

        async def is_starting() -> bool:
            return waiting.poll() is None and waiting.pid != first

        await eventually(is_starting, "the first one starts again")
        former = needed.pid
        os.kill(former, signal.SIGKILL)

        async def again() -> bool:
            return needed.poll() is None and needed.pid != former

        await eventually(again, "the needed one runs again")


async def test_keeper_gives_up_when_a_part_keeps_falling_over(
    tmp_path: Path, keeper: supervisor._Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "RESTARTS_MAX", 3)
    monkeypatch.setattr(supervisor, "RESTART_PAUSE_S", 0.01)
    healthy, doomed = Sleeper("healthy", tmp_path), Sleeper("doomed", tmp_path)
    for server in (healthy, doomed):
        await keeper.start(server)
    doomed.seconds = "0.01"
    os.kill(doomed.pid, signal.SIGKILL)
    with pytest.raises(StackFailed, match="doomed keeps falling over"):
        await asyncio.wait_for(keeper.watch(), 10)
    assert healthy.poll() is None
    await keeper.stop()
    assert healthy.poll() is not None


async def test_nothing_is_started_again_when_the_keeper_stops(
    tmp_path: Path, keeper: supervisor._Keeper
) -> None:
    servers = [Sleeper(name, tmp_path) for name in ("one", "two")]
    for server in servers:
        await keeper.start(server)
    watching = asyncio.create_task(keeper.watch())
    await asyncio.sleep(0.3)
    await supervisor._end(watching)
    await keeper.stop()
    await asyncio.sleep(0.5)
    assert [server.poll() for server in servers] == [-signal.SIGTERM] * 2


async def test_other_starts_are_ended_when_one_fails(tmp_path: Path) -> None:
    slow, broken = Sleeper("slow", tmp_path), Sleeper("broken", tmp_path)
    slow.blocked = True

    async def fail() -> None:
        await broken.start()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await supervisor._together(slow.start(), fail())
    assert slow.poll() is not None
    await broken.stop()


async def test_start_ends_when_it_is_told_to_stop_first(tmp_path: Path) -> None:
    stopping, slow = asyncio.Event(), Sleeper("slow", tmp_path)
    slow.blocked = True
    asyncio.get_running_loop().call_later(0.2, stopping.set)
    with pytest.raises(StoppedEarly):
        await asyncio.wait_for(supervisor._unless(stopping, slow.start()), 5)
    assert slow.poll() is not None


@pytest.mark.skipif(sys.platform != "linux", reason="only there is all of 127/8 the loopback")
async def test_port_counts_as_taken_where_the_process_will_listen(tmp_path: Path) -> None:
    """`HOST=0.0.0.0` cannot be had while a stranger listens on any one address."""
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        api = DeedbookProcess("api", tmp_path, tmp_path / "log", {}, host="0.0.0.0", port=port)
        with pytest.raises(PortTaken, match=rf"0\.0\.0\.0:{port}.* PORT$"):
            await api.make_way()
        narrow = DeedbookProcess("api", tmp_path, tmp_path / "log", {}, port=port)
        await narrow.make_way()


# The environment that the processes share


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("DEEDBOOK_HOME", str(tmp_path / "home"))
    located = Home.locate()
    located.open()
    return located


def test_part_is_ours_to_start_unless_the_environment_names_one() -> None:
    assert environment.embedded_parts(Settings()) == environment.Embedded(True, True, True, True, True)
    named = Settings(
        DATABASE_URL="postgresql://u@db/x",
        REDIS_URL="redis://cache",
        SAPPHIRE_RPC_URL="http://chain",
        SAPPHIRE_ADMIN_KEY="11" * 32,
        ENTITY_PERMISSIONS_BASE_URL="http://permissions",
        KYC_BASE_URL="http://kyc",
    )
    assert environment.embedded_parts(named) == environment.Embedded(False, False, False, False, False)


def test_real_chain_is_refused_when_nobody_gave_its_key() -> None:
    with pytest.raises(SettingsError, match="SAPPHIRE_ADMIN_KEY"):
        environment.embedded_parts(Settings(SAPPHIRE_RPC_URL="http://chain"))


def test_real_chain_never_meets_the_development_key(home: Home) -> None:
    named = Settings(SAPPHIRE_RPC_URL="http://chain", SAPPHIRE_ADMIN_KEY="11" * 32)
    shared = environment.shared_environment(home, named, Ports(), {})
    assert "SAPPHIRE_ADMIN_KEY" not in shared
    assert "SAPPHIRE_CHAIN_ID" not in shared


def test_secrets_stay_the_same_when_the_stack_starts_again(home: Home) -> None:
    first, second = (environment.shared_environment(home, Settings(), Ports(), {}) for _ in range(2))
    assert first == second
    assert len(first["DEEDBOOK_SECRET"]) >= 32
    given = environment.shared_environment(home, Settings(DEEDBOOK_SECRET="mine"), Ports(), {})
    assert "DEEDBOOK_SECRET" not in given


def test_environment_is_adopted_only_while_a_stack_runs(home: Home) -> None:
    environment.remember(home, {"DATABASE_URL": "postgresql://theirs", "PORT": "4000"})
    assert (home.path / "secrets" / environment.FILE).stat().st_mode & 0o077 == 0
    mine = {"PORT": "5000"}
    assert environment.adopt_running_stack(mine) is False
    assert mine == {"PORT": "5000"}
    with home.held():
        assert environment.adopt_running_stack(mine) is True
    assert mine == {"PORT": "5000", "DATABASE_URL": "postgresql://theirs"}
    environment.forget(home)
    with home.held():
        assert environment.adopt_running_stack({}) is False
