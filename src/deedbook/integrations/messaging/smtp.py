"""A mail server over SMTP: STARTTLS or TLS from the first byte, with a name and a password where it wants them.

What it refuses for good (5xx) about a letter or its receiver is over; everything else may pass later. Neither its words
nor the receiver's address are put into what we write down.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import Enum

import aiosmtplib

from deedbook.notifications.ports import Mail, Outcome
from deedbook.notifications.terms import Arrival

COMMANDS = 3
"""A letter is some commands, each with the timeout; all of them together have so many times as long."""
# 530, 534, 535 and 538 are about signing in and keeping the way private (RFC 4954, RFC 3207).
_PERMANENT = frozenset(range(500, 600)) - {530, 534, 535, 538}
# About ourselves and our manners, which people mend: the letter is not at fault.
_OURS = (
    aiosmtplib.SMTPAuthenticationError,
    aiosmtplib.SMTPSenderRefused,
    aiosmtplib.SMTPHeloError,
    aiosmtplib.SMTPConnectResponseError,
    aiosmtplib.SMTPNotSupported,
)


class Security(Enum):
    """How the way to the server is kept private."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True)
class SmtpServer:
    """Implements the `Mailer` port. `trust` is for a server whose certificate is not signed by a public authority."""

    host: str
    port: int
    security: Security
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 10.0
    trust: ssl.SSLContext | None = None

    async def send(self, mail: Mail) -> Outcome:
        """Bring one letter to the server."""
        try:
            async with asyncio.timeout(COMMANDS * self.timeout_s):
                await aiosmtplib.send(
                    self._message(mail),
                    hostname=self.host,
                    port=self.port,
                    username=self.user,
                    password=self.password,
                    use_tls=self.security is Security.TLS,
                    start_tls=self.security is Security.STARTTLS,
                    tls_context=self.trust,
                    timeout=self.timeout_s,
                )
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return _outcome(error)
        return Outcome(Arrival.DELIVERED, "accepted by the mail server")

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(mail.at)
        message["Message-ID"] = mail.message_id
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        return message


def _outcome(error: Exception) -> Outcome:
    code = _code(error)
    if code in _PERMANENT and not isinstance(error, _OURS):
        return Outcome(Arrival.NEVER, f"the mail server refused it: {code}")
    return Outcome(Arrival.LATER, f"the mail server: {code or type(error).__name__}")


def _code(error: Exception) -> int | None:
    """The server's code, or that of the one receiver whom it refuses."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return error.recipients[0].code
    return error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None
