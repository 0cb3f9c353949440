"""Sign-in messages (EIP-4361): read exactly, judged in a fixed order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbook.identity import siwe
from deedbook.identity.errors import SignInRefused
from deedbook.kernel.clock import to_wire
from tests.identity.support import POLICY, Message

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
GOOD = Message(ADDRESS, "0123456789abcdef", issued_at=to_wire(NOW))


def judge(told: Message) -> None:
    siwe.judge(siwe.parse(told.text), domain=POLICY.domain, chain_id=POLICY.chain_id, now=NOW)


def at(**shift: float) -> str:
    return to_wire(NOW + timedelta(**shift))


VIEM = (
    f"localhost:3000 wants you to sign in with your Ethereum account:\n{ADDRESS}\n\n\nURI: http://localhost:3000/login\n"
    "Version: 1\nChain ID: 31337\nNonce: 0123456789abcdef\nIssued At: 2026-03-04T05:06:07.000Z"
)


@pytest.mark.parametrize(
    "told",
    [
        GOOD,
        GOOD.but(statement=""),
        GOOD.but(scheme="http://"),
        GOOD.but(domain="LOCALHOST:3000"),
        GOOD.but(uri="http://localhost:3000/login?next=%2F#top"),
        GOOD.but(statement="URI: of the statement, not of the message\n"),
        GOOD.but(issued_at=at(seconds=59)),
        GOOD.but(issued_at=at(minutes=-9)),
        GOOD.but(issued_at="2026-03-04T06:06:07+01:00"),
        GOOD.but(more=f"\nExpiration Time: {at(seconds=1)}"),
        GOOD.but(more=f"\nNot Before: {at(seconds=-1)}"),
        GOOD.but(more=f"\nExpiration Time: {at(minutes=5)}\nNot Before: {at()}\nRequest ID: a b\nResources:\n- a\n- y"),
        GOOD.but(more="\nRequest ID: "),
        GOOD.but(more="\nResources:"),
    ],
    ids=lambda told: told.text.partition("Nonce")[2][16:60],
)  # fmt: skip
def test_a_message_holds_when_it_is_for_us_and_fresh(told: Message) -> None:
    judge(told)


def test_a_message_without_statement_is_read_when_viem_or_the_siwe_library_wrote_it() -> None:
    assert siwe.parse(VIEM).uri == "http://localhost:3000/login"
    assert siwe.parse(VIEM.replace("\n\n\nURI", "\n\nURI")).nonce == "0123456789abcdef"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (GOOD.but(domain="evil.test"), "another domain"),
        (GOOD.but(domain="localhost:3001"), "another domain"),
        (GOOD.but(domain="localhost:3000.evil.test"), "another domain"),
        (GOOD.but(domain="localhost:3000@evil.test"), "another domain"),
        (GOOD.but(uri="http://evil.test"), "URI is not at"),
        (GOOD.but(uri="http://localhost:3000@evil.test/"), "URI is not at"),
        (GOOD.but(uri="http://evil.test/localhost:3000"), "URI is not at"),
        (GOOD.but(uri="http://["), "URI is not at"),
        (GOOD.but(uri="http://localhost：3000"), "URI is not at"),
        (GOOD.but(version="2"), "version 1"),
        (GOOD.but(chain_id="1"), "another chain"),
        (GOOD.but(chain_id="999999999999999999"), "another chain"),
        (GOOD.but(issued_at=at(minutes=-11)), "not issued just now"),
        (GOOD.but(issued_at=at(minutes=2)), "not issued just now"),
        (GOOD.but(issued_at="0001-01-01T00:00:00+14:00"), "not issued just now"),
        (GOOD.but(issued_at="9999-12-31T23:59:59-14:00"), "not issued just now"),
        (GOOD.but(issued_at="yesterday"), "RFC 3339"),
        (GOOD.but(issued_at="2026-03-04T05:06:07"), "no zone"),
        (GOOD.but(more=f"\nExpiration Time: {at()}"), "has expired"),
        (GOOD.but(more=f"\nExpiration Time: {at(days=-1)}"), "has expired"),
        (GOOD.but(more=f"\nNot Before: {at(minutes=2)}"), "not valid yet"),
        (GOOD.but(more="\nExpiration Time: never"), "RFC 3339"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_message_is_refused_when_one_field_does_not_hold(told: Message, why: str) -> None:
    with pytest.raises(SignInRefused, match=why):
        judge(told)


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD.text + "\n",
        "\n" + GOOD.text,
        GOOD.text.replace("\n", "\r\n"),
        GOOD.text.replace("Chain ID", "Chain Id"),
        GOOD.text.replace("Version: 1", "Version: one"),
        GOOD.text.replace("Version: 1\n", ""),
        GOOD.text + "\nResources:\n- a\nExpiration Time: 2026-03-04T06:00:00Z",
        GOOD.but(nonce="short").text,
        GOOD.but(nonce="x" * 65).text,
        GOOD.but(nonce="0123456789abcde-").text,
        GOOD.but(chain_id="-1").text,
        GOOD.but(chain_id="٣").text,
        GOOD.but(statement="two\nlines\n").text,
        GOOD.but(statement="x" * 4000 + "\n").text,
        GOOD.but(address=ADDRESS.lower()).text,
        GOOD.but(address=ADDRESS[:-1] + "5").text,
        GOOD.but(address=ADDRESS.upper().replace("X", "x")).text,
    ],
    ids=repr,
)
def test_a_text_is_refused_when_it_is_no_such_message(text: str) -> None:
    with pytest.raises(SignInRefused):
        siwe.parse(text)


@given(st.text(max_size=400), st.integers(0, 250))
def test_reading_ends_in_a_message_or_a_refusal_when_the_text_is_anything(noise: str, place: int) -> None:
    text = GOOD.text[:place] + noise + GOOD.text[place:]
    try:
        siwe.judge(siwe.parse(text), domain=POLICY.domain, chain_id=POLICY.chain_id, now=NOW)
    except SignInRefused:
        return
    assert text.startswith(("localhost:3000 wants", "http", "LOCALHOST")) or "://localhost:3000 wants" in text
