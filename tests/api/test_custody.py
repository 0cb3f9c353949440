"""Custody over HTTP: signatures that do not hold (A-01 to A-06), others' things (A-07, A-08), and what is shown."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest

from deedbook.identity import DEPOSIT, TRANSFER, WITHDRAWAL, Domain, Role
from deedbook.identity.terms import Address
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.ledger import AccountId, LineKind, into_the_vault, post
from tests.api.support import every_refusal_is_a_problem, refused
from tests.support.fake_chain import CHAIN_ID
from tests.support.servers import PostgresServer
from tests.support.till import CASH, VAULT, Till, open_till
from tests.support.world import User, open_world

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture(scope="module")
async def till(postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil) -> AsyncIterator[Till]:
    """A till whose API can ask a chain, of which only the accounts matter."""
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), SAPPHIRE_RPC_URL=anvil.url) as world:
        world.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield await open_till(world)
    await postgres.drop(dsn)


def path_of(struct: Any, till: Till) -> str:
    paths = {"Deposit": "/deposits", "Withdrawal": "/withdrawals"}
    return paths.get(struct.name, f"/tokens/{till.cash.token_id}/transfer")


async def body_of(struct: Any, till: Till, user: User, **fields: Any) -> dict[str, Any]:
    if struct is DEPOSIT:
        return till.deposit(user, **fields)
    if struct is WITHDRAWAL:
        return till.withdrawal(user, **fields)
    return till.transfer(user, await till.user(), **fields)


STRUCTS = pytest.mark.parametrize("struct", [DEPOSIT, WITHDRAWAL, TRANSFER], ids=lambda struct: struct.name)


# What is signed, and how


def _altered(change: Callable[[bytes], bytes]) -> Callable[[str], str]:
    return lambda signature: "0x" + change(bytes.fromhex(signature[2:])).hex()


def _high_s(signature: bytes) -> bytes:
    s = ORDER - int.from_bytes(signature[32:64])
    return signature[:32] + s.to_bytes(32) + bytes([55 - signature[64]])


MALFORMED: dict[str, Callable[[str], str]] = {
    "high s": _altered(_high_s),
    "v 0": _altered(lambda told: told[:64] + bytes([told[64] - 27])),
    "v 35": _altered(lambda told: told[:64] + b"\x23"),
    "64 bytes": _altered(lambda told: told[:64]),
    "66 bytes": _altered(lambda told: told + b"\0"),
    "zero": _altered(lambda told: bytes(65)),
    "r is n": _altered(lambda told: ORDER.to_bytes(32) + told[32:]),
    "s is n": _altered(lambda told: told[:32] + ORDER.to_bytes(32) + told[64:]),
    "nothing": lambda _: "",
    "no prefix": lambda told: told[2:],
    "odd": lambda told: told + "0",
    "no hex": lambda told: told[:-2] + "zz",
}


@STRUCTS
@pytest.mark.parametrize("form", MALFORMED)
async def test_a_signature_in_another_form_is_refused(till: Till, struct: Any, form: str) -> None:
    """A-01."""
    user = await till.user("10")
    body = await body_of(struct, till, user)
    body["signature"] = MALFORMED[form](body["signature"])
    refused(await till.send(path_of(struct, till), user, body), 401, "signature_malformed")


@STRUCTS
@pytest.mark.parametrize(
    "domain",
    [Domain(CHAIN_ID + 1, VAULT), Domain(CHAIN_ID, CASH), Domain(1, VAULT)],
    ids=["chain", "contract", "mainnet"],
)
async def test_a_signature_for_elsewhere_is_refused(till: Till, struct: Any, domain: Domain) -> None:
    """A-02."""
    user = await till.user("10")
    body = await body_of(struct, till, user, domain=domain)
    refused(await till.send(path_of(struct, till), user, body), 401, "signature_refused")


async def test_a_signature_over_one_thing_is_none_over_another(till: Till) -> None:
    """A-03: the same fields, signed as a deposit, sent as a withdrawal, and back."""
    user = await till.user("10")
    deposit, withdrawal = till.deposit(user), till.withdrawal(user)
    swapped = {**withdrawal, "nonce": deposit["nonce"], "signature": deposit["signature"]}
    refused(await till.send("/withdrawals", user, swapped), 401, "signature_refused")
    swapped = {**deposit, "nonce": withdrawal["nonce"], "signature": withdrawal["signature"]}
    refused(await till.send("/deposits", user, swapped), 401, "signature_refused")


@STRUCTS
async def test_a_signed_request_counts_once_when_it_is_sent_many_times(till: Till, struct: Any) -> None:
    """A-04, also with the address in another case."""
    user = await till.user("10")
    body = await body_of(struct, till, user)
    who = struct.fields[0][0]
    mixed = {**body, who: user.wallet.address}
    answers = await asyncio.gather(
        *(till.send(path_of(struct, till), user, body if turn % 2 else mixed) for turn in range(10))
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] + [409] * 9
    first = next(answer for answer in answers if answer.status_code == 201).json()["id"]
    assert {a.json()["firstId"] for a in answers if a.status_code == 409} == {first}
    await till.world.resources.redis.flushall()
    refused(await till.send(path_of(struct, till), user, body), 409, "duplicate_action")


async def test_the_first_answer_comes_again_when_the_key_is_the_same(till: Till) -> None:
    user, key = await till.user("10"), {"Idempotency-Key": str(uuid4())}
    body = till.withdrawal(user, amount="4")
    first = await till.send("/withdrawals", user, body, **key)
    again = await till.send("/withdrawals", user, body, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")


@STRUCTS
async def test_a_strangers_bad_signature_burns_no_nonce(till: Till, struct: Any) -> None:
    """A-05."""
    victim, thief = await till.user("10"), await till.user("10")
    body = await body_of(struct, till, victim)
    forged = {**body, "signature": (await body_of(struct, till, thief))["signature"]}
    refused(await till.send(path_of(struct, till), thief, forged), 401, "signature_refused")
    assert (await till.send(path_of(struct, till), victim, body)).status_code == 201


CHANGED: dict[str, Any] = {
    "token": Address("0x" + "c1" * 20),
    "amount": "1.0",
    "nonce": "another",
    "expiry": str(int(time.time()) + 7200),
    "destination": Address("0x" + "d1" * 20),
    "to": Address("0x" + "d1" * 20),
    "trader": Address("0x" + "d1" * 20),
    "from": Address("0x" + "d1" * 20),
}


@STRUCTS
async def test_a_body_that_was_altered_after_signing_is_refused(till: Till, struct: Any) -> None:
    """A-06: every field in turn."""
    user = await till.user("10")
    for name, _ in struct.fields:
        body = await body_of(struct, till, user)
        body[name] = CHANGED[name]
        answer = await till.send(path_of(struct, till), user, body)
        expected = (422, "token_not_kept") if name == "token" else (401, "signature_refused")
        refused(answer, *expected)


@STRUCTS
async def test_somebody_elses_signed_request_is_not_yours_to_send(till: Till, struct: Any) -> None:
    """A-07."""
    owner, other = await till.user("10"), await till.user("10")
    body = await body_of(struct, till, owner)
    refused(await till.send(path_of(struct, till), other, body), 404, "wallet_not_yours")


@STRUCTS
@pytest.mark.parametrize(
    ("seconds", "status", "code"),
    [(-1, 422, "action_expired"), (91 * 86400, 422, "invalid_request")],
)
async def test_an_expiry_must_lie_ahead_and_not_too_far(
    till: Till, struct: Any, seconds: int, status: int, code: str
) -> None:
    """I-02."""
    user = await till.user("10")
    body = await body_of(struct, till, user, expiry=str(int(time.time()) + seconds))
    refused(await till.send(path_of(struct, till), user, body), status, code)


NO_AMOUNTS: list[Any] = ["0", "0.0", "-1", "1e3", "NaN", "١", "1\n", 1.5, True, None, [], "9" * 40]
NO_SIGNATURES: list[Any] = [7, None, [], "0x" + "00" * 5000]
BAD: list[tuple[str, Any]] = [
    *(("amount", bad) for bad in NO_AMOUNTS),
    *(("expiry", bad) for bad in ("0", "-1", "1e9", "1.5", "", str(2**64), 2**64, True, None, 1.5)),
    *(("nonce", bad) for bad in ("", "a b", "a" * 65, "é", "a\n", 7, None)),
    *(("token", bad) for bad in ("", "0x", "0x" + "g" * 40, "0x" + "aB" * 20, CASH + "00", 7, None)),
    *(("signature", bad) for bad in NO_SIGNATURES),
]


@STRUCTS
@pytest.mark.parametrize(("field", "value"), BAD, ids=lambda value: ascii(value)[:30])
async def test_a_bad_field_is_named(till: Till, struct: Any, field: str, value: Any) -> None:
    """I-01, I-02, I-03."""
    user = await shared_user(till)
    body = {**await body_of(struct, till, user), field: value}
    refused(await till.send(path_of(struct, till), user, body), 422, "invalid_request", f"/{field}")


async def shared_user(till: Till) -> User:
    if not hasattr(till, "_user"):
        till._user = await till.user("10")  # type: ignore[attr-defined]
    user: User = till._user  # type: ignore[attr-defined]
    return user


@STRUCTS
@pytest.mark.parametrize(
    "name", ["status", "approvalsNeeded", "id", "userId", "balance", "createdAt", "credited"]
)
async def test_a_field_of_ours_is_refused(till: Till, struct: Any, name: str) -> None:
    """A-11."""
    user = await shared_user(till)
    body = {**await body_of(struct, till, user), name: "x"}
    answer = await till.send(path_of(struct, till), user, body)
    refused(answer, 422, "invalid_request")
    assert [error["code"] for error in answer.json()["errors"]] == ["unknown_field"]


async def test_an_amount_finer_than_the_token_is_refused(till: Till) -> None:
    user = await shared_user(till)
    refused(
        await till.send("/withdrawals", user, till.withdrawal(user, amount="0.0000001")),
        422,
        "invalid_request",
        "/amount",
    )


@pytest.mark.parametrize(
    "destination", ["0x" + "00" * 20, "0x" + "00" * 19 + "01", "0x" + "00" * 19 + "0a", VAULT, CASH]
)
async def test_a_destination_that_nobody_has_is_refused(till: Till, destination: str) -> None:
    """I-03."""
    user = await shared_user(till)
    body = till.withdrawal(user, destination=destination)
    refused(await till.send("/withdrawals", user, body), 422, "destination_refused")


# Deposits


async def test_an_announced_deposit_says_what_to_send(till: Till) -> None:
    user = await till.user()
    told = await till.done("/deposits", user, till.deposit(user, amount="12.5"))
    assert (told["status"], told["amount"], told["credited"]) == ("REQUESTED", "12.5", None)
    approve, deposit = told["send"]
    assert (approve["to"].lower(), deposit["to"].lower()) == (CASH, VAULT)
    assert approve["data"].startswith("0x095ea7b3") and approve["data"].endswith(f"{12_500_000:064x}")
    assert deposit["data"].startswith("0x47e7ef24")
    assert (await till.get(f"/deposits/{told['id']}", user)) == {**told, "send": None}
    other = await till.user()
    answer = await till.world.http.get(f"/deposits/{told['id']}", headers=other.headers)
    refused(answer, 404, "deposit_not_found")


async def test_a_permit_is_taken_with_relay_alone(till: Till) -> None:
    user = await till.user()
    permit = {
        "value": "1000000",
        "deadline": "1999999999",
        "v": 27,
        "r": "0x" + "11" * 32,
        "s": "0x" + "22" * 32,
    }
    body = {**till.deposit(user), "permit": permit}
    refused(await till.send("/deposits", user, body), 422, "invalid_request", "/permit")
    told = await till.done("/deposits", user, {**body, "relay": True})
    assert told["send"] is None
    for change in (
        {"v": 0},
        {"value": "0"},
        {"value": 1},
        {"r": "0x11"},
        {"s": None},
        {"deadline": "x"},
        {"x": 1},
    ):
        name = next(iter(change))
        bad = {**till.deposit(user), "relay": True, "permit": {**permit, **change}}
        refused(await till.send("/deposits", user, bad), 422, "invalid_request", f"/permit/{name}")


# Withdrawals


async def test_a_withdrawal_is_seen_by_its_owner_and_by_those_who_decide(till: Till) -> None:
    owner, other, officer = (
        await till.user("20000"),
        await till.user(),
        await till.user("0", "0", Role.COMPLIANCE),
    )
    told = await till.done("/withdrawals", owner, till.withdrawal(owner, amount="15000"))
    assert (told["status"], told["approvalsNeeded"], told["version"]) == ("PENDING_APPROVAL", 1, 1)
    one = f"/withdrawals/{told['id']}"
    assert await till.get(one, owner) == await till.get(one, officer) == told
    refused(await till.world.http.get(one, headers=other.headers), 404, "withdrawal_not_found")
    assert told["id"] in [each["id"] for each in (await till.get("/admin/withdrawals", officer))["data"]]
    waiting = await till.get("/admin/withdrawals", officer, status="PENDING_APPROVAL")
    assert {each["status"] for each in waiting["data"]} == {"PENDING_APPROVAL"}
    refused(await till.world.post(f"{one}/approve", owner), 403, "forbidden")
    refused(await till.world.post(f"{one}/cancel", other), 404, "withdrawal_not_found")
    stale = await till.world.post(f"{one}/approve", officer, {}, **{"If-Match": '"9"'})
    refused(stale, 412, "withdrawal_changed")
    approved = await till.world.post(f"{one}/approve", officer, {}, **{"If-Match": '"1"'})
    assert (approved.json()["status"], approved.json()["version"]) == ("APPROVED", 2)
    refused(await till.world.post(f"{one}/cancel", owner), 409, "withdrawal_moved")


async def test_an_officer_does_not_decide_on_their_own(till: Till) -> None:
    officer = await till.user("20000", "0", Role.COMPLIANCE)
    told = await till.done("/withdrawals", officer, till.withdrawal(officer, amount="15000"))
    refused(await till.world.post(f"/withdrawals/{told['id']}/approve", officer), 403, "four_eyes")


async def test_compliance_names_its_reason(till: Till) -> None:
    user = await till.user("0", "10", verified=False)
    body = till.withdrawal(user, token=till.deed.contract_address)
    answer = await till.send("/withdrawals", user, body)
    refused(answer, 403, "kyc_required")
    assert answer.json()["reason"] == "10"


async def test_a_list_of_addresses_is_kept(till: Till) -> None:
    user, address = await till.user("10"), "0x" + "d7" * 20
    assert (await till.get("/withdrawals/addresses", user))["addresses"] == []
    added = await till.world.post("/withdrawals/addresses", user, {"address": address, "label": "cold"})
    assert (added.status_code, added.json()["address"].lower()) == (201, address)
    keyed = {**user.headers, "Idempotency-Key": str(uuid4())}
    put = await till.world.http.put("/withdrawals/allow-list", headers=keyed, json={"allowListOnly": True})
    assert (put.json()["allowListOnly"], len(put.json()["addresses"])) == (True, 1)
    body = till.withdrawal(user, destination=address)
    refused(await till.send("/withdrawals", user, body), 422, "destination_not_listed")
    one = f"/withdrawals/addresses/{address}"
    for expected in (200, 404):
        keyed = {**user.headers, "Idempotency-Key": str(uuid4())}
        assert (await till.world.http.delete(one, headers=keyed)).status_code == expected


async def test_limits_are_shown_and_set_by_admins(till: Till) -> None:
    admin, operator = await till.user("0", "0", Role.ADMIN), await till.user("0", "0", Role.OPERATOR)
    path = f"/admin/withdrawal-limits/{till.deed.token_id}"
    assert (await till.get(path, operator))["automaticUpTo"] == "10000"
    wanted = {"automaticUpTo": "0", "fourEyesAbove": "5.5", "dailyLimit": "100"}

    async def put(user: User, body: dict[str, Any]) -> Any:
        headers = {**user.headers, "Idempotency-Key": str(uuid4())}
        return await till.world.http.put(path, headers=headers, json=body)

    refused(await put(operator, wanted), 403, "forbidden")
    assert (await put(admin, wanted)).is_success
    told = await till.get(path, admin)
    assert {name: told[name] for name in wanted} == wanted
    refused(await put(admin, {**wanted, "dailyLimit": "-1"}), 422, "invalid_request", "/dailyLimit")


# Transfers


async def test_a_transfer_is_seen_by_both_and_nobody_else(till: Till) -> None:
    giver, taker, other = await till.user("10"), await till.user(), await till.user("0", "0", Role.OPERATOR)
    path = f"/tokens/{till.cash.token_id}/transfer"
    told = await till.done(path, giver, till.transfer(giver, taker, amount="4"))
    assert (told["status"], told["amount"], told["toUserId"]) == ("PENDING", "4", str(taker.user_id))
    one = f"/transfers/{told['id']}"
    assert await till.get(one, giver) == await till.get(one, taker) == told
    for user in (giver, taker):
        assert [each["id"] for each in (await till.get("/transfers", user))["data"]] == [told["id"]]
    refused(await till.world.http.get(one, headers=other.headers), 404, "transfer_not_found")


async def test_a_transfer_names_one_token_twice(till: Till) -> None:
    giver, taker = await till.user("10"), await till.user()
    path = f"/tokens/{till.deed.token_id}/transfer"
    refused(await till.send(path, giver, till.transfer(giver, taker)), 422, "invalid_request", "/token")
    path = f"/tokens/{till.cash.token_id}/transfer"
    refused(await till.send(path, giver, till.transfer(giver, giver)), 422, "same_account")
    body = till.signed(giver, TRANSFER, to="0x" + "e9" * 20)
    refused(await till.send(path, giver, body), 422, "receiver_unknown")
    refused(await till.send(path, giver, till.transfer(giver, taker, amount="11")), 422, "insufficient_funds")


# The ledger


async def test_lines_are_paged_with_their_running_balance(till: Till) -> None:
    user = await till.user()
    for number in range(1, 8):
        await _put(till, user, number)
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    for _ in range(5):
        page = await till.get("/ledger", user, limit=3, **cursor)
        seen += page["data"]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert [line["amount"] for line in seen] == [f"0.00000{number}" for number in range(7, 0, -1)]
    assert [line["balance"] for line in seen] == [
        "0.000028",
        "0.000021",
        "0.000015",
        "0.00001",
        "0.000006",
        "0.000003",
        "0.000001",
    ]
    assert (await till.get("/ledger", user, tokenId=str(till.deed.token_id)))["data"] == []
    exported = await till.get("/ledger/export", user, format="json")
    assert exported["data"] == seen
    assert all(line["trade"] is None for line in seen)
    answer = await till.world.http.get("/ledger/export", headers=user.headers)
    lines = answer.text.splitlines()
    assert lines[0] == (
        "id,createdAt,kind,symbol,tokenId,amount,balance,postingId,"
        "pair,side,price,priceSymbol,fee,feeSymbol,tradeId"
    )
    assert lines[1].endswith("," * 7), "no trade made it"
    assert len(lines) == 8
    assert answer.headers["Content-Disposition"] == 'attachment; filename="statement.csv"'


async def _put(till: Till, user: User, units: int) -> None:
    posting = into_the_vault(uuid4(), LineKind.DEPOSIT, AccountId(user.user_id), till.cash.token_id, units)
    async with till.world.db.transaction() as tx:
        await post(tx, [posting])


async def test_balances_are_shown_to_their_owner_and_to_staff(till: Till) -> None:
    user, other, officer = (
        await till.user("7", "3"),
        await till.user(),
        await till.user("0", "0", Role.OPERATOR),
    )
    await till.done("/withdrawals", user, till.withdrawal(user, amount="2"))
    path = f"/tokens/balances/{user.user_id}"
    told = await till.get(path, user)
    assert told == await till.get(path, officer)
    by_symbol = {entry["symbol"]: entry for entry in told["data"]}
    assert (by_symbol["USDC"]["available"], by_symbol["USDC"]["locked"], by_symbol["USDC"]["total"]) == (
        "5",
        "2",
        "7",
    )
    one = await till.get(f"{path}/{till.cash.token_id}", user)
    assert one == by_symbol["USDC"]
    refused(await till.world.http.get(path, headers=other.headers), 404, "user_not_found")
    refused(
        await till.world.http.get(f"/tokens/balances/{uuid4()}", headers=officer.headers),
        404,
        "user_not_found",
    )
    refused(await till.world.http.get(f"{path}/{uuid4()}", headers=user.headers), 404, "token_not_found")


# The watcher


async def test_metrics_say_where_the_watcher_stands(till: Till) -> None:
    told = (await till.world.http.get("http://localhost:3000/metrics")).text
    assert "deedbook_watcher_block 7.0" in told
    assert "deedbook_watcher_stopped 0.0" in told
    async with till.world.db.transaction() as tx:
        await tx.execute("UPDATE chain_cursors SET stopped_reason = 'the chain took something back'")
    operator = await till.user("0", "0", Role.OPERATOR)
    assert "took something back" in (await till.get("/admin/chain/watcher", operator))["stoppedReason"]
    assert "deedbook_watcher_stopped 1.0" in (await till.world.http.get("http://localhost:3000/metrics")).text


async def test_operators_see_the_watcher_and_have_blocks_read_again(till: Till) -> None:
    operator = await till.user("0", "0", Role.OPERATOR)
    assert (await till.get("/admin/chain/watcher", operator))["blockNumber"] == 7
    key = {"Idempotency-Key": str(uuid4())}
    body = {"fromBlock": 1, "toBlock": 5}
    first = await till.world.post("/admin/chain/rescan", operator, body, **key)
    again = await till.world.post("/admin/chain/rescan", operator, body, **key)
    assert (first.status_code, again.json()) == (202, first.json())
    async with till.world.db.reading() as connection:
        assert await connection.fetchval("SELECT count(*) FROM jobs WHERE name = 'rescan-vault'") == 1
    for bad in ({"fromBlock": 5, "toBlock": 4}, {"fromBlock": 0, "toBlock": 100_000}):
        refused(
            await till.world.post("/admin/chain/rescan", operator, bad), 422, "invalid_request", "/toBlock"
        )
