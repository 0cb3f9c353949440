"""Sign-in with Ethereum (EIP-4361): reading the message and judging it. Pure.

The `siwe` package would do this too, but its newest release pins an older eth-account and brings web3.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from deedbook.identity.errors import SignInRefused
from deedbook.identity.signatures import checksum_address, parse_address
from deedbook.identity.terms import Address

MAX_MESSAGE_LENGTH = 4000
MAX_AGE = timedelta(minutes=10)
CLOCK_SLACK = timedelta(seconds=60)

_MESSAGE = re.compile(
    r"(?:(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://)?(?P<domain>[^\s/]+) wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9a-fA-F]{40})\n\n"
    r"(?:(?P<statement>[^\n]+)\n)?\n?"
    r"URI: (?P<uri>[^\s]+)\n"
    r"Version: (?P<version>[0-9]+)\n"
    r"Chain ID: (?P<chain_id>[0-9]{1,18})\n"
    r"Nonce: (?P<nonce>[a-zA-Z0-9]{8,64})\n"
    r"Issued At: (?P<issued_at>[^\n]+)"
    r"(?:\nExpiration Time: (?P<expires_at>[^\n]+))?"
    r"(?:\nNot Before: (?P<not_before>[^\n]+))?"
    r"(?:\nRequest ID: (?P<request_id>[^\n]*))?"
    r"(?:\nResources:(?P<resources>(?:\n- [^\n]+)*))?"
)


@dataclass(frozen=True)
class SignInMessage:
    """The fields that are judged."""

    domain: str
    address: Address
    uri: str
    version: str
    chain_id: int
    nonce: str
    issued_at: datetime
    expires_at: datetime | None
    not_before: datetime | None
    statement: str


def parse(text: str) -> SignInMessage:
    """Read a message.

    Raises:
        SignInRefused: the text is not an EIP-4361 message, says what part.
    """
    match = _MESSAGE.fullmatch(text) if len(text) <= MAX_MESSAGE_LENGTH else None
    if match is None:
        raise SignInRefused("the text is not a Sign-in with Ethereum message (EIP-4361)")
    address = parse_address(match["address"])
    if address is None or checksum_address(address) != match["address"]:
        raise SignInRefused("the address must carry its EIP-55 checksum")
    return SignInMessage(
        domain=match["domain"],
        address=address,
        uri=match["uri"],
        version=match["version"],
        chain_id=int(match["chain_id"]),
        nonce=match["nonce"],
        issued_at=_moment(match["issued_at"]),
        expires_at=_moment(match["expires_at"]) if match["expires_at"] else None,
        not_before=_moment(match["not_before"]) if match["not_before"] else None,
        statement=match["statement"] or "",
    )


def judge(message: SignInMessage, *, domain: str, chain_id: int, now: datetime) -> None:
    """Check everything but the signature and the nonce.

    Raises:
        SignInRefused: names the first thing that does not hold.
    """
    if message.domain.lower() != domain.lower():
        raise SignInRefused(f"the message is for another domain; sign one for {domain}")
    if _host(message.uri) != domain.lower():
        raise SignInRefused(f"the message's URI is not at {domain}")
    if message.version != "1":
        raise SignInRefused("only version 1 of EIP-4361 is known")
    if message.chain_id != chain_id:
        raise SignInRefused(f"the message is for another chain; switch your wallet to chain {chain_id}")
    if message.issued_at > now + CLOCK_SLACK or message.issued_at < now - MAX_AGE:
        raise SignInRefused("the message was not issued just now; ask for a new nonce")
    if message.expires_at is not None and message.expires_at <= now:
        raise SignInRefused("the message has expired; ask for a new nonce")
    if message.not_before is not None and message.not_before > now + CLOCK_SLACK:
        raise SignInRefused("the message is not valid yet")


def _host(uri: str) -> str | None:
    try:
        return urlsplit(uri).netloc.lower()
    except ValueError:
        return None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SignInRefused("a time in the message is not RFC 3339") from None
    if moment.tzinfo is None:
        raise SignInRefused("a time in the message has no zone")
    return moment
