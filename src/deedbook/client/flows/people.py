"""Who is asking, and what the platform is."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from deedbook.client.answers import Binding, Exchange, Me, Pair, ServerTime, SignIn, Token
from deedbook.client.flow import Call, Flow, Session, ask, signer_of
from deedbook.client.flows.asking import everything, get, once, page, segment
from deedbook.client.flows.waiting import until
from deedbook.client.operations import Page
from deedbook.client.reading import read
from deedbook.client.refusals import PairNotFound
from deedbook.client.signers import personal_signature
from deedbook.client.typed_data import checksum_address

STATEMENT = "Sign in to Deedbook."


def sign_in(session: Session) -> Flow[None]:
    """Sign in with Ethereum (EIP-4361). Clients do this by themselves, and again when the token runs out."""
    body = yield from _signed_message(session, STATEMENT)
    # A nonce is good once: where the answer is lost, another is asked for.
    told = yield from ask(session, Call("POST", "/auth/siwe", body=body, signed_in=False, repeatable=False))
    session.token = told["accessToken"]


def _signed_message(session: Session, statement: str) -> Flow[dict[str, str]]:
    signer = signer_of(session)
    offer = yield from ask(session, Call("POST", "/auth/nonce", signed_in=False))
    now = datetime.fromtimestamp(session.clock(), UTC)
    message = sign_in_message(checksum_address(signer.address), offer, now, statement)
    return {"message": message, "signature": personal_signature(signer, message)}


def sign_in_message(address: str, offer: dict[str, Any], now: datetime, statement: str = STATEMENT) -> str:
    """The text that a wallet shows, of what `POST /auth/nonce` answered."""
    issued = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (
        f"{offer['domain']} wants you to sign in with your Ethereum account:\n{address}\n\n{statement}\n\n"
        f"URI: {offer['uri']}\nVersion: {offer['version']}\nChain ID: {offer['chainId']}\n"
        f"Nonce: {offer['nonce']}\nIssued At: {issued}"
    )


def have_token(session: Session) -> Flow[str]:
    """A token for what is no HTTP request.

    Raises:
        DeedbookError: signing in was refused.
        ValueError: there is nobody to sign in.
    """
    if session.token is None and session.sign_in is not None:
        yield from session.sign_in(session)
    if session.token is None:
        raise ValueError("this takes a signer or a token")
    return session.token


def sign_out(session: Session) -> Flow[None]:
    """End this session."""
    yield from ask(session, Call("POST", "/auth/logout"))
    session.token = session.me = None


def me(session: Session) -> Flow[Me]:
    """Who I am here."""
    if session.me is None:
        session.me = yield from get(session, Me, "/me")
    return session.me


def wallet(session: Session) -> Flow[Binding]:
    """My account; or, for whom another issuer vouches, what its owner has to sign to make it mine."""
    return (yield from get(session, Binding, "/me/wallets"))


def bind_wallet(session: Session) -> Flow[Me]:
    """Make the signer's account mine, once and for good: for a client with another issuer's token and a signer."""
    asked = yield from wallet(session)
    body = yield from _signed_message(session, asked.statement or STATEMENT)
    told = yield from ask(session, Call("POST", "/me/wallets", body=body, repeatable=False))
    session.me = read(Me, told)
    return session.me


def sign_ins(session: Session, cursor: str | None) -> Flow[Page[SignIn]]:
    """By what I am let in now, the newest first."""
    return (yield from page(session, SignIn, "/me/sign-ins", cursor))


def end_sign_in(session: Session, sign_in_id: UUID | str, *, key: str | None = None) -> Flow[None]:
    """End one, also the one that I came by. My wallet signs in anew at any time."""
    path = f"/me/sign-ins/{segment(sign_in_id)}"
    yield from once(session, path, {}, method="DELETE", key=key)


def exchange_info(session: Session, *, fresh: bool = False) -> Flow[Exchange]:
    """Pairs, contracts and how to sign. It is asked once; `fresh` asks again."""
    if session.exchange is None or fresh:
        session.exchange = yield from get(session, Exchange, "/exchange-info", signed_in=False)
    return session.exchange


def pair(session: Session, name: str) -> Flow[Pair]:
    """A pair by its symbol or id, as `exchange_info` has it; one that is new is asked for.

    Raises:
        PairNotFound: there is none.
    """
    known = (yield from exchange_info(session)).pair(name)
    if known is not None:
        return known
    found = yield from get(session, Pair, f"/trading/pairs/{segment(name)}", signed_in=False)
    yield from exchange_info(session, fresh=True)
    return found


def wait_for_pair(session: Session, name: str, within_s: float = 60) -> Flow[Pair]:
    """Ask for a pair until it is there: it opens a moment after its market.

    Raises:
        StillWaiting: it is not, in time.
    """

    def look() -> Flow[Pair | None]:
        try:
            return (yield from pair(session, name))
        except PairNotFound:
            return None

    found = yield from until(session, look, lambda seen: seen is not None, f"pair {name}", within_s)
    assert found is not None, "it was waited for"
    return found


def pairs(session: Session) -> Flow[tuple[Pair, ...]]:
    """All pairs, as they are now."""
    return (yield from everything(session, Pair, "/trading/pairs", signed_in=False))


def token(session: Session, name: str) -> Flow[Token]:
    """A token by its symbol or id, as it is now."""
    return (yield from get(session, Token, f"/tokens/{segment(name)}", signed_in=False))


def tokens(session: Session, cursor: str | None) -> Flow[Page[Token]]:
    """All tokens."""
    return (yield from page(session, Token, "/tokens", cursor, signed_in=False))


def server_time(session: Session) -> Flow[ServerTime]:
    """The platform's clock."""
    return (yield from get(session, ServerTime, "/time", signed_in=False))


def call(
    session: Session,
    method: str,
    path: str,
    body: Any = None,
    *,
    key: str | None = None,
    signed_in: bool = True,
) -> Flow[Any]:
    """Any route of the API, as JSON: what has no method of its own here. A POST without a key is sent once."""
    repeatable = method == "GET" or key is not None
    asked = Call(method, path, body=body, key=key, signed_in=signed_in, repeatable=repeatable)
    return (yield from ask(session, asked))
