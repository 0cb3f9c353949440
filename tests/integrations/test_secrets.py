"""A-34: what is secret stays out of the logs, however it gets into a line: as a field, in a text, in an exception."""

import io
import json
import logging
import os
import subprocess
import sys
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from deedbook.chain.terms import Call, UnsignedTransaction
from deedbook.infra.telemetry import HIDDEN, redact, scrub, told_lately
from deedbook.integrations.entity_permissions.client import EntityPermissionsClient
from deedbook.integrations.entity_permissions.direct import sign
from deedbook.integrations.sapphire.accounts import Account
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.keys import LocalSigner, SigningLimits

KEY = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
HASH = "0x" + "12" * 32
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
PASSWORD = "hunter2-hunter2"
SIGNATURE = "0x" + "ab" * 65
RAW = LocalSigner(bytes.fromhex(KEY), SigningLimits(31337, 10)).sign(
    UnsignedTransaction(31337, 1, Call(None, b"\x01", 21_000), 10)
)


@pytest.mark.parametrize(
    "text",
    [
        f"key {KEY}",
        f"key 0x{KEY}",
        f"KEY={KEY.upper()}",
        f"'{KEY}'",
        f"bearer token {JWT} refused",
        f"Authorization: Bearer {KEY[:40]}",
        "authorization: Basic dXNlcjpwYXNzd29yZA==",
        f"signature {SIGNATURE}",
        f"raw 0x{RAW.raw.hex()}",
        f"connect to postgresql://deedbook:{PASSWORD}@127.0.0.1:5432/db failed",
        f"postgresql://deedbook:p@{PASSWORD}@127.0.0.1/db",
        f"redis://:{PASSWORD}@127.0.0.1",
        f"amqp://user:{PASSWORD}/with/slashes@host",
        f"host=db password={PASSWORD} user=x",
        f"password = {PASSWORD}",
        f"?api_key={PASSWORD}&x=1",
        f"client_secret={PASSWORD};",
        f"{{'password': '{PASSWORD}', 'user': 'x'}}",
        f'{{"refreshToken": "{PASSWORD}"}}',
        f'{{"access_token":"{PASSWORD}"}}',
        f"{{'SAPPHIRE_ADMIN_KEYSTORE_PASSWORD': '{PASSWORD}'}}",
        sign("webhook-secret", b"{}", 1_700_000_000),
    ],
)
def test_secrets_in_a_text_are_taken_out(text: str) -> None:
    shown = scrub(text)
    assert HIDDEN in shown
    assert_clean(shown)


def assert_clean(shown: str) -> None:
    low = shown.lower()
    pieces = [
        KEY,
        KEY[:40],
        JWT.split(".")[1],
        PASSWORD,
        "ab" * 20,
        RAW.raw.hex()[-40:],
        "dXNlcjpwYXNz".lower(),
    ]
    assert not [piece for piece in pieces if piece.lower() in low], shown


@pytest.mark.parametrize(
    "text",
    [
        "the market is active; to approve it, it would have to be pending_approval",
        "postgresql://127.0.0.1:5432/deedbook does not answer",
        "http://localhost:3000/api/v1/markets",
        "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
        "3f0c5c1e-7a67-7c3d-9c7d-0f0e2f4b1a2b",
        "the signature does not hold",
        "SAPPHIRE_ADMIN_KEYSTORE_PASSWORD: set it to open the keystore",
        "mail an operator@example.com: about it",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "DATABASE_PASSWORD",
        "secret",
        "webhook_secret",
        "private_key",
        "signature",
        "authorization",
        "token",
        "access_token",
        "refreshToken",
        "mnemonic",
        "api_key",
        "apikey",
        "raw_tx",
    ],
)
def test_fields_that_are_called_secret_are_hidden_whatever_they_hold(name: str) -> None:
    for value in (PASSWORD, [PASSWORD], {"a": PASSWORD}, PASSWORD.encode()):
        assert redact(None, "info", {name: value}) == {name: HIDDEN}
    assert redact(None, "info", {"outer": {"list": [{name: PASSWORD}]}}) == {
        "outer": {"list": [{name: HIDDEN}]}
    }


def test_fields_that_operators_need_are_shown() -> None:
    event = {
        "event": "transaction_final",
        "tx_hash": HASH,
        "block_hash": HASH,
        "sha256": "ab" * 32,
        "key": "deploy-token-3f0c5c1e-1",
        "token_symbol": "LUXAPT",
        "token_id": "t-1",
        "nonce": 7,
        "ok": True,
        "none": None,
        "address": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
        "transactions": ["a", "b"],
    }
    assert redact(None, "info", dict(event)) == event


def test_a_key_in_a_field_of_another_name_is_hidden() -> None:
    shown = redact(
        None, "info", {"key": "0x" + KEY, "value": KEY, "data": bytes.fromhex(KEY), "tx_hash": f"{KEY} {KEY}"}
    )
    assert_clean(json.dumps(shown))
    assert shown["data"] == "[32 bytes]"


def test_secret_values_and_signers_show_nothing() -> None:
    signer = LocalSigner(bytes.fromhex(KEY), SigningLimits(31337, 10))
    shown = redact(None, "info", {"setting": SecretStr(PASSWORD), "signer": signer, "nested": [signer]})
    assert_clean(json.dumps(shown))


def test_a_value_that_holds_itself_is_shown_all_the_same() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    assert redact(None, "info", {"value": endless})["value"]


PROGRAM = """
import logging
import structlog
from deedbook.infra.telemetry import configure_logging

configure_logging("test", "info")
log = structlog.get_logger("t")
KEY, JWT, PASSWORD = {key!r}, {jwt!r}, {password!r}
log.info("started", key=KEY, headers={{"Authorization": f"Bearer {{JWT}}"}})
try:
    raise RuntimeError(f"cannot connect to postgresql://me:{{PASSWORD}}@db/x with 0x{{KEY}}")
except RuntimeError:
    log.exception("failed")
    logging.getLogger("library").exception("library failed with %s", JWT)
logging.getLogger("library").warning("password=%s", PASSWORD)
"""


def test_no_line_of_a_process_shows_a_secret_not_even_in_an_exception() -> None:
    program = PROGRAM.format(key=KEY, jwt=JWT, password=PASSWORD)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env={**os.environ}
    )
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["event"].split(" ")[0] for line in lines] == [
        "started",
        "failed",
        "library",
        f"password={HIDDEN}",
    ]
    assert_clean(ended.stderr + ended.stdout)
    assert "RuntimeError: cannot connect to postgresql://" in lines[1]["exception"]
    assert "RuntimeError" in lines[2]["exception"]


async def test_the_clients_log_neither_their_bodies_nor_their_addresses(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """What our adapters say when everything goes wrong, at the most talkative level."""
    caplog.set_level(logging.DEBUG)
    failing = httpx2.MockTransport(lambda request: httpx2.Response(500, text=KEY))
    url = f"http://user:{PASSWORD}@node.test/{KEY}"
    node = SapphireClient(url, transport=failing)
    permissions = EntityPermissionsClient(url, None, timeout_s=0.2, transport=failing)
    said = io.StringIO()
    for work in (node.head, permissions.ping, lambda: node.send(RAW.raw)):
        try:
            await work()
        except Exception as error:
            said.write(f"{error!r} {error}\n")
    shown = capsys.readouterr()
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("deedbook")]
    assert_clean(said.getvalue() + shown.out + shown.err + "\n".join(ours))


def test_a_signer_at_work_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    account = Account.create()
    signer = LocalSigner(bytes(account.key), SigningLimits(31337, 10))
    signer.sign(UnsignedTransaction(31337, 1, Call(None, b"\x01", 21_000), 10))
    assert account.key.hex().removeprefix("0x") not in caplog.text


def test_a_loop_says_the_same_once_in_a_while() -> None:
    assert told_lately("what-1", 60) is False
    assert told_lately("what-1", 60) is True
    assert told_lately("what-2", 60) is False
    assert told_lately("what-1", 0) is False
