"""A-27: direct posts carry our HMAC over the moment and the body, or are refused."""

import hashlib
import hmac
import inspect
from datetime import UTC, datetime, timedelta

import pytest

from deedbook.integrations.entity_permissions import direct
from deedbook.integrations.entity_permissions.direct import WebhookUnsigned, sign, verify
from deedbook.integrations.entity_permissions.sns import WebhookStale

SECRET = "a-secret-of-at-least-thirty-two-characters"
BODY = b'{"event_id": "e-1"}'
NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
GOOD = sign(SECRET, BODY, AT)


def test_the_header_is_what_the_documentation_says() -> None:
    mac = hmac.new(SECRET.encode(), f"{AT}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert f"t={AT},v1={mac}" == GOOD
    verify(SECRET, GOOD, BODY, NOW)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=,v1=",
        f"t={AT}",
        GOOD.upper(),
        GOOD.replace("v1", "v0"),
        GOOD + " ",
        " " + GOOD,
        GOOD + "\n",
        GOOD.replace(",", ", "),
        GOOD[:-1],
        GOOD + "0",
        GOOD.replace(f"t={AT}", f"t=0{AT}"),
        GOOD.replace(f"t={AT}", f"t=-{AT}"),
        GOOD.replace(f"t={AT}", f"t={AT + 1}"),
        GOOD.replace(f"t={AT}", "t=٣"),
        GOOD.replace("v1=", "v1=é"),
        f"t={AT},v1={'0' * 64}",
        f"{GOOD},{GOOD}",
        f"t={'9' * 400},v1={'0' * 64}",
    ],
)
def test_a_27_any_other_header_is_refused(header: str | None) -> None:
    with pytest.raises(WebhookUnsigned):
        verify(SECRET, header, BODY, NOW)


@pytest.mark.parametrize("body", [b"", BODY + b" ", BODY[:-1], BODY.replace(b"e-1", b"e-2")])
def test_a_27_an_altered_body_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookUnsigned):
        verify(SECRET, GOOD, body, NOW)


@pytest.mark.parametrize("secret", ["another-secret-of-thirty-two-characters", "", SECRET + " "])
def test_a_27_another_secret_is_refused(secret: str) -> None:
    with pytest.raises(WebhookUnsigned):
        verify(SECRET, sign(secret, BODY, AT), BODY, NOW)


def test_without_a_secret_nothing_is_accepted() -> None:
    for header in (GOOD, sign("", BODY, AT), None):
        with pytest.raises(WebhookUnsigned, match="WEBHOOK_HMAC_SECRET"):
            verify(None, header, BODY, NOW)


@pytest.mark.parametrize("seconds", [301, 3600, -301, 10**9])
def test_a_header_of_another_time_is_refused(seconds: int) -> None:
    with pytest.raises(WebhookStale):
        verify(SECRET, sign(SECRET, BODY, AT - seconds), BODY, NOW)


@pytest.mark.parametrize("seconds", [0, 299, -299])
def test_a_header_a_little_off_is_accepted(seconds: int) -> None:
    verify(SECRET, GOOD, BODY, NOW + timedelta(seconds=seconds))


def test_signatures_are_compared_in_constant_time() -> None:
    assert "compare_digest" in inspect.getsource(direct.verify)


def test_a_refusal_shows_neither_secret_nor_signature() -> None:
    with pytest.raises(WebhookUnsigned) as refused:
        verify(SECRET, f"t={AT},v1={'0' * 64}", BODY, NOW)
    assert SECRET not in str(refused.value)
    assert GOOD.split("v1=")[1] not in str(refused.value)
