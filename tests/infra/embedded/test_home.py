"""The data directory: one user at a time, nothing of anybody else's in it, secrets kept secret."""

import os
import signal
import stat
from pathlib import Path

import pytest

from deedbook.infra.embedded import EmbeddedValkey, Home, HomeInUse, NotAHome
from deedbook.infra.embedded.pidfile import pid_file_of
from tests.support.servers import free_port

from .support import Supervisor, root_only, wait_for

HOLD = """
import sys, time
from pathlib import Path
from deedbook.infra.embedded import Home
with Home(Path(sys.argv[1])).held():
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def home(open_dir: Path) -> Home:
    home = Home(open_dir / "home")
    home.open()
    return home


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_second_holder_is_refused_with_the_pid_of_the_first(home: Home) -> None:
    with Supervisor(HOLD, home.path) as first:
        assert first.line() == "held"
        with pytest.raises(HomeInUse, match=f"in use by process {first.process.pid}"), home.held():
            pass


def test_a_killed_holder_holds_no_more(home: Home) -> None:
    with Supervisor(HOLD, home.path) as first:
        assert first.line() == "held"
        first.kill()
    with home.held():
        pass
    with home.held():
        pass


def test_a_directory_with_other_things_in_it_is_not_taken(open_dir: Path) -> None:
    (open_dir / "thesis.tex").touch()
    with pytest.raises(NotAHome, match="it holds other files"):
        Home(open_dir).open()
    assert [entry.name for entry in open_dir.iterdir()] == ["thesis.tex"]


async def test_fresh_forgets_everything_of_ours(home: Home) -> None:
    with home.held():
        secret = home.secret("postgres")
        home.anvil_state.write_text("{}")
        await home.fresh()
        assert home.secret("postgres") != secret
        assert not home.anvil_state.exists()


async def test_fresh_deletes_nothing_without_the_marker(home: Home) -> None:
    with home.held():
        (home.path / "deedbook-home").unlink()
        home.anvil_state.write_text("{}")
        with pytest.raises(NotAHome, match="nothing was deleted"):
            await home.fresh()
    assert home.anvil_state.exists()


async def test_fresh_does_not_follow_a_link_out_of_the_home(home: Home, open_dir: Path) -> None:
    outside = open_dir / "precious"
    outside.mkdir()
    (outside / "file").touch()
    (home.path / "link").symlink_to(outside)
    with home.held():
        await home.fresh()
    assert (outside / "file").exists()
    assert not (home.path / "link").exists()


async def test_fresh_ends_the_servers_that_a_dead_parent_left(home: Home) -> None:
    with home.held():
        server = EmbeddedValkey(home.valkey_data, free_port(), home.secret("valkey"))
        await server.start()
        pid_file = pid_file_of(server.data)
        pid_file.write_text(f"{pid_file.read_text().split()[0]} {os.getpid()}:another-birth\n")
        await home.fresh()
        wait_for(lambda: server.poll() is not None)
        assert server.poll() == 0
        assert not server.data.exists()


def test_a_secret_is_made_once_and_readable_by_nobody_else(home: Home) -> None:
    secret = home.secret("postgres")
    assert len(secret) >= 32
    assert home.secret("postgres") == secret
    assert home.secret("valkey") != secret
    assert mode_of(home.path / "secrets") == 0o700
    assert mode_of(home.path / "secrets" / "postgres") == 0o600
    assert [entry.name for entry in (home.path / "secrets").glob("postgres*")] == ["postgres"]


def test_the_environment_chooses_the_home(open_dir: Path) -> None:
    assert Home.locate({"DEEDBOOK_HOME": str(open_dir / "here")}).path == open_dir / "here"
    assert Home.locate({}).path.name == ".deedbook"


def test_postgres_lives_in_an_open_home(home: Home) -> None:
    assert home.postgres_data() == home.path / "postgres" / "data"


@root_only
def test_postgres_lives_elsewhere_when_its_account_cannot_enter_the_home(
    closed_dir: Path, open_dir: Path
) -> None:
    home = Home(closed_dir / "home", outside=open_dir)
    home.open()
    elsewhere = home.postgres_data()
    assert elsewhere.parent.parent == open_dir
    assert (home.path / "postgres.location").read_text().strip() == str(elsewhere.parent)
    closed_dir.chmod(0o755)
    assert home.postgres_data() == elsewhere, "what was decided stays decided"


@root_only
def test_a_moved_clone_finds_its_data_again(closed_dir: Path, open_dir: Path) -> None:
    home = Home(closed_dir / "home", outside=open_dir)
    home.open()
    elsewhere = home.postgres_data()
    home.path.rename(closed_dir / "moved")
    assert Home(closed_dir / "moved", outside=open_dir).postgres_data() == elsewhere


@root_only
async def test_fresh_empties_the_other_place_only_if_it_carries_our_id(
    closed_dir: Path, open_dir: Path
) -> None:
    home = Home(closed_dir / "home", outside=open_dir)
    with home.held():
        elsewhere = home.postgres_data()
        elsewhere.mkdir()
        await home.fresh()
        assert not elsewhere.exists()
        elsewhere.mkdir()
        (elsewhere.parent / "deedbook-home").write_text("somebody else\n")
        with pytest.raises(NotAHome, match="does not carry the id"):
            await home.fresh()
        assert elsewhere.exists()


def test_a_signal_to_the_terminal_is_not_needed_to_let_go(home: Home) -> None:
    with Supervisor(HOLD, home.path) as first:
        assert first.line() == "held"
        first.process.send_signal(signal.SIGINT)
        first.process.wait()
    with home.held():
        pass
