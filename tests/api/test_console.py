"""The console over HTTP: its files, its pages, the headers that guard them, and whom one may be on a local stack."""

import gzip
from pathlib import Path

import pytest

from deedbook.api.shelf import Shelf
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.infra.settings import Settings, SettingsError, load_settings
from deedbook.stack.wallet import Wallet
from tests.api.support import ROOT, refused
from tests.support.servers import PostgresServer
from tests.support.world import World, open_world, test_settings

KEY = "0x" + "5a" * 32
PAGE, SCRIPT = b"<!doctype html><title>Deedbook</title>", b"console.log(1)"


@pytest.fixture
def built(tmp_path: Path, shared: World) -> Shelf:
    """A console of three files on the shelf."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(PAGE)
    (tmp_path / "assets" / "index-abc.js").write_bytes(SCRIPT)
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / ".deedbook").write_text("a stamp of the build")
    shelf: Shelf = shared.app.state.shelf
    shared.app.state.shelf = Shelf.read(tmp_path)
    return shelf


@pytest.fixture(autouse=True)
def put_back(shared: World) -> object:
    shelf = shared.app.state.shelf
    yield
    shared.app.state.shelf = shelf


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path",
    ["/app", "/app/", "/app/markets", "/app/trade/LUXAPT-USDC", "/app/a/b/c", "/app/audit?action=x&of=y"],
)
async def test_page_is_shown_when_only_the_browser_knows_its_address(shared: World, path: str) -> None:
    answer = await shared.http.get(ROOT + path)
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.usefixtures("built")
async def test_page_runs_nothing_but_its_own_files_when_it_is_shown(shared: World) -> None:
    headers = (await shared.http.get(f"{ROOT}/app")).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "require-trusted-types-for": "'script'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert len(headers.get_list("Content-Security-Policy")) == 1


@pytest.mark.usefixtures("built")
async def test_file_is_kept_for_ever_when_its_name_changes_with_it(shared: World) -> None:
    script = await shared.http.get(f"{ROOT}/app/assets/index-abc.js", headers={"Accept-Encoding": "gzip"})
    assert script.content == SCRIPT and script.headers["Content-Encoding"] == "gzip"
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert script.headers["Content-Type"].startswith("text/javascript")
    plain = await shared.http.get(f"{ROOT}/app/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert plain.content == SCRIPT and "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == "Accept-Encoding"


@pytest.mark.usefixtures("built")
async def test_file_is_not_sent_again_when_the_browser_has_it(shared: World) -> None:
    first = await shared.http.get(f"{ROOT}/app/icon.svg")
    again = await shared.http.get(f"{ROOT}/app/icon.svg", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path",
    [
        "/app/assets/index-old.js",
        "/app/assets/nothing",
        "/app/missing.png",
        "/app/.deedbook",
        "/app/..%2f..%2fapp.py",
        "/app/%2e%2e/%2e%2e/settings.py",
        "/app/assets/../../secret.txt",
    ],
)
async def test_nothing_is_found_when_no_such_file_was_built(shared: World, path: str) -> None:
    answer = await shared.http.get(ROOT + path)
    refused(answer, 404, "not_found")


async def test_newcomer_is_told_how_to_build_it_when_nothing_was_built(shared: World, tmp_path: Path) -> None:
    shared.app.state.shelf = Shelf.read(tmp_path)
    for path in ("/app", "/app/markets"):
        answer = await shared.http.get(ROOT + path)
        assert answer.status_code == 200 and "make console" in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_browser_is_led_to_the_console_when_it_asks_for_nothing_more(shared: World) -> None:
    answer = await shared.http.get(f"{ROOT}/")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/app")


@pytest.mark.usefixtures("built")
async def test_page_is_opened_by_the_name_that_one_signs_for_when_it_is_asked_for_by_number(
    shared: World,
) -> None:
    answer = await shared.http.get("http://127.0.0.1:3000/app/trade/LUXAPT-USDC?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (307, f"{ROOT}/app/trade/LUXAPT-USDC?x=1")
    assert (await shared.http.get("http://127.0.0.1:3000/app/icon.svg")).status_code == 200
    assert (await shared.http.get("http://10.0.0.7:3000/app")).status_code == 200


def test_packed_file_is_the_same_when_it_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_bytes(PAGE * 50)
    piece = Shelf.read(tmp_path).find("")
    assert piece is not None and piece.packed is not None
    assert gzip.decompress(piece.packed) == PAGE * 50 and len(piece.packed) < len(PAGE) * 5


# Whom one may be


async def test_nobody_is_offered_when_the_stack_has_no_demo_wallets(shared: World) -> None:
    assert (await shared.http.get(f"{ROOT}/app/demo-people")).json() == {"people": []}


async def test_people_are_offered_with_their_keys_when_the_chain_is_local(
    postgres: PostgresServer, valkey: EmbeddedValkey
) -> None:
    dsn = await postgres.new_database()
    wallets = f"investor={KEY},stranger={KEY}"
    async with open_world(dsn, valkey.url(), DEEDBOOK_DEMO_WALLETS=wallets) as world:
        told = (await world.http.get(f"{ROOT}/app/demo-people")).json()["people"]
        by_number = await world.http.get("http://10.0.0.7:3000/app/demo-people")
        led_here = await world.http.get("http://rebound.example:3000/app/demo-people")
    await postgres.drop(dsn)
    assert (by_number.json()["people"], led_here.json()["people"]) == (told, [])
    [alice] = told
    assert (alice["name"], alice["privateKey"], alice["chainId"]) == ("Alice", KEY, 31337)
    assert alice["address"] == Wallet.from_key(bytes.fromhex(KEY[2:])).address


def test_nobody_is_offered_when_others_see_the_chain() -> None:
    settings = test_settings("postgresql://x/y", "redis://x", DEEDBOOK_DEMO_WALLETS=f"investor={KEY}")
    assert settings.demo_wallets == {"investor": KEY}
    public = Settings(**{**settings.model_dump(), "SAPPHIRE_CHAIN_ID": 23295})
    assert public.demo_wallets == {}


def test_production_does_not_start_when_there_are_demo_wallets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEDBOOK_ENV", "production")
    monkeypatch.setenv("DEEDBOOK_DEMO_WALLETS", f"investor={KEY}")
    with pytest.raises(SettingsError, match="DEEDBOOK_DEMO_WALLETS is refused in production"):
        load_settings()
    monkeypatch.delenv("DEEDBOOK_ENV")
    monkeypatch.setenv("DEEDBOOK_DEMO_WALLETS", "investor=secret")
    with pytest.raises(SettingsError, match=r"DEEDBOOK_DEMO_WALLETS: .*32 bytes of hex"):
        load_settings()
