"""The bench of the lifecycle, small: that it measures what it says, on a stack of its own and on one that runs."""

import json

import pytest

from tests.support.running import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SMALL = (
    "bench",
    "registration",
    "--json",
    "--markets",
    "4",
    "--per-s",
    "20",
    "--burst",
    "6",
    "--issuers",
    "2",
)


async def test_it_measures_on_a_stack_of_its_own_whose_limits_are_lifted() -> None:
    terminal = Terminal.new()
    try:
        ended = await terminal.command(*SMALL)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        told = json.loads(ended.stdout.splitlines()[-1])
        await terminal.nothing_is_left()
    finally:
        terminal.close()
    assert (told["name"], told["unit"], told["truths"]) == ("registration", "registrations/s", True)
    counts = {entry["name"]: entry["count"] for entry in told["rounds"]}
    assert counts == {"register": 4, "register, all at once": 6, "approve": 4, "activate": 2}
    assert all(0 < entry["p50Ms"] <= entry["p99Ms"] <= entry["maxMs"] for entry in told["rounds"])
    assert {"api", "worker", "relay", "postgres", "valkey", "bench"} <= told["cpuUsPerUnit"].keys()
    assert told["cpuUsPerUnit"]["api"] > 0


async def test_it_says_so_when_the_limits_of_a_running_stack_are_in_its_way() -> None:
    terminal = Terminal.new()
    try:
        await terminal.up(RATE_LIMIT_WRITES="3")
        ended = await terminal.command(*SMALL)
        assert ended.returncode == 1, ended.stdout + ended.stderr
        assert "RATE_LIMIT_" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert await terminal.ready(), "and the stack goes on"
    finally:
        terminal.close()


async def test_it_is_refused_in_production() -> None:
    terminal = Terminal.new()
    try:
        terminal.environ |= {
            "DEEDBOOK_ENV": "production",
            "DATABASE_URL": "postgresql://u@db/x",
            "REDIS_URL": "redis://cache",
            "SAPPHIRE_RPC_URL": "http://chain",
            "SAPPHIRE_CHAIN_ID": "23294",
            "SAPPHIRE_ADMIN_KEY": "11" * 32,
            "ENTITY_PERMISSIONS_BASE_URL": "http://permissions",
            "KYC_BASE_URL": "https://kyc.example",
            "KYC_API_KEY": "k" * 32,
            "DEEDBOOK_SECRET": "s" * 32,
            "SIWE_DOMAIN": "deedbook.example",
        }
        ended = await terminal.command(*SMALL)
    finally:
        terminal.close()
    assert ended.returncode == 1
    assert "not in production" in ended.stderr
