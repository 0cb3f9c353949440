"""The stack of `make demo`, as a newcomer has it, and the people whom its console offers."""

import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import httpx2

from deedbook.client import AsyncClient, LocalSigner
from deedbook.identity import Domain
from deedbook.identity.terms import Address
from deedbook.stack.sign import order_body
from deedbook.stack.wallet import Wallet, sign_in
from tests.support.running import Terminal

ORDERS_A_MINUTE = 300
"""More than any test places, and few enough to be used up."""
GENEROUS = {
    **{f"RATE_LIMIT_{name}": "100000" for name in ("READS", "WRITES", "AUTH")},
    "RATE_LIMIT_ORDERS": str(ORDERS_A_MINUTE),
}
LONG_NAME = "Ⲁ very_long_name_without_any_space_" + "x" * 60 + " 🏢🚢 برج الميناء מגדל " + "word " * 15
LONG_SYMBOL = "LONGNAME-" + "X" * 22
"""What people may call an asset: no break, both directions, pictures."""

RESTING = (
    ("investor", "BUY", "0.5", "990"),
    ("investor", "BUY", "0.25", "985.5"),
    ("investor", "BUY", "0.3", "980.01"),
    ("second-investor", "SELL", "0.5", "1005"),
    ("second-investor", "SELL", "0.75", "1010.1"),
    ("second-investor", "SELL", "0.1234", "1012"),
)


@dataclass
class Venue:
    """Where it runs, a market that was traded, and who may look."""

    terminal: Terminal
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    samples: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)

    @property
    def url(self) -> str:
        """As `make demo` prints it: sign-in messages are for this name."""
        return f"http://localhost:{self.terminal.environ['PORT']}"

    def client(self, person: str = "") -> httpx2.AsyncClient:
        """The API, as this person."""
        token = json.loads(self.sessions[person])["accessToken"] if person else ""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        base_url = f"{self.terminal.api_url}/api/v1"
        return httpx2.AsyncClient(base_url=base_url, timeout=15, trust_env=False, headers=headers)

    def wallet(self, person: str) -> Wallet:
        return Wallet.from_key(bytes.fromhex(self.people[person]["privateKey"][2:]))

    async def enter(self, person: str) -> None:
        """Sign in, and keep what a tab would."""
        async with self.client() as http:
            told = await sign_in(http, self.wallet(person))
        session = {
            "userId": told["userId"],
            "account": self.people[person]["address"],
            "walletId": f"demo.deedbook.{person}",
            "accessToken": told["accessToken"],
            "refreshToken": told["refreshToken"],
            "expiresAt": int((time.time() + told["expiresIn"]) * 1000),
        }
        self.sessions[person] = json.dumps(session)

    async def place(self, person: str, side: str, quantity: str, price: str) -> dict[str, Any]:
        """A signed limit order on the sample's pair."""
        async with self.client(person) as http:
            domain, pair = await self.to_sign(http)
            body = order_body(self.wallet(person), domain, pair, side, quantity, price)
            answer = await http.post("/trading/orders", json=body)
        assert answer.status_code == 201, answer.text
        placed: dict[str, Any] = answer.json()
        return placed

    async def ask_for_a_mint(self, amount: str, reason: str, **more: str) -> dict[str, Any]:
        """More of the sample's token, as its issuer asks for it; it waits for a second person."""
        path = f"/tokens/{await self.token_id()}/mint"
        return await self.post("issuer", path, {"amount": amount, "reason": reason, **more})

    async def token_id(self) -> str:
        """Of the sample's token."""
        async with self.client() as http:
            found = (await http.get(f"/tokens/{self.samples['token']}")).raise_for_status().json()
        return str(found["id"])

    def user_id(self, person: str) -> str:
        return str(json.loads(self.sessions[person])["userId"])

    def program(self, person: str) -> AsyncClient:
        """A client of this person, with their wallet's key."""
        signer = LocalSigner.from_key(bytes.fromhex(self.people[person]["privateKey"][2:]))
        return AsyncClient(self.url, signer=signer)

    async def post(self, person: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Have this person do something by the API, once."""
        async with self.client(person) as http:
            answer = await http.post(path, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    async def to_sign(self, http: httpx2.AsyncClient) -> tuple[Domain, dict[str, Any]]:
        """What one signs for, and the sample's pair."""
        told = (await http.get("/exchange-info")).raise_for_status().json()["eip712Domain"]
        pair = (await http.get(f"/trading/pairs/{self.samples['pair']}")).raise_for_status().json()
        return Domain(told["chainId"], Address(told["verifyingContract"].lower())), pair

    def visitor(self, access: str | list[str]) -> str:
        """Who may see a page of this access: nobody in particular, or the first with one of its roles."""
        if access == "public":
            return ""
        return "investor" if access == "signed-in" else access[0]

    def address(self, path: str, sample: str, person: str) -> str:
        """The address of a page of the registry, with something real in the place of its `$name`."""
        head, mark, _ = path.partition("$")
        if not mark:
            return path
        return head + (self.user_id(person) if sample == "user" else self.samples[sample])


@asynccontextmanager
async def open_venue(*, is_strange: bool = True, **environ: str) -> AsyncIterator[Venue]:
    """A demo that has been played and goes on running; with an asset whose names are as strange as they may be."""
    terminal = Terminal.new()
    try:
        demo = terminal.start("demo", ACCESS_TOKEN_TTL_S="3600", **GENEROUS, **environ)
        await demo.says("The stack goes on running", within_s=180)
        venue = Venue(terminal)
        await _look_around(venue)
        if is_strange:
            await _name_strangely(venue)
        yield venue
    finally:
        terminal.close()


async def _look_around(venue: Venue) -> None:
    async with httpx2.AsyncClient(timeout=15, trust_env=False) as http:
        told = (await http.get(f"{venue.terminal.api_url}/app/demo-people")).raise_for_status().json()
    venue.people = {person["id"]: person for person in told["people"]}
    for person in venue.people:
        await venue.enter(person)
    async with venue.client() as http:
        [market] = (await http.get("/markets", params={"text": "LUXAPT"})).raise_for_status().json()["data"]
    symbol = market["tokenSymbol"]
    venue.samples = {"market": market["id"], "pair": f"{symbol}-USDC", "token": symbol}
    await _rest(venue)
    venue.samples["mint"] = (await venue.ask_for_a_mint("12.5", "a second staircase"))["id"]


async def _name_strangely(venue: Venue) -> None:
    body = {"name": LONG_NAME[:200], "assetType": "other", "tokenSymbol": LONG_SYMBOL, "totalSupply": "1"}
    await venue.post("issuer", "/markets/register", body)


async def _rest(venue: Venue) -> None:
    """A few orders of both investors, a book to look at."""
    for person, side, quantity, price in RESTING:
        await venue.place(person, side, quantity, price)
