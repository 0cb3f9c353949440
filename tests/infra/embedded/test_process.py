"""The life of a server, on servers that misbehave as asked."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from deedbook.infra.embedded import AlreadyRunning, PortTaken, Server, StartFailed
from deedbook.infra.embedded.pidfile import pid_file_of
from tests.support.servers import free_port
from tests.support.waiting import eventually

from .support import is_gone, linux_only, occupied_port, wait_for

LISTEN = """
import os, signal, socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
"""
SERVE = LISTEN + "while True: listener.accept()[0].close()"
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVE
TELL = LISTEN + "print(dict(os.environ), os.getsid(0), flush=True)\nwhile True: listener.accept()[0].close()"
FAIL = "import sys; print('the disk is made of cheese'); sys.exit(3)"
SLEEP = "import time; time.sleep(60)"


class Scripted(Server):
    name = "Scripted"
    stop_signal = signal.SIGTERM

    def __init__(self, data: Path, port: int, script: str = SERVE) -> None:
        super().__init__(data, port, log_file=None, port_setting="DEEDBOOK_SCRIPTED_PORT")
        self.script = script

    def command(self) -> Sequence[str]:
        return [sys.executable, "-c", self.script, str(self.port)]

    async def is_ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@pytest.fixture
def server(open_dir: Path) -> Scripted:
    return Scripted(open_dir / "data", free_port())


async def test_it_is_polled_while_it_runs_and_after_it_stopped(server: Scripted) -> None:
    await server.start()
    assert server.poll() is None
    assert await server.stop() == -signal.SIGTERM
    assert server.poll() == -signal.SIGTERM
    assert not pid_file_of(server.data).exists()


async def test_it_starts_again_when_it_was_killed(server: Scripted) -> None:
    await server.start()
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: server.poll() is not None)
    await server.start()
    assert server.poll() is None
    await server.stop()


async def test_stop_is_harmless_when_nothing_runs(server: Scripted) -> None:
    assert await server.stop() is None


async def test_a_server_that_ignores_the_request_is_killed(server: Scripted) -> None:
    server.script = STUBBORN
    await server.start()
    assert await server.stop(timeout_s=0.2) == -signal.SIGKILL


async def test_a_server_that_ends_at_once_is_reported_with_its_last_words(server: Scripted) -> None:
    server.log_file.write_text("an older run\n")
    server.script = FAIL
    with pytest.raises(StartFailed, match=r"ended with 3.*\n.*made of cheese") as failure:
        await server.start()
    assert "an older run" not in str(failure.value)


async def test_a_server_that_never_answers_is_not_left_behind(server: Scripted) -> None:
    server.script = SLEEP
    with pytest.raises(StartFailed, match="did not answer in time"):
        await server.start(timeout_s=0.3)
    assert is_gone(server.pid)


async def test_a_cancelled_start_leaves_nothing_behind(server: Scripted) -> None:
    server.script = SLEEP
    start = asyncio.create_task(server.start())

    async def launched() -> bool:
        return server._child is not None

    await eventually(launched, "its process is there")
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert is_gone(server.pid)


async def test_a_taken_port_is_named_with_its_setting(open_dir: Path) -> None:
    with occupied_port() as port, pytest.raises(PortTaken) as refusal:
        await Scripted(open_dir / "data", port).start()
    assert str(refusal.value).startswith(f"Scripted cannot listen on 127.0.0.1:{port}: ")
    assert str(refusal.value).endswith("choose another port with DEEDBOOK_SCRIPTED_PORT")


async def test_it_sees_no_secret_of_ours_and_has_its_own_session(
    server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_HMAC_SECRET", "hush")
    server.script = TELL
    await server.start()
    wait_for(lambda: str(server.pid) in server.log_file.read_text())
    assert "hush" not in server.log_file.read_text()
    assert server.log_file.stat().st_mode & 0o077 == 0
    await server.stop()


async def test_a_second_server_on_the_same_data_is_refused_while_the_first_has_an_owner(
    server: Scripted,
) -> None:
    await server.start()
    second = Scripted(server.data, free_port())
    with pytest.raises(AlreadyRunning, match=f"as process {server.pid}: process {os.getpid()} started it"):
        await second.start()
    assert server.poll() is None
    await server.stop()


async def test_the_orphan_of_a_dead_supervisor_is_ended_first(server: Scripted) -> None:
    await server.start()
    orphan = server.pid
    pid_file = pid_file_of(server.data)
    pid_file.write_text(f"{pid_file.read_text().split()[0]} {os.getpid()}:another-birth\n")
    second = Scripted(server.data, server.port)
    await second.start()
    assert server.poll() is not None
    assert second.pid != orphan
    await second.stop()


@pytest.mark.parametrize("content", ["", "nonsense", "{pid}:0 {pid}:0", "4194304:1 4194303:1"])
async def test_a_stale_pid_file_harms_nobody(server: Scripted, content: str) -> None:
    """Its pid may be that of a process of somebody else by now: here it is our own."""
    pid_file_of(server.data).write_text(content.format(pid=os.getpid()))
    await server.start()
    assert server.poll() is None
    await server.stop()


@linux_only
async def test_it_ends_with_the_thread_that_started_it(server: Scripted) -> None:
    """Why servers are started from a thread that stays: the kernel counts threads, not processes."""
    thread = threading.Thread(target=lambda: asyncio.run(server.start()))
    thread.start()
    thread.join()
    wait_for(lambda: server.poll() is not None)
