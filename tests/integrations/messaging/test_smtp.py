"""Letters to a real SMTP server: kept private on the way, refused for good or for now, the same letter twice."""

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deedbook.integrations.messaging.smtp import Security, SmtpServer
from deedbook.notifications.ports import Mail
from deedbook.notifications.terms import Arrival
from tests.support.mail_server import PASSWORD, USER, Certificate, MailServer, certificate, mail_server

MAIL = Mail(
    "<1@deedbook.test>",
    "ada@example.com",
    "Order filled: BUY 1 on Château-USDC",
    "plain text\n",
    "<p>x &amp; y</p>\n",
    datetime(2026, 3, 1, tzinfo=UTC),
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(Path(tmp_path_factory.mktemp("mail")))


def to(server: MailServer, security: Security = Security.NONE, **more: Any) -> SmtpServer:
    return SmtpServer("127.0.0.1", server.port, security, "no-reply@deedbook.test", timeout_s=5.0, **more)


def signed_in(server: MailServer, trust: ssl.SSLContext | None, password: str = PASSWORD) -> SmtpServer:
    return to(server, Security.STARTTLS, user=USER, password=password, trust=trust)


async def test_a_letter_arrives_after_starttls_and_a_sign_in(own: Certificate) -> None:
    async with mail_server(own) as server:
        outcome = await signed_in(server, own.trust).send(MAIL)
    (letter,) = server.letters
    assert (outcome.arrival, server.signed_in) == (Arrival.DELIVERED, [True])
    assert letter["Subject"] == MAIL.subject
    assert (letter["Message-ID"], letter["To"]) == (MAIL.message_id, MAIL.to)
    assert letter["Auto-Submitted"] == "auto-generated"
    parts = {part.get_content_type(): part.get_content() for part in letter.iter_parts()}
    assert {kind: text.replace("\r\n", "\n") for kind, text in parts.items()} == {
        "text/plain": MAIL.text,
        "text/html": MAIL.html,
    }


async def test_a_letter_arrives_over_tls_from_the_first_byte(own: Certificate) -> None:
    async with mail_server(own, tls=True) as server:
        outcome = await to(server, Security.TLS, trust=own.trust).send(MAIL)
    assert (outcome.arrival, len(server.letters)) == (Arrival.DELIVERED, 1)


async def test_nothing_is_sent_where_the_way_is_not_private_or_the_sign_in_is_wrong(own: Certificate) -> None:
    """All of them are ours to mend, so the letter waits."""
    async with mail_server(own) as server:
        for wrong in (
            signed_in(server, None),
            signed_in(server, own.trust, "another-password"),
            to(server),
        ):
            outcome = await wrong.send(MAIL)
            assert outcome.arrival is Arrival.LATER, outcome
            assert PASSWORD not in outcome.told + repr(wrong)
    async with mail_server() as plain:
        assert (await to(plain, Security.STARTTLS, trust=own.trust).send(MAIL)).arrival is Arrival.LATER
    assert server.letters == plain.letters == []


@pytest.mark.parametrize(
    ("answers", "arrival"),
    [
        ({"to_receivers": "550 5.1.1 ada@example.com is unknown"}, Arrival.NEVER),
        ({"to_receivers": "451 4.7.1 greylisted"}, Arrival.LATER),
        ({"to_letters": "554 5.7.1 ada@example.com does not like it"}, Arrival.NEVER),
        ({"to_letters": "452 4.3.1 full"}, Arrival.LATER),
    ],
)
async def test_what_is_refused_for_good_is_over_and_the_rest_waits(
    answers: dict[str, str], arrival: Arrival
) -> None:
    async with mail_server() as server:
        for name, answer in answers.items():
            setattr(server, name, answer)
        outcome = await to(server).send(MAIL)
    assert outcome.arrival is arrival
    assert MAIL.to not in outcome.told


async def test_a_server_that_is_silent_or_away_is_asked_again_later() -> None:
    async with mail_server() as server:
        server.silent_s = 1.0
        slow = SmtpServer("127.0.0.1", server.port, Security.NONE, "no-reply@deedbook.test", timeout_s=0.2)
        assert (await slow.send(MAIL)).arrival is Arrival.LATER
    assert (await to(server).send(MAIL)).arrival is Arrival.LATER
