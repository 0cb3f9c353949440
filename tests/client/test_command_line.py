"""`deedbook` for people: orders, books and balances at a real server, and what it says where the answer is no."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deedbook.cli import app
from deedbook.cli.asking import HINTS
from deedbook.cli.profiles import Profile, ProfileError, chosen, keep, profiles_file, signer_of, stored
from deedbook.client.errors import DeedbookError
from deedbook.identity import Role
from deedbook.stack.demo_keys import ROLES
from tests.api.loopback import serving
from tests.support.floor import Floor
from tests.support.world import User


@pytest.fixture(scope="module")
async def address(shared_floor: Floor) -> AsyncIterator[str]:
    async with serving(shared_floor.world) as address:
        yield address


@pytest.fixture(autouse=True)
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Profiles and sessions of the test's own."""
    environ = {"DEEDBOOK_PROFILES": str(tmp_path / "profiles.json")}
    monkeypatch.setenv("DEEDBOOK_PROFILES", environ["DEEDBOOK_PROFILES"])
    return environ


async def run(address: str, user: User | None, *arguments: str, **more: str) -> Any:
    """What a command prints as JSON."""
    key = {"DEEDBOOK_KEY": user.wallet.private_key.hex()} if user else {}
    env = {"DEEDBOOK_URL": address, "DEEDBOOK_PROFILE": "", "DEEDBOOK_API_KEY": "", "DEEDBOOK_KEY": "", **key}
    told = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--json"], env={**env, **more})
    assert told.exception is None, told.exception
    return json.loads(told.stdout.splitlines()[-1])


async def test_a_person_trades_from_the_command_line(floor: Floor, address: str) -> None:
    buyer, seller, pair = await floor.investor("1000"), await floor.investor(deeds="10"), floor.spec.symbol
    offered = await run(address, seller, "order", "place", pair, "SELL", "2", "100")
    assert (offered["status"], offered["price"]) == ("PENDING_MATCH", "100")
    preview = await run(address, buyer, "order", "preview", pair, "BUY", "1", "101")
    assert (preview["allowed"], preview["hold"]) == (True, "101")
    bought = await run(address, buyer, "order", "place", pair, "BUY", "1", "101")
    await floor.match()
    assert (await run(address, buyer, "order", "show", bought["id"]))["status"] == "FILLED"
    assert (await run(address, None, "book", "show", pair))["asks"] == [["100", "1"]]
    [trade] = (await run(address, buyer, "order", "trades"))["data"]
    assert trade["orderId"] == bought["id"]
    assert [order["id"] for order in (await run(address, seller, "order", "list"))["data"]] == [offered["id"]]
    await run(address, seller, "order", "reduce", offered["id"], "0.5")
    await run(address, seller, "order", "cancel", offered["id"])
    await floor.match()
    assert await run(address, seller, "order", "cancel", "--all") == {"cancelled": 0}
    held = {entry["symbol"]: entry for entry in (await run(address, buyer, "balance"))["data"]}
    assert held[floor.till.deed.symbol]["total"] == "0.9975"
    assert (await run(address, buyer, "whoami"))["userId"] == str(buyer.user_id)
    assert pair in {entry["symbol"] for entry in (await run(address, None, "book", "list"))["data"]}


async def test_a_person_swaps_from_the_command_line(floor: Floor, address: str) -> None:
    buyer, seller, pair = await floor.investor("1000"), await floor.investor(deeds="10"), floor.spec.symbol
    await floor.place(seller, "SELL", price="100", quantity="5")
    await floor.match()
    quoted = await run(address, None, "swap", "quote", pair, "BUY", "50", "--tolerance", "0")
    assert (quoted["amountIn"], quoted["amountOut"]) == ("50", "0.49875")
    placed = await run(address, buyer, "swap", "place", pair, "BUY", "50", quoted["amountOut"])
    suggested = await run(address, buyer, "swap", "place", pair, "BUY", "50")
    assert (placed["status"], placed["minAmountOut"]) == ("PENDING_MATCH", "0.49875")
    assert Decimal(suggested["minAmountOut"]) < Decimal(placed["minAmountOut"])
    await floor.match()
    shown = await run(address, buyer, "swap", "show", placed["id"])
    assert (shown["status"], shown["amountUsed"], len(shown["fills"])) == ("FILLED", "50", 1)
    found = (await run(address, buyer, "swap", "list"))["data"]
    assert [entry["id"] for entry in found] == [suggested["id"], placed["id"]]


async def test_a_person_makes_a_key_for_a_program_and_ends_it(floor: Floor, address: str) -> None:
    owner, pair = await floor.investor("1000"), floor.spec.symbol
    made = await run(
        address, owner, "key", "create", "bot", "--scope", "read", "--scope", "trade", "--days", "7"
    )
    text = made["apiKey"]
    assert made["key"]["scopes"] == ["read", "trade"]
    assert (await run(address, None, "whoami", DEEDBOOK_API_KEY=text))["userId"] == str(owner.user_id)
    placed = await run(address, owner, "order", "place", pair, "BUY", "1", "90", DEEDBOOK_API_KEY=text)
    listed = await run(address, None, "order", "list", DEEDBOOK_API_KEY=text)
    assert [order["id"] for order in listed["data"]] == [placed["id"]]
    ended = await run(address, owner, "key", "revoke", made["key"]["id"])
    assert ended["revokedAt"] is not None
    assert [key["name"] for key in (await run(address, owner, "key", "list"))["data"]] == ["bot"]


async def test_a_keys_text_is_shown_to_a_person_once(floor: Floor, address: str) -> None:
    owner = await floor.investor()
    env = {"DEEDBOOK_URL": address, "DEEDBOOK_KEY": owner.wallet.private_key.hex(), "DEEDBOOK_API_KEY": ""}
    told = await asyncio.to_thread(CliRunner().invoke, app, ["key", "create", "bot"], env=env)
    assert told.exception is None and told.stdout.count("dbk_") == 1 and "Keep it now" in told.stdout
    listed = await asyncio.to_thread(CliRunner().invoke, app, ["key", "list"], env=env)
    assert "bot" in listed.stdout and "dbk_" not in listed.stdout


async def test_a_book_is_watched_as_it_is(floor: Floor, address: str) -> None:
    buyer, pair = await floor.investor("1000"), floor.spec.symbol
    await floor.place(buyer, price="97.5")
    await floor.match()
    seen = await run(address, None, "book", "watch", pair, "--changes", "1")
    assert (seen["bids"], seen["asks"]) == ([["97.5", "1"]], [])
    env = {"DEEDBOOK_URL": address, "COLUMNS": "100"}
    drawn = await asyncio.to_thread(
        CliRunner().invoke, app, ["book", "watch", pair, "--changes", "1"], env=env
    )
    assert "97.5" in drawn.stdout and pair in drawn.stdout


def test_a_profile_keeps_who_one_is_and_no_key(environ: dict[str, str], tmp_path: Path) -> None:
    key = tmp_path / "my.key"
    key.write_text("11" * 32)
    key.chmod(0o600)
    keep("main", Profile(url="https://deedbook.example", key_file=str(key)), environ)
    keep("demo", Profile(role="investor"), environ)
    file = profiles_file(environ)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and "11" * 8 not in file.read_text()
    assert stored(environ).keys() == {"main", "demo"}
    found = chosen("main", environ={**environ, "DEEDBOOK_KEY": "22" * 32})
    signer = signer_of(found)
    assert signer is not None and signer.address == "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
    assert chosen("", "issuer", environ={**environ, "DEEDBOOK_PROFILE": "main"}).role == "issuer"
    assert chosen(environ={**environ, "DEEDBOOK_PROFILE": "demo"}).role == "investor"


def test_a_key_that_others_can_read_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    key = tmp_path / "my.key"
    key.write_text("11" * 32)
    key.chmod(0o644)
    with pytest.raises(ProfileError, match="chmod 600"):
        signer_of(Profile(key_file=str(key)))
    with pytest.raises(ProfileError, match="no profile 'nobody'"):
        chosen("nobody", environ=environ)
    with pytest.raises(ProfileError, match="address alone"):
        keep("bad", Profile(url="https://x.example/api?token=1"), environ)
    assert "22" * 32 not in repr(Profile(key="22" * 32, token="t"))


def test_a_new_key_is_made_for_its_owner_alone(environ: dict[str, str]) -> None:
    told = CliRunner().invoke(app, ["profile", "add", "me", "--new-key"], env=environ)
    assert told.exception is None and "me is 0x" in told.stdout
    made = Path(stored(environ)["me"].key_file)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    again = CliRunner().invoke(app, ["profile", "add", "me", "--new-key"], env=environ)
    assert again.exit_code == 2 and signer_of(stored(environ)["me"]) is not None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["balance", "--url", "http://127.0.0.1:1"], ["does not answer", "make up"]),
        (["order", "place", "A-B", "BUY", "1e3", "1", "--url", "http://127.0.0.1:1"], ["--as investor"]),
    ],
)
def test_what_goes_wrong_is_said_in_a_line_with_what_to_do(
    arguments: list[str], says: list[str], environ: dict[str, str]
) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("DEEDBOOK_")} | environ
    command = [sys.executable, "-m", "deedbook", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr, ended.stderr
    assert all(said in ended.stderr for said in says), ended.stderr


def test_every_hint_is_for_a_code_that_there_is() -> None:
    assert HINTS.keys() <= DeedbookError.by_code.keys()


async def test_commands_share_a_session_and_begin_another_when_it_has_ended(
    floor: Floor, address: str, environ: dict[str, str]
) -> None:
    buyer = await floor.investor("1")

    async def sessions() -> int:
        [row] = await floor.rows(
            "SELECT count(*) FROM sessions WHERE user_id = $1 AND revoked_at IS NULL", buyer.user_id
        )
        return int(row["count"])

    before = await sessions()
    for _ in range(3):
        await run(address, buyer, "balance", **environ)
    assert await sessions() == before + 1
    kept = profiles_file(environ).with_name("sessions.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.write_text(json.dumps(dict.fromkeys(json.loads(kept.read_text()), "run-out")))
    await run(address, buyer, "balance", **environ)
    assert await sessions() == before + 2


def test_there_is_a_demo_wallet_for_each_role() -> None:
    assert set(ROLES) == {role.value for role in Role}
