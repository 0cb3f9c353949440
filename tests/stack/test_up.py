"""`deedbook up` and what can be done beside it: one at a time, restarted parts, a clean end, and going on."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.support.running import PORTS, RUNNING, Terminal, children_by_name, processes_of
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[Terminal]:
    """A home in which `up` runs, for the tests that leave it running."""
    terminal = Terminal.new()
    try:
        await terminal.up()
        yield terminal
    finally:
        terminal.close()


@pytest.fixture(scope="module")
async def used() -> AsyncIterator[Terminal]:
    """A home in which `up` ran and made a market; between tests nothing runs in it."""
    terminal = Terminal.new()
    try:
        made = await terminal.command("demo", "--json", "--exit")
        assert made.returncode == 0, made.stdout + made.stderr
        yield terminal
    finally:
        terminal.close()


# Beside one that runs


async def test_second_up_says_that_one_runs_and_names_it(running: Terminal) -> None:
    second = await running.command("up")
    assert second.returncode == 3
    (holder,) = re.findall(r"process (\d+)", second.stderr)
    assert int(holder) == running._started[0].process.pid
    assert "DEEDBOOK_HOME" in second.stderr
    assert await running.ready(), "and the first one does not mind"


async def test_demo_uses_the_stack_that_runs(running: Terminal) -> None:
    for _ in range(2):
        shown = await running.command("demo", "--json")
        assert shown.returncode == 0, shown.stdout + shown.stderr
        story = json.loads(shown.stdout.splitlines()[-1])
        assert story["truths"] is True
        assert story["market"]["status"] == "active"
        assert [trade["settlementStatus"] for trade in story["trades"]] == ["SETTLED"] * 2
        assert all(re.fullmatch(r"0x[0-9a-f]{64}", trade["txHash"]) for trade in story["trades"])
        assert story["settlement"]["gasPerTrade"] > 0
        assert (story["swap"]["status"], story["swap"]["settlementStatus"]) == ("FILLED", "SETTLED")
    assert await running.ready()


async def test_commands_beside_it_find_their_way(running: Terminal) -> None:
    checked = await running.command("check")
    assert checked.returncode == 0, checked.stderr
    token = await running.command("login", "issuer")
    assert token.returncode == 0, token.stderr
    assert token.stdout.count(".") == 2
    deployed = await running.command("chain", "deploy")
    assert deployed.returncode == 0, deployed.stderr
    assert deployed.stdout.count("0x") == 4


async def test_investors_of_the_demo_have_play_money_when_nobody_gave_them_any(running: Terminal) -> None:
    login = await running.command("login", "investor")
    headers = {"Authorization": f"Bearer {login.stdout.split()[-1]}"}
    api = f"{running.api_url}/api/v1"
    async with httpx2.AsyncClient(headers=headers, timeout=10, trust_env=False) as http:
        token = (await http.get(f"{api}/tokens/USDC")).raise_for_status().json()

        async def has_money() -> bool:
            terms = (await http.get(f"{api}/deposits/terms/{token['id']}")).raise_for_status().json()
            return float(terms["held"]) > 0

        await eventually(has_money, "the wallet has dollars", within_s=30)


async def test_child_is_started_again_when_it_is_killed(running: Terminal) -> None:
    """All of them at once, servers and processes of ours."""
    names = {
        "PostgreSQL": "bin/postgres -D",
        "Valkey": "valkey-server",
        "Anvil": "anvil --host",
        "api": "deedbook api",
        "worker": "deedbook worker",
        "relay": "deedbook relay",
        "scheduler": "deedbook scheduler",
        "permissions": "deedbook permissions",
        "kyc": "deedbook kyc",
    }
    await eventually(running.ready, "everything runs")
    before = children_by_name(running.home, names)
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)

    async def all_again() -> bool:
        living = processes_of(running.home).values()
        return all(any(piece in command for command in living) for piece in names.values())

    await eventually(all_again, "each part was started again", within_s=30)
    await eventually(running.ready, "everything answers again", within_s=30)
    after = children_by_name(running.home, names)
    assert all(after[name] != before[name] for name in names)
    shown = await running.command("demo", "--json", within_s=180)
    assert shown.returncode == 0, shown.stdout + shown.stderr


# Ending and going on


async def test_everything_ends_cleanly_when_it_is_told_to_and_goes_on_later(used: Terminal) -> None:
    up = await used.up()
    markets = await used.markets()
    assert markets["LUXAPT"]
    assert await up.stop(signal.SIGINT) == 0
    await used.nothing_is_left()
    again = await used.up()
    assert await used.markets() == markets
    checked = await used.command("check")
    assert checked.returncode == 0, checked.stderr
    assert await again.stop(signal.SIGTERM) == 0
    await used.nothing_is_left()


async def test_nothing_is_left_and_all_goes_on_when_up_is_killed(used: Terminal) -> None:
    up = await used.up()
    markets = await used.markets()
    up.kill()
    again = await used.up()
    assert await used.markets() == markets
    assert (await used.command("check")).returncode == 0
    again.kill()
    await used.nothing_is_left(within_s=30)


@pytest.mark.parametrize("after", ["Starting PostgreSQL", "Deploying the platform", "Starting the API"])
async def test_everything_ends_soon_when_it_is_told_to_before_it_has_started(
    used: Terminal, after: str
) -> None:
    up = used.start("up")
    await up.says(after)
    await asyncio.sleep(0.2)
    assert await up.stop(within_s=10) == 0
    assert RUNNING not in up.log.read_text()
    await used.nothing_is_left()


async def test_everything_starts_over_when_fresh_is_asked_for(used: Terminal) -> None:
    up = await used.up("--fresh")
    assert await used.markets() == {}
    shown = await used.command("demo", "--json")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert await up.stop() == 0


@pytest.mark.parametrize("name", PORTS)
async def test_taken_port_is_named_with_its_variable(used: Terminal, name: str) -> None:
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # over what lately closed there
        stranger.bind(("127.0.0.1", int(used.environ[name])))
        stranger.listen()
        ended = await used.command("up")
    assert ended.returncode == 1, ended.stderr
    assert f"127.0.0.1:{used.environ[name]}" in ended.stderr
    assert ended.stderr.rstrip().endswith(f"choose another port with {name}")
    assert "Starting" not in ended.stderr, "nothing is started in vain"
    assert "Traceback" not in ended.stderr
    await used.nothing_is_left()


async def test_what_a_killed_stack_left_behind_is_not_taken_over(used: Terminal) -> None:
    up = await used.up()
    up.kill()
    await used.nothing_is_left(within_s=30)
    ended = await used.command("check")
    assert ended.returncode == 1
    assert "deedbook: set " in ended.stderr
