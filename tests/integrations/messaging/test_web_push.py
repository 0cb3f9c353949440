"""Messages to browsers: sealed so that the browser alone reads them, and vouched for so that its service takes them."""

import time

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from deedbook.integrations.messaging.posting import WebhookPoster
from deedbook.integrations.messaging.web_push import WebPush
from deedbook.integrations.messaging.web_push_seal import MAX_PLAIN, encoded, point, seal
from deedbook.notifications.ports import Outcome, PushMessage, PushTarget
from deedbook.notifications.terms import Arrival
from tests.support.push_service import Browser, from_base64url, push_service, vouched

KEY = ec.generate_private_key(ec.SECP256R1())
CONTACT = "mailto:push@deedbook.test"
MESSAGE = PushMessage("abcdefghijklmnopqrstuv", b'{"title":"Filled"}', urgent=True, keep_s=86_400)


def pusher(timeout_s: float = 5.0, *, private_too: bool = True) -> WebPush:
    return WebPush(KEY, CONTACT, WebhookPoster(timeout_s, private_too=private_too))


def target_of(browser: Browser) -> PushTarget:
    return PushTarget(browser.endpoint, browser.point, browser.secret)


async def test_a_browser_reads_what_was_pushed_and_its_service_knows_who_sends() -> None:
    async with push_service() as (service, browser):
        outcome = await pusher().push(target_of(browser), MESSAGE)
        (got,) = service.received
    assert outcome == Outcome(Arrival.DELIVERED, "answered 201", 201)
    assert browser.read(got.body) == MESSAGE.body
    assert (got.method, got.target) == ("POST", "/push/a-long-secret-name")
    told = {name: got.headers[name] for name in ("content-encoding", "ttl", "urgency", "topic")}
    assert told == {
        "content-encoding": "aes128gcm",
        "ttl": "86400",
        "urgency": "high",
        "topic": MESSAGE.topic,
    }
    claims = vouched(got, encoded(point(KEY)), browser.endpoint)
    assert claims["sub"] == CONTACT and time.time() < claims["exp"] <= time.time() + 86_400


async def test_nobody_else_reads_it_and_no_two_messages_share_a_key() -> None:
    async with push_service() as (service, browser):
        for _ in range(2):
            await pusher().push(target_of(browser), MESSAGE)
        bodies = [got.body for got in service.received]
    stranger = Browser(browser.endpoint)
    for body in bodies:
        with pytest.raises(InvalidTag):
            stranger.read(body)
    assert len({body[:16] for body in bodies}) == len({body[21:86] for body in bodies}) == 2


def test_what_is_sealed_is_what_the_rfc_has_as_its_example() -> None:
    """RFC 8291, appendix A."""
    sender = ec.derive_private_key(
        int.from_bytes(from_base64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    receiver = from_base64url(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    )
    secret, salt = from_base64url("BTBZMqHH6r4Tts7J_aSIgg"), from_base64url("DGv6ra1nlYgDCS1FRnbzlw")
    told = seal(b"When I grow up, I want to be a watermelon", receiver, secret, sender, salt)
    assert encoded(told) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_the_longest_message_is_one_that_every_service_carries() -> None:
    browser = Browser("https://push.example.com/push/x")
    sealed = seal(b"x" * MAX_PLAIN, browser.point, browser.secret, KEY, b"0" * 16)
    assert len(sealed) == 4096 and browser.read(sealed) == b"x" * MAX_PLAIN


@pytest.mark.parametrize(
    ("status", "arrival", "gone"),
    [
        (200, Arrival.DELIVERED, False),
        (202, Arrival.DELIVERED, False),
        (404, Arrival.NEVER, True),
        (410, Arrival.NEVER, True),
        (400, Arrival.NEVER, False),
        (403, Arrival.NEVER, False),
        (413, Arrival.NEVER, False),
        (429, Arrival.LATER, False),
        (301, Arrival.LATER, False),
        (503, Arrival.LATER, False),
    ],
)
async def test_an_answer_says_whether_it_is_tried_again_and_whether_anybody_is_there(
    status: int, arrival: Arrival, gone: bool
) -> None:
    async with push_service() as (service, browser):
        service.statuses = [status]
        outcome = await pusher().push(target_of(browser), MESSAGE)
    assert outcome == Outcome(arrival, f"answered {status}", status, gone=gone)


async def test_nothing_is_pushed_into_our_own_network_and_silence_is_tried_again() -> None:
    async with push_service() as (service, browser):
        assert (await pusher(private_too=False).push(target_of(browser), MESSAGE)).arrival is Arrival.LATER
        assert service.received == []
        service.delay_s = 0.5
        assert (await pusher(timeout_s=0.1).push(target_of(browser), MESSAGE)).arrival is Arrival.LATER
