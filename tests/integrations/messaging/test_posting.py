"""Posts to addresses that users have named, over real HTTP: nowhere but there, and never into our own network."""

import pytest

from deedbook.integrations.messaging.posting import WebhookPoster
from deedbook.notifications.ports import Outcome
from deedbook.notifications.terms import Arrival
from tests.support.letter_box import LetterBox, letter_box

BODY = b'{"type":"webhook.test"}'


async def to_loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def post(
    box: LetterBox, *, private_too: bool = True, timeout_s: float = 5.0, host: str = ""
) -> Outcome:
    """To the box, under a name that leads there."""
    poster = WebhookPoster(timeout_s, private_too=private_too, lookup=to_loopback)
    return await poster.post(
        f"http://{host or '127.0.0.1'}:{box.port}/hook?a=1", {"webhook-id": "msg_1"}, BODY
    )


async def test_what_is_posted_arrives_as_it_is_under_the_name_that_was_given() -> None:
    async with letter_box() as box:
        outcome = await post(box, host="hooks.example.com")
    (got,) = box.received
    assert outcome == Outcome(Arrival.DELIVERED, "answered 200", 200)
    assert (got.method, got.target, got.body) == ("POST", "/hook?a=1", BODY)
    assert got.headers["webhook-id"] == "msg_1"
    assert got.headers["host"] == f"hooks.example.com:{box.port}"


@pytest.mark.parametrize(
    ("status", "arrival"),
    [
        (204, Arrival.DELIVERED),
        (301, Arrival.LATER),
        (404, Arrival.LATER),
        (410, Arrival.NEVER),
        (429, Arrival.LATER),
        (503, Arrival.LATER),
    ],
)
async def test_an_answer_is_taken_at_its_number_and_nothing_is_followed(
    status: int, arrival: Arrival
) -> None:
    async with letter_box() as elsewhere, letter_box() as box:
        box.statuses, box.headers = [status], f"location: {elsewhere.url}/\r\n"
        assert (await post(box)).arrival is arrival
        assert (len(box.received), elsewhere.received) == (1, [])


@pytest.mark.parametrize("url", ["https://hooks.example.com", "https://127.0.0.1", "https://[::1]"])
async def test_nothing_reaches_our_own_network(url: str) -> None:
    async with letter_box() as box:
        poster = WebhookPoster(2.0, lookup=to_loopback)
        outcome = await poster.post(f"{url}:{box.port}/", {}, BODY)
        in_plain = await post(box, private_too=False)
        assert box.received == []
    assert (outcome.arrival, in_plain.arrival) == (Arrival.LATER, Arrival.LATER)
    assert outcome.told == "no answer: NotPublic"


async def test_an_answer_that_is_too_large_or_too_late_is_none() -> None:
    async with letter_box() as box:
        box.answer = b"x" * 100_000
        assert await post(box) == Outcome(Arrival.LATER, "the answer was too large")
        box.delay_s = 1.0
        assert (await post(box, timeout_s=0.1)).arrival is Arrival.LATER
    assert (await post(box)).arrival is Arrival.LATER
