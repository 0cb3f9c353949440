"""One demo stack and one browser for all tests of the console."""

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from deedbook.api.shelf import BUILT
from tests.console.browser import chromium, open_browser
from tests.console.venue import Venue, open_venue
from tests.support.mail_server import MailServer, mail_server

CONTACT = "mailto:ops@deedbook.test"


@pytest.fixture(scope="package")
async def venue() -> AsyncIterator[Venue]:
    async with mail_server() as mail, open_venue(is_strange=True, **by(mail), PUSH_CONTACT=CONTACT) as opened:
        opened.letters = mail.letters
        yield opened


def by(mail: MailServer) -> dict[str, str]:
    """The settings of a platform that sends its letters there."""
    return {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mail.port),
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "no-reply@deedbook.test",
    }


@pytest.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    """Skipped where there is none, and never where all has to be proven."""
    missing = "" if chromium() else "no Chromium on the PATH: `make dev` installs it for root"
    missing = missing or (
        "" if (BUILT / "index.html").exists() else "the console is not built: `make console`"
    )
    if missing:
        assert os.environ.get("CI") != "true", missing
        pytest.skip(missing)
    async with open_browser() as opened:
        yield opened
