"""Short messages through a gateway over real HTTP."""

import base64
from urllib.parse import parse_qs

import pytest

from deedbook.integrations.messaging.sms import SmsGateway
from deedbook.notifications.terms import Arrival
from tests.support.letter_box import LetterBox, letter_box

TO, TOKEN = "+352621000000", "a-token-of-the-gateway"


def gateway(box: LetterBox, timeout_s: float = 5.0) -> SmsGateway:
    return SmsGateway(box.url, "AC1", TOKEN, "+352621999999", timeout_s)


async def test_a_message_is_given_to_the_gateway_as_its_form_wants_it() -> None:
    async with letter_box() as box:
        box.statuses = [201]
        outcome = await gateway(box).send(TO, "Order filled & more")
    (got,) = box.received
    assert outcome.arrival is Arrival.DELIVERED
    assert (got.method, got.target) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    assert parse_qs(got.body.decode()) == {
        "To": [TO],
        "From": ["+352621999999"],
        "Body": ["Order filled & more"],
    }
    assert got.headers["authorization"] == "Basic " + base64.b64encode(f"AC1:{TOKEN}".encode()).decode()
    assert TOKEN not in repr(gateway(box))


@pytest.mark.parametrize(
    ("status", "arrival"),
    [
        (400, Arrival.NEVER),
        (401, Arrival.LATER),
        (429, Arrival.LATER),
        (500, Arrival.LATER),
        (302, Arrival.LATER),
    ],
)
async def test_what_is_not_the_messages_fault_is_tried_again(status: int, arrival: Arrival) -> None:
    async with letter_box() as box:
        box.statuses = [status]
        box.headers = "location: /elsewhere\r\n"
        outcome = await gateway(box).send(TO, "x")
    assert (outcome.arrival, len(box.received)) == (arrival, 1)
    assert TO not in outcome.told


async def test_a_gateway_that_is_silent_or_says_too_much_is_asked_again_later() -> None:
    async with letter_box() as box:
        box.delay_s = 1
        assert (await gateway(box, 0.1).send(TO, "x")).arrival is Arrival.LATER
        box.delay_s, box.answer = 0, b"x" * 100_000
        assert (await gateway(box).send(TO, "x")).arrival is Arrival.LATER
    assert (await gateway(box).send(TO, "x")).arrival is Arrival.LATER
