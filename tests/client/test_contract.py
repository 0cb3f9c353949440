"""The client's answers and exceptions against what the API publishes, and what importing the client costs."""

import json
import subprocess
import sys
import types
from dataclasses import MISSING, fields
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from deedbook.api.errors import status_of
from deedbook.client import answers
from deedbook.client.answers.marketdata import Ticker
from deedbook.client.errors import DeedbookError
from deedbook.client.reading import wire_name
from deedbook.kernel.errors import Refusal
from deedbook.stack.pages import LOADED
from tests.api.snapshot import SNAPSHOT, SOCKET_SNAPSHOT

SCHEMAS: dict[str, Any] = json.loads(SNAPSHOT.read_text())["components"]["schemas"]
NAMES = {
    "Me": "MeAnswer",
    "Book": "DepthAnswer",
    "Token": "TokenDetailsAnswer",
    "Trade": "MyTrade",
    "PublicTrade": "PublicTrade",
    "Exchange": "ExchangeInfo",
    "ServerTime": "TimeAnswer",
    "PairSide": "PairSide",
    "PairFilters": "PairFilters",
    "LedgerLine": "LineAnswer",
    "WalletCall": "CallAnswer",
    "OrderPreview": "PreviewOrderAnswer",
    "ComplianceRecord": "RecordAnswer",
    "ComplianceRules": "RulesAnswer",
    "SwapQuote": "QuoteAnswer",
    "SwapFill": "FillAnswer",
    "Notification": "OneNotificationAnswer",
    "Preference": "ChoiceAnswer",
    "Webhook": "MyWebhookAnswer",
    "NewWebhook": "MyWebhookSecretAnswer",
    "WebhookMessage": "MessageAnswer",
    "WithdrawalLimits": "LimitsAnswer",
    "Destination": "ListedAddress",
}
"""Where the API's name is another than the client's and `Answer`."""


@pytest.mark.parametrize("name", answers.__all__)
def test_an_answer_has_the_fields_that_the_api_publishes(name: str) -> None:
    kind, schema = getattr(answers, name), SCHEMAS[NAMES.get(name, f"{name}Answer")]
    hints = get_type_hints(kind)
    ours = {wire_name(field.name): hints[field.name] for field in fields(kind)}
    assert ours.keys() == schema["properties"].keys()
    for field in fields(kind):
        told = schema["properties"][wire_name(field.name)]
        nullable = {"type": "null"} in told.get("anyOf", ())
        optional = get_origin(hints[field.name]) in (Union, types.UnionType)
        assert type(None) in get_args(hints[field.name]) or not nullable, f"{field.name} may be null"
        assert not optional or nullable or field.default is not MISSING, f"{field.name} is never null"


def test_a_ticker_has_the_fields_that_the_socket_publishes() -> None:
    schema = json.loads(SOCKET_SNAPSHOT.read_text())["components"]["schemas"]["TickerMessage"]
    assert {wire_name(field.name) for field in fields(Ticker)} <= schema["properties"].keys()


def test_every_code_has_an_exception_of_its_own_below_its_status() -> None:
    assert LOADED
    assert DeedbookError.by_code.keys() == Refusal.registry.keys() | {"unreachable"}
    for code, refusal in Refusal.registry.items():
        ours = DeedbookError.by_code[code]
        assert ours.by_status[status_of(refusal)] in ours.__mro__, code


def test_importing_the_client_brings_nothing_of_the_server() -> None:
    code = "import sys, deedbook.client; print(' '.join(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in ended.stdout.split()}
    heavy = {
        "asyncpg",
        "psycopg",
        "fastapi",
        "starlette",
        "pydantic",
        "redis",
        "bullmq",
        "web3",
        "eth_account",
    }
    assert not loaded & heavy
    rooms = {name for name in ended.stdout.split() if name.startswith("deedbook.")}
    assert {name.split(".")[1] for name in rooms} == {"client", "kernel"}
