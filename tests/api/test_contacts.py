"""Where I hear of what, and where I can be reached: an address counts once its code came back."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from deedbook import notifications
from deedbook.custody.events import DepositFailed, TransferCompleted, WithdrawalFailed
from deedbook.identity.typed_data import DEPOSIT, ORDER, TRANSFER, WITHDRAWAL
from deedbook.infra.embedded import EmbeddedValkey
from deedbook.kernel.ids import UserId
from deedbook.notifications import contacts, jobs
from deedbook.notifications.errors import TooManyCodes
from deedbook.notifications.ports import Messengers
from deedbook.notifications.terms import Channel
from deedbook.workers.notification_sinks import TradingNotificationsSink
from tests.api.support import every_refusal_is_a_problem, refused
from tests.notifications.support import (
    FakeMailer,
    Resources,
    caller_of,
    jobs_named,
    sample,
    stored,
    told_of_a_deposit,
)
from tests.support.floor import Floor
from tests.support.servers import PostgresServer
from tests.support.world import User, World, open_world

MAIL = {"SMTP_HOST": "127.0.0.1", "MAIL_FROM": "no-reply@deedbook.test"}


@pytest.fixture(scope="module")
async def mailing(postgres: PostgresServer, valkey: EmbeddedValkey) -> AsyncIterator[World]:
    """A world that sends mail, and no text messages."""
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), **MAIL) as opened:
        opened.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield opened
    await postgres.drop(dsn)


async def give(world: World, user: User, address: str = "ada@example.com", channel: str = "email") -> int:
    headers = {**user.headers, "Idempotency-Key": str(uuid4())}
    answer = await world.http.put(f"/me/contacts/{channel}", headers=headers, json={"address": address})
    return answer.status_code


async def code_sent(world: World, user: User) -> str:
    """Run the jobs that send codes; the last code that came to the user."""
    mailer = FakeMailer()
    resources = Resources(
        world.db, Messengers(mailer=mailer), world.resources.message_policy, world.resources.redis
    )
    for job in await jobs_named(world.db, "send-contact-code"):
        if job.data["userId"] == str(user.user_id):
            await jobs.send_contact_code(resources, job)
    return mailer.letters[-1].subject.rsplit(" ", 1)[1]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


async def test_an_address_counts_when_its_code_came_back(mailing: World) -> None:
    me = await mailing.user()
    assert await give(mailing, me) == 200
    code = await code_sent(mailing, me)
    refused(
        await mailing.post("/me/contacts/email/verify", me, {"code": other_than(code)}), 422, "code_refused"
    )
    assert (await mailing.post("/me/contacts/email/verify", me, {"code": code})).status_code == 200
    told = (await mailing.http.get("/me/contacts", headers=me.headers)).json()
    assert told["available"] == ["email"]
    assert [(entry["address"], entry["verified"]) for entry in told["contacts"]] == [
        ("ada@example.com", True)
    ]
    assert (await mailing.http.delete("/me/contacts/email", headers=me.headers)).status_code == 200
    assert (await mailing.http.get("/me/contacts", headers=me.headers)).json()["contacts"] == []


async def test_a_code_is_of_one_address_and_has_five_tries(mailing: World) -> None:
    me = await mailing.user()
    await give(mailing, me)
    former = await code_sent(mailing, me)
    await give(mailing, me, "bob@example.com")
    code = await code_sent(mailing, me)
    wrong = former if former != code else other_than(code)
    for _ in range(5):
        refused(await mailing.post("/me/contacts/email/verify", me, {"code": wrong}), 422, "code_refused")
    refused(await mailing.post("/me/contacts/email/verify", me, {"code": code}), 422, "code_refused")


async def test_so_many_codes_are_sent_in_an_hour(mailing: World) -> None:
    me = await mailing.user()
    assert [await give(mailing, me) for _ in range(6)] == [200] * 5 + [429]


async def test_only_so_many_codes_leave_as_text_messages_whoever_asks(mailing: World) -> None:
    """Each costs money, and accounts cost none."""
    users = [await mailing.user() for _ in range(3)]

    async def ask(place: int) -> None:
        caller, number = caller_of(UserId(users[place].user_id)), f"+35262100000{place}"
        async with mailing.db.transaction() as tx:
            await contacts.put(tx, caller, Channel.SMS, number, {Channel.SMS}, 2)

    await ask(0)
    await ask(1)
    with pytest.raises(TooManyCodes):
        await ask(2)
    assert await give(mailing, users[2]) == 200


async def test_taking_an_address_away_or_another_wallet_makes_no_room_for_more_codes(mailing: World) -> None:
    me, victim = await mailing.user(), "victim@example.com"
    for _ in range(5):
        assert await give(mailing, me, victim) == 200
        await mailing.http.delete("/me/contacts/email", headers=me.headers)
    assert await give(mailing, me, "another@example.com") == 429
    other, third = await mailing.user(), await mailing.user()
    assert [await give(mailing, other, victim.title()) for _ in range(5)] == [200] * 5
    assert await give(mailing, third, victim) == 429
    assert await give(mailing, third, "third@example.com") == 200


@pytest.mark.parametrize(
    "address",
    ["ada", "ada@localhost", "a b@example.com", "ada@example.com\r\nBcc: x@y.zz", "<ada@example.com>"],
)
async def test_what_is_no_address_is_refused(mailing: World, address: str) -> None:
    assert await give(mailing, await mailing.user(), address) == 422


async def test_a_way_that_is_not_set_up_is_refused(mailing: World) -> None:
    assert await give(mailing, await mailing.user(), "+352621000000", "sms") == 409


async def test_no_address_and_no_code_stands_in_a_fact_a_job_or_an_event(mailing: World) -> None:
    me = await mailing.user()
    await give(mailing, me, "secret.name@example.com")
    code = await code_sent(mailing, me)
    async with mailing.db.reading() as connection:
        told = await connection.fetchval(
            "SELECT string_agg(t, '') FROM (SELECT data::text AS t FROM jobs UNION ALL "
            "SELECT payload::text || coalesce(before::text, '') || coalesce(after::text, '') FROM events) AS x"
        )
    assert "secret.name" not in told
    assert f'"{code}"' not in told


async def test_what_i_choose_stays_chosen_and_the_rest_as_it_was(shared: World) -> None:
    me = await shared.user()

    async def chosen() -> dict[str, tuple[bool, bool, bool]]:
        told = (await shared.http.get("/me/notification-preferences", headers=me.headers)).json()
        return {
            entry["kind"]: (entry["inApp"], entry["email"], entry["sms"]) for entry in told["preferences"]
        }

    before = await chosen()
    assert before["order.filled"] == (True, True, False)
    wanted = [
        {"kind": "order.filled", "email": False, "sms": True},
        {"kind": "user.role_granted", "inApp": False},
    ]
    for _ in range(2):
        answer = await shared.http.put(
            "/me/notification-preferences", headers=me.headers, json={"preferences": wanted}
        )
        assert answer.status_code == 200
    after = await chosen()
    assert after == {**before, "order.filled": (True, False, True)}
    bad = await shared.http.put(
        "/me/notification-preferences", headers=me.headers, json={"preferences": [{"kind": "x"}]}
    )
    refused(bad, 422, "invalid_request")


async def test_a_notification_of_a_deposit_shows_nothing_signed(shared: World) -> None:
    me = await shared.user()
    told = await told_of_a_deposit(shared.db, UserId(me.user_id))
    one = await shared.http.get(f"/me/notifications/{told}", headers=me.headers)
    assert one.json()["signed"] == []


async def test_a_confirmation_shows_exactly_what_was_signed(floor: Floor) -> None:
    buyer, seller = await floor.investor("1000"), await floor.investor(deeds="5")
    signed = floor.order(buyer, "BUY", quantity="1.0", price="100.00", clientOrderId="mine-1")
    assert (await floor.send(buyer, signed)).status_code == 201
    await floor.place(seller, "SELL")
    await floor.match()
    sink = TradingNotificationsSink(floor.world.db, "relay", pause_s=0)
    while await sink.step():
        continue
    (told,) = (await floor.get("/me/notifications", buyer))["data"]
    one = await floor.get(f"/me/notifications/{told['id']}", buyer)
    shown = {entry["label"]: entry["value"] for entry in one["signed"]}
    assert one["kind"] == "order.filled"
    assert list(shown) == [*(name for name, _ in ORDER.fields), "hash"]
    assert (shown["quantity"], shown["price"], shown["clientOrderId"]) == ("1.0", "100.00", "mine-1")
    assert (shown["nonce"], shown["postOnly"]) == (signed["nonce"], "false")
    assert shown["hash"] == "0x" + floor.digest(signed).hex()


@pytest.mark.parametrize("kind", ["deposit", "withdrawal", "transfer"])
async def test_what_was_signed_for_money_is_shown_to_whoever_signed_it_and_nobody_else(
    floor: Floor, kind: str
) -> None:
    till, db = floor.till, floor.world.db
    owner, friend = await till.user("100"), await till.user()
    path, body, struct = {
        "deposit": ("/deposits", till.deposit(owner), DEPOSIT),
        "withdrawal": ("/withdrawals", till.withdrawal(owner), WITHDRAWAL),
        "transfer": (f"/tokens/{till.cash.token_id}/transfer", till.transfer(owner, friend), TRANSFER),
    }[kind]
    made = UUID((await till.done(path, owner, body))["id"])
    facts: dict[str, Any] = {
        "deposit": sample(DepositFailed, deposit_id=made, user_id=owner.user_id),
        "withdrawal": sample(WithdrawalFailed, withdrawal_id=made, user_id=owner.user_id),
        "transfer": sample(
            TransferCompleted, transfer_id=made, user_id=owner.user_id, to_user_id=friend.user_id
        ),
    }
    notices = await notifications.notices_of(db, [stored(facts[kind])])
    async with db.transaction() as tx:
        await notifications.tell(tx, notices)

    async def shown(user: User) -> list[list[dict[str, str]]]:
        listed = (await floor.get("/me/notifications", user))["data"]
        found = [await floor.get(f"/me/notifications/{told['id']}", user) for told in listed]
        return [one["signed"] for one in found]

    (signed,) = await shown(owner)
    assert [entry["label"] for entry in signed] == [*(name for name, _ in struct.fields), "hash"]
    told = {entry["label"]: entry["value"].lower() for entry in signed}
    assert all(told[name] == str(body[name]).lower() for name, _ in struct.fields)
    assert await shown(friend) == ([[]] if kind == "transfer" else [])
