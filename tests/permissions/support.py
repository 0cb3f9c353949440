"""What the tests of the permission service share: a clock to turn, a server to start, a webhook to hear."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from deedbook.permissions import DeliveryPolicy, PermissionsConfig
from deedbook.permissions.server import make_server
from tests.support.servers import free_port

Json = dict[str, Any]

QUICK = DeliveryPolicy(timeout_s=2, poll_interval_s=0.02, first_retry_s=0.05, longest_retry_s=0.2)


@dataclass
class TurnedClock:
    now: datetime = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


def config_in(folder: Path, **changes: Any) -> PermissionsConfig:
    chosen: Json = {
        "database_path": folder / "permissions.db",
        "certificate_directory": folder / "certificates",
        "delivery": QUICK,
        **changes,
    }
    return PermissionsConfig(**{"names": ("desk.test",), **chosen})


def wait_until(true: Callable[[], bool], *, within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@contextmanager
def served_in_thread(config: PermissionsConfig) -> Iterator[str]:
    """The service behind real HTTP in this process."""
    with running_in_thread(make_server(config)) as url:
        yield url


@contextmanager
def running_in_thread(server: uvicorn.Server) -> Iterator[str]:
    """A server in this process."""
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{server.config.port}"
    finally:
        server.should_exit = True
        thread.join(timeout=15)
    assert not thread.is_alive()


_PROGRAM = """
import sys
from pathlib import Path
from deedbook.permissions import DeliveryPolicy, PermissionsConfig, serve
folder, port, *urls = sys.argv[1:]
serve(PermissionsConfig(
    database_path=Path(folder) / "permissions.db",
    certificate_directory=Path(folder) / "certificates",
    port=int(port),
    webhook_urls=tuple(urls),
    delivery=DeliveryPolicy(timeout_s=2, poll_interval_s=0.02, first_retry_s=0.05, longest_retry_s=0.2),
))
"""


@contextmanager
def served_in_process(
    folder: Path, *webhook_urls: str, stop_with: signal.Signals = signal.SIGTERM
) -> Iterator[str]:
    """The service as its own operating system process, as it is run."""
    port = free_port()
    command = [sys.executable, "-c", _PROGRAM, str(folder), str(port), *webhook_urls]
    with subprocess.Popen(command, env={**os.environ}) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _answers(url), within_s=20)
            yield url
        finally:
            process.send_signal(stop_with)
            status = process.wait(timeout=20)
    expected = (0, -signal.SIGTERM) if stop_with == signal.SIGTERM else (-stop_with,)
    assert status in expected


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz", trust_env=False).is_success
    except httpx2.TransportError:
        return False


@dataclass
class Received:
    headers: dict[str, str]
    body: Json

    @property
    def message(self) -> Json:
        parsed: Json = json.loads(self.body["Message"])
        return parsed


@dataclass
class Webhook:
    """An endpoint that keeps what it is sent and answers as told."""

    url: str
    status: int = 200
    received: list[Received] = field(default_factory=list)

    def of_type(self, kind: str) -> list[Received]:
        return [one for one in list(self.received) if one.body["Type"] == kind]

    def events(self, event_type: str) -> list[Received]:
        told = self.of_type("Notification")
        return [one for one in told if one.message["event_type"] == event_type]


@contextmanager
def webhook(port: int = 0) -> Iterator[Webhook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            hook.received.append(Received(headers, json.loads(body)))
            self.send_response(hook.status)
            self.send_header("location", hook.url)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    hook = Webhook(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def verify_as_a_receiver_would(body: Json, pem: bytes) -> None:
    """The check of the SNS developer guide, written apart from the code under test."""
    if body["Type"] == "Notification":
        names = ["Message", "MessageId"] + (["Subject"] if "Subject" in body else [])
        names += ["Timestamp", "TopicArn", "Type"]
    else:
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = ""
    for name in names:
        text += name + "\n"
        text += body[name] + "\n"
    digest = {"1": hashes.SHA1(), "2": hashes.SHA256()}[body["SignatureVersion"]]
    key = x509.load_pem_x509_certificate(pem).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(base64.b64decode(body["Signature"]), text.encode(), padding.PKCS1v15(), digest)


def approval_request(market_id: str, entity_id: str, **changes: Any) -> Json:
    """The event a platform posts when an issuer registers a market."""
    payload = {
        "market_id": market_id,
        "entity_id": entity_id,
        "facts": {"name": "Harbour Lofts", "valuation": "12500000.000000000000000001", "currency": "USD"},
        "documents": [{"name": "Offering memorandum", "sha256": "ab" * 32}],
        "issuer": {"name": "Harbour Issuer Ltd", "registration": "HRB 1234"},
    }
    event = {
        "event_type": "market.approval_requested",
        "source": "deedbook",
        "payload": payload,
        "context": {"actor_id": str(uuid4())},
        "correlation_id": str(uuid4()),
    }
    return {**event, **changes}


@dataclass(frozen=True)
class Officer:
    actor_id: str
    entity_id: str


async def appoint(client: httpx2.AsyncClient, *actions: str) -> Officer:
    """An issuer entity, and somebody who holds a role with these permissions on it."""
    entity = await posted(client, "/api/v1/entities", {"name": f"Issuer {uuid4()}", "type": "issuer"})
    role = await posted(client, "/api/v1/roles", {"name": f"officer {uuid4()}", "permissions": list(actions)})
    officer = Officer(actor_id=str(uuid4()), entity_id=entity["id"])
    grant = {"principal_id": officer.actor_id, "role_id": role["id"], "entity_id": officer.entity_id}
    await posted(client, "/api/v1/assignments", grant)
    return officer


async def posted(client: httpx2.AsyncClient, path: str, body: Json) -> Json:
    answer = await client.post(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    created: Json = answer.json()
    return created


async def ask_approval(client: httpx2.AsyncClient, entity_id: str) -> str:
    market_id = str(uuid4())
    await posted(client, "/api/v1/events", approval_request(market_id, entity_id))
    return market_id


async def decide(client: httpx2.AsyncClient, market_id: str, **body: object) -> httpx2.Response:
    return await client.post(f"/api/v1/approvals/{market_id}/decision", json=body)


async def decisions(client: httpx2.AsyncClient) -> list[Json]:
    answer = await client.get("/api/v1/events", params={"source": "entity_permissions_core"})
    return [event for event in answer.json() if event["event_type"].startswith("market.")]


async def status_of(client: httpx2.AsyncClient, market_id: str) -> str:
    status: str = (await client.get(f"/api/v1/approvals/{market_id}")).json()["status"]
    return status
