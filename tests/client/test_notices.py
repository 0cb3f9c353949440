"""A program that follows what it is told, says where, and has it posted."""

from collections.abc import AsyncIterator

import pytest

from deedbook.client import refusals
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.kernel.ids import UserId
from tests.api.test_contacts import MAIL, code_sent, other_than
from tests.client.support import program
from tests.notifications.support import told_of_a_deposit
from tests.support.floor import Floor, open_floor
from tests.support.servers import PostgresServer
from tests.support.world import open_world

URL = "https://example.com/hook"


@pytest.fixture(scope="module")
async def shared_floor(
    postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil
) -> AsyncIterator[Floor]:
    """One that sends mail, and no text messages."""
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), SAPPHIRE_RPC_URL=anvil.url, **MAIL) as world:
        yield await open_floor(world)
    await postgres.drop(dsn)


async def test_what_one_is_told_is_read_and_marked(floor: Floor) -> None:
    me = await floor.world.user()
    ids = [await told_of_a_deposit(floor.world.db, UserId(me.user_id)) for _ in range(3)]
    async with program(floor, me) as client:
        assert [told.id async for told in client.notifications()] == ids[::-1]
        first = await client.notification(ids[0])
        assert (first.kind, first.read_at, first.signed) == ("deposit.credited", None, ())
        assert (first.details[0].label, first.details[0].value) == ("Amount", "12.5")
        await client.mark_read(ids[1])
        assert await client.unread_count() == 2
        assert [told.id async for told in client.notifications(unread=True)] == [ids[2], ids[0]]
        assert await client.mark_all_read(ids[0]) == 1
        assert await client.mark_all_read(ids[2]) == 1
        assert await client.unread_count() == 0
        assert (await client.notification(ids[0])).read_at is not None
        with pytest.raises(refusals.NotificationNotFound):
            await client.mark_read(me.user_id)


async def test_one_hears_of_a_kind_of_thing_where_one_says(floor: Floor) -> None:
    me = await floor.world.user()
    async with program(floor, me) as client:
        before = {told.kind: told for told in await client.preferences()}
        kind = "order.partially_filled"
        wanted = not before[kind].email
        after = {told.kind: told for told in await client.prefer(kind, email=wanted)}
        assert (after[kind].email, after[kind].in_app) == (wanted, before[kind].in_app)
        assert {name for name in after if after[name] != before[name]} == {kind}
        assert await client.preferences() == tuple(after.values())


async def test_an_address_counts_when_its_code_comes_back(floor: Floor) -> None:
    me = await floor.world.user()
    async with program(floor, me) as client:
        assert (await client.contacts()).available == ("email",)
        with pytest.raises(refusals.ChannelNotSetUp):
            await client.give_contact("sms", "+352621000000")
        await client.give_contact("email", "ada@example.com")
        code = await code_sent(floor.world, me)
        with pytest.raises(refusals.CodeRefused):
            await client.verify_contact("email", other_than(code))
        await client.verify_contact("email", code)
        [contact] = (await client.contacts()).contacts
        assert (contact.channel, contact.address, contact.verified) == ("email", "ada@example.com", True)
        await client.remove_contact("email")
        assert (await client.contacts()).contacts == ()


async def test_what_happens_is_posted_to_a_webhook_whose_secret_is_told_once(floor: Floor) -> None:
    me = await floor.world.user()
    async with program(floor, me) as client:
        made = await client.add_webhook(URL, kinds=["order.filled"], description="the desk", key="hook-once")
        assert made.secret is not None and made.secret.startswith("whsec_") and made.secret not in repr(made)
        again = await client.add_webhook(URL, kinds=["order.filled"], description="the desk", key="hook-once")
        assert (again.webhook, again.secret) == (made.webhook, None)
        hook = made.webhook
        assert await client.webhooks() == (hook,) and await client.webhook(hook.id) == hook
        assert (hook.kinds, hook.enabled) == (("order.filled",), True)
        rotated = await client.rotate_webhook(hook.id)
        assert rotated.secret not in (None, made.secret) and rotated.webhook.former_secret_until is not None
        message_id = await client.test_webhook(hook.id)
        [message] = [message async for message in client.webhook_messages(hook.id)]
        assert (message.id, message.webhook_id, message.kind) == (
            message_id,
            f"msg_{message_id}",
            "webhook.test",
        )
        with pytest.raises(refusals.DeliveryUnderWay):
            await client.replay_webhook_message(hook.id, message_id)
        assert (await client.enable_webhook(hook.id)).enabled
        await client.remove_webhook(hook.id)
        assert await client.webhooks() == ()
