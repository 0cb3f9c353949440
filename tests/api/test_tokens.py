"""Tokens over HTTP: the register, mints between two people, and the cap table for those who may see it."""

import asyncio
import csv
import io
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from deedbook import compliance, ledger
from deedbook.identity import Role
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.kernel.ids import UserId
from deedbook.ledger import AccountId, HoldOwner, LineKind, into_the_vault
from tests.api.support import caller_of, every_refusal_is_a_problem, refused
from tests.support.platform import moving, open_platform
from tests.support.servers import PostgresServer
from tests.support.workers import UNKNOWN_ID
from tests.support.world import User, World, open_world
from tests.tokens.support import Issue, failed_listing, issue

UNIT = 10**18
NOT_AMOUNTS: list[Any] = [
    "NaN", "sNaN", "Infinity", "-0", "-1", "+1", 0, "0", "0.0", "1e400", "1E+2", "1e-400", "0x10", "1_000", "", " ",
    " 1", "1 ", "1\n", "1\u0000", "1..5", "00001", "١٢", "１２", "1,5", "1.0000000000000000001", str(10**20), "9" * 400,
    10**30, 1.5, True, None, [], ["1"], {"a": "1"},
]  # fmt: skip
NOT_ADDRESSES: list[Any] = [
    "", "0x", "0x" + "ab" * 19, "0x" + "ab" * 21, "ab" * 20, "0X" + "ab" * 20, "0x" + "zz" * 20,
    "0x" + "ab" * 20 + "\n", "0x" + "а" * 40, "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "🏠", "\u202e0x",
    "a" * 10_000, "vitalik.eth", 1, [], {},
]  # fmt: skip
NOT_IDS = [
    "x", "%00", "..%2F..", "🏠", "%E2%80%AE", "a" * 10_000, UNKNOWN_ID.replace("-", ""),
    "{" + UNKNOWN_ID + "}",
]  # fmt: skip
NOBODY = ["0x" + "00" * 20, "0x" + "00" * 19 + "01", "0x" + "ab" * 20]


@dataclass
class Desk:
    """An issuer's live token over HTTP, and an officer."""

    world: World
    issued: Issue
    issuer: User
    officer: User

    async def mint(self, amount: Any = "100", user: User | None = None, **changes: Any) -> Any:
        body = {"amount": amount, "reason": "a second building", **changes}
        return await self.world.post(f"/tokens/{self.issued.token_id}/mint", user or self.issuer, body)

    async def decide(self, mint: dict[str, Any], how: str, user: User | None = None) -> Any:
        body = {"reason": "looked at it"}
        return await self.world.post(f"/tokens/mints/{mint['id']}/{how}", user or self.officer, body)

    async def get(self, path: str, user: User | None) -> Any:
        headers = user.headers if user else {}
        return await self.world.http.get(
            f"/tokens/{path}".replace("{id}", str(self.issued.token_id)), headers=headers
        )

    async def give(self, user_id: Any, units: int, hold: int = 0) -> None:
        """Put some of the token into somebody's vault account."""
        account, token_id = AccountId(user_id), self.issued.token_id
        async with self.world.db.transaction() as tx:
            await ledger.post(tx, [into_the_vault(uuid4(), LineKind.MINT, account, token_id, units)])
            if hold:
                await ledger.hold(tx, ledger.Hold(HoldOwner.ORDER, uuid4(), account, token_id, hold))


async def open_desk(world: World) -> Desk:
    issuer = await world.issuer()
    issued = await issue(world.db, caller=caller_of(issuer))
    return Desk(world, issued, issuer, await world.user(Role.COMPLIANCE))


@pytest.fixture
async def desk(world: World) -> Desk:
    return await open_desk(world)


@pytest.fixture(scope="module")
async def untouched(shared: World) -> Desk:
    """One desk for all requests that change nothing."""
    return await open_desk(shared)


@pytest.fixture
async def generous(postgres: PostgresServer, valkey: EmbeddedValkey) -> AsyncIterator[World]:
    """A house whose policy agrees to small mints by itself."""
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), MINT_AUTOMATIC_UP_TO="50.5") as opened:
        opened.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield opened
    await postgres.drop(dsn)


# The register


async def test_a_token_is_found_by_its_id_its_symbol_and_its_contract(desk: Desk) -> None:
    token = await desk.issued.token()
    assert token.contract_address is not None
    found = [
        (await desk.get(name, None)).json()
        for name in (str(token.token_id), token.symbol, token.contract_address)
    ]
    assert found[0] == found[1] == found[2]
    assert (found[0]["totalSupply"], found[0]["supplyCap"]) == ("1000", "3000")
    assert (found[0]["status"], found[0]["tokenType"]) == ("active", "RWA")
    for name in ("NOSUCH", str(uuid4()), "0x" + "00" * 20, "%00", "🏠"):
        refused(await desk.get(name, None), 404, "token_not_found")


async def test_the_register_is_listed_by_type_and_status_in_pages(desk: Desk) -> None:
    made = {str((await failed_listing(desk.world.db)).token_id) for _ in range(3)}
    told = await desk.world.http.get("/tokens?type=STABLE&status=failed&limit=2")
    first = told.json()
    second = (
        await desk.world.http.get(f"/tokens?type=STABLE&status=failed&limit=2&cursor={first['nextCursor']}")
    ).json()
    assert {token["id"] for page in (first, second) for token in page["data"]} == made
    assert second["nextCursor"] is None
    assert (await desk.world.http.get("/tokens?type=RWA")).json()["data"][0]["id"] == str(
        desk.issued.token_id
    )
    for query in ("type=rwa", "status=open", "cursor=x", "limit=0", "sort=symbol"):
        refused(await desk.world.http.get(f"/tokens?{query}"), 422, "invalid_request")


async def test_a_failed_listing_is_tried_again_once_under_one_key(desk: Desk) -> None:
    token, operator = await failed_listing(desk.world.db), await desk.world.user(Role.OPERATOR)
    path, key = f"/tokens/{token.token_id}/list", {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        again = await desk.world.post(path, operator, **key)
        assert (again.status_code, again.json()["status"]) == (200, "listing")
    refused(await desk.world.post(path, operator), 409, "listing_not_failed")


@pytest.mark.parametrize("address", NOT_ADDRESSES, ids=lambda value: ascii(value)[:30])
async def test_a_token_is_not_registered_at_what_is_no_address(shared: World, address: Any) -> None:
    operator = await shared.user(Role.OPERATOR)
    body = {"symbol": "OUSD", "name": "Other", "type": "STABLE", "contractAddress": address}
    refused(await shared.post("/tokens", operator, body), 422, "invalid_request", "/contractAddress")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"type": "RWA"}, "/type"),
        ({"type": "stable"}, "/type"),
        ({"symbol": "ОUSD"}, "/symbol"),
        ({"symbol": "ousd"}, "/symbol"),
        ({"name": "a\u202eb"}, "/name"),
        ({"decimals": 19}, "/decimals"),
        ({"decimals": "6"}, "/decimals"),
        ({"status": "active"}, "/status"),
        ({"totalSupply": "1"}, "/totalSupply"),
    ],
)
async def test_a_registration_names_the_field_when_it_is_bad(
    shared: World, changes: dict[str, Any], pointer: str
) -> None:
    operator = await shared.user(Role.OPERATOR)
    body = {
        "symbol": "OUSD",
        "name": "Other",
        "type": "STABLE",
        "contractAddress": "0x" + "ab" * 20,
        **changes,
    }
    refused(await shared.post("/tokens", operator, body), 422, "invalid_request", pointer)


async def test_somebody_elses_token_is_registered_as_its_contract_says(
    postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil
) -> None:
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), SAPPHIRE_RPC_URL=anvil.url) as world:
        platform = await open_platform(world.db, world.resources.node, anvil)
        await platform.found()
        async with moving(platform):
            coin = await platform.another_coin()
        operator = await world.user(Role.OPERATOR)
        body = {"symbol": "EURC", "name": "Euro Coin", "type": "STABLE", "contractAddress": coin}
        answer = await world.post("/tokens", operator, body)
        told = answer.json()
        assert (answer.status_code, told["symbol"], told["status"]) == (201, "EURC", "listing")
        assert (told["contractAddress"].lower(), told["decimals"]) == (coin.lower(), 6)
        refused(await world.post("/tokens", operator, body), 409, "token_exists")
    await postgres.drop(dsn)


async def test_authority_moves_only_under_a_key(desk: Desk) -> None:
    for path, user in (
        ("/tokens", await desk.world.user(Role.ADMIN)),
        (f"/tokens/{desk.issued.token_id}/mint", desk.issuer),
        (f"/tokens/mints/{uuid4()}/approve", desk.officer),
    ):
        answer = await desk.world.http.post(path, headers=user.headers, json={})
        assert answer.status_code in (400, 422)
        if answer.status_code == 400:
            refused(answer, 400, "idempotency_key_required")


# Mints


async def test_a_mint_takes_two_people(desk: Desk) -> None:
    asked = await desk.mint("12.5")
    assert (asked.status_code, asked.json()["status"], asked.json()["amount"]) == (
        201,
        "PENDING_APPROVAL",
        "12.5",
    )
    mint = asked.json()
    both = await desk.world.user(Role.COMPLIANCE, Role.ADMIN)
    approved = await desk.decide(mint, "approve", both)
    assert (approved.status_code, approved.json()["status"]) == (200, "APPROVED")
    assert approved.json()["decidedBy"] == str(both.user_id)
    refused(await desk.decide(mint, "reject"), 409, "mint_not_pending")
    for user in (desk.issuer, desk.officer):
        assert (await desk.get(f"mints/{mint['id']}", user)).json() == approved.json()
        assert (await desk.get("{id}/mints", user)).json()["data"] == [approved.json()]


async def test_nobody_decides_on_their_own_mint_under_a_second_role(desk: Desk) -> None:
    async with desk.world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO user_roles (user_id, role, granted_by) VALUES ($1, 'compliance', 'test')",
            desk.issuer.user_id,
        )
    mint = (await desk.mint()).json()
    for how in ("approve", "reject"):
        refused(await desk.decide(mint, how, desk.issuer), 403, "four_eyes")


async def test_the_policy_agrees_to_small_mints_by_itself(generous: World) -> None:
    issuer = await generous.issuer()
    issued = await issue(generous.db, caller=caller_of(issuer))
    path = f"/tokens/{issued.token_id}/mint"
    told = [
        (await generous.post(path, issuer, {"amount": amount, "reason": "more"})).json()["status"]
        for amount in ("50.5", "50.500000000000000001")
    ]
    assert told == ["APPROVED", "PENDING_APPROVAL"]


async def test_one_mint_is_asked_for_when_the_request_is_repeated(desk: Desk) -> None:
    body, key = {"amount": "1500", "reason": "more"}, {"Idempotency-Key": str(uuid4())}
    path = f"/tokens/{desk.issued.token_id}/mint"
    ended = await asyncio.gather(*(desk.world.post(path, desk.issuer, body, **key) for _ in range(10)))
    assert set(Counter(answer.status_code for answer in ended)) <= {201, 409}
    assert len({answer.json()["id"] for answer in ended if answer.status_code == 201}) == 1
    refused(await desk.mint("501"), 422, "supply_cap_exceeded")
    assert len((await desk.get("{id}/mints", desk.issuer)).json()["data"]) == 1


@pytest.mark.parametrize("amount", NOT_AMOUNTS, ids=lambda value: ascii(value)[:30])
async def test_a_mint_is_refused_when_its_amount_is_none(untouched: Desk, amount: Any) -> None:
    refused(await untouched.mint(amount), 422, "invalid_request", "/amount")
    assert (await untouched.get("{id}/mints", untouched.issuer)).json()["data"] == []


@pytest.mark.parametrize(
    "to",
    [*NOT_ADDRESSES, "0x" + "00" * 20, "0x" + "00" * 19 + "01", "0x" + "ab" * 20],
    ids=lambda value: ascii(value)[:30],
)
async def test_a_mint_is_refused_when_its_receiver_is_nobody(untouched: Desk, to: Any) -> None:
    refused(await untouched.mint(to=to), 422, "invalid_request", "/to")


async def test_a_mint_says_the_reason_number_when_compliance_refuses(desk: Desk) -> None:
    receiver = await desk.world.user()
    answer = await desk.mint(to=receiver.wallet.address)
    refused(answer, 403, "kyc_required")
    assert answer.json()["reason"] == "10"
    await desk.issued.verify(UserId(receiver.user_id))
    assert (await desk.mint(to=receiver.wallet.address)).status_code == 201
    async with desk.world.db.transaction() as tx:
        await compliance.freeze(tx, desk.issued.officer.actor, UserId(receiver.user_id), "x")
    refused(await desk.mint(to=receiver.wallet.address), 403, "receiver_frozen")


async def test_what_is_another_issuers_reads_as_absent(desk: Desk) -> None:
    other, mint = await desk.world.issuer(), (await desk.mint()).json()
    theirs = await desk.mint(user=other)
    absent = await desk.world.post(f"/tokens/{uuid4()}/mint", other, {"amount": "1", "reason": "r"})
    same = ("code", "title", "detail", "status")
    assert [theirs.json()[name] for name in same] == [absent.json()[name] for name in same]
    refused(await desk.get(f"mints/{mint['id']}", other), 404, "mint_not_found")
    for path in ("{id}/mints", "{id}/holders", "{id}/holders/export"):
        refused(await desk.get(path, other), 404, "token_not_found")


@pytest.mark.parametrize("name", NOT_IDS, ids=lambda value: ascii(value)[:20])
async def test_an_id_is_refused_when_it_is_none(shared: World, name: str) -> None:
    officer = await shared.user(Role.COMPLIANCE, Role.ISSUER, Role.OPERATOR)
    for path in (f"/tokens/mints/{name}", f"/tokens/{name}/mints", f"/tokens/{name}/holders"):
        answer = await shared.http.get(path, headers=officer.headers)
        assert answer.status_code in (404, 422), answer.text


async def test_mints_are_listed_in_pages_newest_first(desk: Desk) -> None:
    made = [(await desk.mint("1")).json()["id"] for _ in range(5)]
    told: list[str] = []
    cursor = ""
    while True:
        page = (await desk.get(f"{{id}}/mints?limit=2{cursor}", desk.issuer)).json()
        told += [mint["id"] for mint in page["data"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert told == made[::-1]


async def test_officers_see_the_mints_of_every_token_by_where_they_stand(desk: Desk) -> None:
    other = await open_desk(desk.world)
    first, second = (await desk.mint("1")).json()["id"], (await other.mint("2")).json()["id"]
    decided = (await desk.mint("3")).json()
    await desk.decide(decided, "reject")
    page = (await desk.get("mints?status=PENDING_APPROVAL&limit=1", desk.officer)).json()
    cursor = page["nextCursor"]
    rest = (await desk.get(f"mints?status=PENDING_APPROVAL&cursor={cursor}", desk.officer)).json()
    assert [mint["id"] for told in (page, rest) for mint in told["data"]] == [second, first]
    assert [mint["id"] for mint in (await desk.get("mints", desk.officer)).json()["data"]] == [
        decided["id"],
        second,
        first,
    ]
    refused(await desk.get(f"mints?cursor={cursor[:-2]}", desk.officer), 422, "invalid_request")
    for user in (desk.issuer, await desk.world.user(Role.OPERATOR)):
        refused(await desk.get("mints", user), 403, "forbidden")


# Holders


async def test_the_cap_table_adds_up_to_the_supply(desk: Desk) -> None:
    investor = await desk.world.user()
    await desk.give(desk.issuer.user_id, 600 * UNIT)
    await desk.give(investor.user_id, 333 * UNIT + 1, hold=33 * UNIT)
    told = (await desk.get("{id}/holders", desk.issuer)).json()
    lines = {line["id"]: line for line in told["data"]}
    assert (told["totalSupply"], told["inVault"], told["outsideVault"]) == (
        "1000",
        "933.000000000000000001",
        "66.999999999999999999",
    )
    treasury, held = lines[str(desk.issuer.user_id)], lines[str(investor.user_id)]
    assert (treasury["kind"], treasury["balance"], treasury["sharePercent"]) == ("treasury", "600", "60")
    assert (held["kind"], held["available"], held["locked"], held["sharePercent"]) == (
        "investor",
        "300.000000000000000001",
        "33",
        "33.3",
    )
    assert held["account"] == investor.wallet.address
    assert (await desk.get("{id}/holders", desk.officer)).json() == told


async def test_the_cap_table_is_read_in_pages_without_gap_or_repetition(desk: Desk) -> None:
    users = [await desk.world.user() for _ in range(5)]
    for user in users:
        await desk.give(user.user_id, UNIT)
    told: list[str] = []
    cursor = ""
    while True:
        page = (await desk.get(f"{{id}}/holders?limit=2{cursor}", desk.issuer)).json()
        told += [line["id"] for line in page["data"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert told == sorted(str(user.user_id) for user in users)
    for bad in ("x", "WyJtaW50cyIsMV0", page["nextCursor"] or "e30"):
        refused(
            await desk.get(f"{{id}}/holders?cursor={bad}", desk.issuer),
            422,
            "invalid_request",
            "/query/cursor",
        )


async def test_the_cap_table_is_exported_as_csv_and_json(desk: Desk) -> None:
    await desk.give(desk.issuer.user_id, 600 * UNIT)
    table = await desk.get("{id}/holders/export", desk.issuer)
    assert table.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in table.headers["Content-Disposition"]
    [line] = list(csv.DictReader(io.StringIO(table.text)))
    told = (await desk.get("{id}/holders/export?format=json", desk.issuer)).json()
    assert told["data"] == [line]
    assert line["balance"] == "600"
    refused(await desk.get("{id}/holders/export?format=xml", desk.issuer), 422, "invalid_request")


async def test_nobody_holds_anything_of_a_token_when_the_vault_told_nothing_yet(desk: Desk) -> None:
    told = (await desk.get("{id}/holders", desk.issuer)).json()
    assert (told["data"], told["outsideVault"]) == ([], "1000")
    assert (await desk.get("{id}/holders/export?format=json", desk.issuer)).json() == {"data": []}


async def test_metadata_is_read_anew_for_the_issuer_once_under_one_key(desk: Desk) -> None:
    path, key = f"/tokens/{desk.issued.token_id}/refresh", {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        assert (await desk.world.post(path, desk.issuer, **key)).status_code == 202
    async with desk.world.db.reading() as connection:
        assert (
            await connection.fetchval("SELECT count(*) FROM jobs WHERE name = 'update-token-metadata'") == 1
        )
