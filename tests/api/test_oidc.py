"""Tokens of an issuer whom we trust, over real HTTP: who is let in, what is refused (A-12), how one gets an account."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deedbook.identity import Role
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.stack.wallet import STATEMENT, Wallet, sign_in, sign_in_message
from tests.api.support import every_refusal_is_a_problem, refused
from tests.support.floor import Floor, open_floor
from tests.support.oidc_issuer import AUDIENCE, WEAK, Issuer, as_jwk, oidc_issuer
from tests.support.servers import PostgresServer
from tests.support.world import User, World, open_world


@dataclass
class Gate:
    """A world that trusts an issuer."""

    world: World
    issuer: Issuer
    floor: Floor

    async def get(self, token: str, path: str = "/me") -> Any:
        return await self.world.http.get(path, headers={"Authorization": f"Bearer {token}"})

    async def bind(self, token: str, wallet: Wallet, statement: str | None = None) -> Any:
        """Show that the wallet is theirs, with the statement that is asked for."""
        headers = {"Authorization": f"Bearer {token}"}
        if statement is None:
            statement = (await self.get(token, "/me/wallets")).json()["statement"] or STATEMENT
        offer = (await self.world.http.post("/auth/nonce")).json()
        message = sign_in_message(wallet.address, offer).replace(STATEMENT, statement)
        body = {"message": message, "signature": wallet.sign(message)}
        return await self.world.http.post("/me/wallets", headers=headers, json=body)


@pytest.fixture(scope="module")
async def gate(postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil) -> AsyncIterator[Gate]:
    dsn = await postgres.new_database()
    async with (
        oidc_issuer() as issuer,
        open_world(
            dsn, valkey.url(), SAPPHIRE_RPC_URL=anvil.url, OIDC_ISSUERS=(f"{issuer.url}={AUDIENCE}",)
        ) as world,
    ):
        world.http.event_hooks["response"].append(every_refusal_is_a_problem)
        yield Gate(world, issuer, await open_floor(world))
    await postgres.drop(dsn)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_somebody_is_let_in_whom_an_issuer_vouches_for(gate: Gate, algorithm: str) -> None:
    subject = f"ada-{algorithm}"
    first = (await gate.get(gate.issuer.token(subject, algorithm))).json()
    again = (await gate.get(gate.issuer.token(subject, algorithm, headers={"typ": "at+jwt"}))).json()
    assert first == again and (first["account"], first["roles"]) == (None, [])
    other = (await gate.get(gate.issuer.token(f"not-{subject}", algorithm))).json()
    assert other["userId"] != first["userId"]


STRANGE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOW = int(time.time())


def hs256_with_the_public_key(issuer: Issuer) -> str:
    """The old confusion: the public key taken for a secret. PyJWT would not sign so; we do it by hand."""
    public = issuer.private["RS256"].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "rsa-1"}, issuer.claims())]
    body = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    mark = hmac.new(pem, body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def twice(issuer: Issuer) -> str:
    claims = json.dumps(issuer.claims())
    return issuer.signed({"alg": "RS256", "kid": "rsa-1"}, (claims[:-1] + ',"sub":"mallory"}').encode())


FORGED: dict[str, Any] = {
    "none": lambda i: jwt.encode(i.claims(), "", algorithm="none", headers={"kid": "rsa-1"}),
    "hs256 with the public key": hs256_with_the_public_key,
    "crit": lambda i: i.token(headers={"crit": ["exp"]}),
    "jku": lambda i: i.token(headers={"jku": "https://evil.example/keys"}),
    "x5u": lambda i: i.token(headers={"x5u": "https://evil.example/cert"}),
    "jwk": lambda i: i.token(headers={"jwk": as_jwk(STRANGE, "RS256", "rsa-1")}, key=STRANGE),
    "kid traversal": lambda i: i.token(headers={"kid": "../../../../dev/null"}),
    "no kid": lambda i: i.signed({"alg": "RS256"}, json.dumps(i.claims()).encode()),
    "another's key": lambda i: i.token(key=STRANGE),
    "a weak key": lambda i: i.signed({"alg": "RS256", "kid": "weak"}, json.dumps(i.claims()).encode(), WEAK),
    "the key of another algorithm": lambda i: i.token(headers={"kid": "ec-1"}),
    "a type of something else": lambda i: i.token(headers={"typ": "logout+jwt"}),
    "wrong aud": lambda i: i.token(aud="another"),
    "no aud": lambda i: i.token(aud=None),
    "wrong iss": lambda i: i.token(iss="https://evil.example"),
    "iss with a slash more": lambda i: i.token(iss=i.url + "/"),
    "expired": lambda i: i.token(iat=NOW - 600, exp=NOW - 300),
    "nbf to come": lambda i: i.token(nbf=int(time.time()) + 3600, exp=int(time.time()) + 7200),
    "iat to come": lambda i: i.token(iat=int(time.time()) + 3600, exp=int(time.time()) + 7200),
    "no exp": lambda i: i.token(exp=None),
    "no iat": lambda i: i.token(iat=None),
    "no sub": lambda i: i.signed(
        {"alg": "RS256", "kid": "rsa-1"}, json.dumps({**i.claims(), "sub": None}).encode()
    ),
    "sub too long": lambda i: i.token("a" * 256),
    "sub of half a letter": lambda i: i.token("\ud800"),
    "sub empty": lambda i: i.token(""),
    "for ever": lambda i: i.token(exp=int(time.time()) + 10 * 86400),
    "a claim twice": twice,
    "a header twice": lambda i: i.token().replace(
        i.token().split(".")[0], "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYS0xIiwia2lkIjoicnNhLTEifQ"
    ),
    "an altered text": lambda i: ".".join([*i.token("eve").split(".")[:2], i.token().split(".")[2]]),
    "nothing signed": lambda i: i.token().rpartition(".")[0] + ".",
}


@pytest.mark.parametrize("how", FORGED)
async def test_a_token_is_refused_when_it_does_not_hold(gate: Gate, how: str) -> None:
    refused(await gate.get(FORGED[how](gate.issuer)), 401, "unauthenticated")


async def test_nothing_is_moved_before_a_wallet_is_bound(gate: Gate) -> None:
    token = gate.issuer.token("early")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
    for path in (
        "/trading/orders",
        "/withdrawals",
        "/me/api-keys",
        "/documents",
        "/trading/orders/cancel-all",
    ):
        refused(await gate.world.http.post(path, headers=headers, json={}), 403, "wallet_needed")
    refused(await gate.world.http.post("/ws/ticket", headers=headers, json={}), 403, "wallet_needed")
    assert (await gate.get(token, "/ledger")).json()["data"] == []


async def test_a_subject_becomes_a_user_by_a_wallet_of_theirs(gate: Gate) -> None:
    token, wallet = gate.issuer.token("grace"), Wallet.new()
    before = (await gate.get(token)).json()
    bound = await gate.bind(token, wallet)
    assert bound.status_code == 200, bound.text
    assert bound.json() == (await gate.get(token)).json()
    assert (bound.json()["userId"], bound.json()["account"]) == (before["userId"], wallet.address)
    assert bound.json()["roles"] == ["investor"]
    assert (await sign_in(gate.world.http, wallet))["userId"] == before["userId"]
    refused(await gate.bind(token, Wallet.new()), 409, "wallet_bound")


async def test_a_subject_becomes_the_user_that_the_wallet_has_already(gate: Gate) -> None:
    officer = await gate.world.user(Role.COMPLIANCE)
    token = gate.issuer.token("officer")
    assert (await gate.bind(token, officer.wallet)).status_code == 200
    told = (await gate.get(token)).json()
    assert (told["userId"], told["roles"]) == (str(officer.user_id), ["compliance", "investor"])
    async with gate.world.db.reading() as connection:
        events = await connection.fetch(
            "SELECT payload FROM events WHERE event_type = 'subject.bound' AND payload->>'userId' = $1",
            str(officer.user_id),
        )
    assert [row["payload"]["issuer"] for row in events] == [gate.issuer.url]


async def test_a_message_that_was_signed_for_signing_in_binds_nobody(gate: Gate) -> None:
    """Else who steals a sign-in, which lasts days, would have the account for good."""
    victim, token = await gate.world.user(), gate.issuer.token("thief")
    refused(await gate.bind(token, victim.wallet, STATEMENT), 401, "sign_in_refused")
    refused(
        await gate.bind(token, victim.wallet, "Let another act for this account."), 401, "sign_in_refused"
    )
    assert (await gate.get(token)).json()["account"] is None


async def test_whoever_came_by_a_session_binds_nothing(gate: Gate) -> None:
    user = await gate.world.user()
    refused(await gate.bind(user.access_token, Wallet.new()), 409, "wallet_bound")


async def test_a_subject_with_an_account_trades_as_its_user(gate: Gate) -> None:
    user = await gate.floor.investor("500")
    token = gate.issuer.token("trader")
    assert (await gate.bind(token, user.wallet)).status_code == 200
    headers = {"Authorization": f"Bearer {token}"}
    answer = await gate.world.http.post("/trading/orders", headers=headers, json=gate.floor.order(user))
    assert answer.status_code == 201, answer.text


async def test_who_signs_out_takes_back_all_tokens_up_to_now(gate: Gate) -> None:
    """A-12, the revoked token: also one with another jti that was issued before."""
    now = int(time.time())
    old, other = gate.issuer.token("leaver", iat=now - 60), gate.issuer.token("leaver", iat=now - 30, jti="2")
    assert (await gate.get(old)).status_code == 200
    headers = {"Authorization": f"Bearer {old}"}
    assert (await gate.world.http.post("/auth/logout", headers=headers)).status_code == 200
    for token in (old, other):
        refused(await gate.get(token), 401, "unauthenticated")
    later = gate.issuer.token("leaver", iat=now + 20)
    assert (await gate.get(later)).status_code == 200


async def test_a_sign_in_elsewhere_is_a_strangers_again_when_its_user_has_ended_it(gate: Gate) -> None:
    """Also where the subject came first and gave the user its id: what it reads then is nobody's."""
    now, wallet = int(time.time()), Wallet.new()
    token = gate.issuer.token("former", iat=now - 1)
    user_id = (await gate.bind(token, wallet)).json()["userId"]
    recognition = gate.world.app.state.recognition
    caller = await recognition.recognise(token)
    assert await recognition.again([caller]) == [caller]

    held = await sign_in(gate.world.http, wallet)
    listed = (await gate.get(held["accessToken"], "/me/sign-ins")).json()["data"]
    (elsewhere,) = [one for one in listed if one["issuer"] is not None]
    assert (elsewhere["issuer"], elsewhere["subject"]) == (gate.issuer.url, "former")
    headers = {"Authorization": f"Bearer {held['accessToken']}", "Idempotency-Key": str(uuid4())}
    ended = await gate.world.http.delete(f"/me/sign-ins/{elsewhere['id']}", headers=headers)
    assert ended.status_code == 200, ended.text

    refused(await gate.get(token), 401, "unauthenticated")
    assert await recognition.again([caller]) == [None]
    later = gate.issuer.token("former", iat=now + 20)
    told = (await gate.get(later)).json()
    assert (told["account"], told["roles"]) == (None, []) and told["userId"] != user_id
    assert (await gate.bind(later, wallet)).json()["userId"] == user_id


async def test_a_closed_account_lets_nobody_in_by_another_door(gate: Gate) -> None:
    user: User = await gate.world.user()
    token = gate.issuer.token("closed")
    assert (await gate.bind(token, user.wallet)).status_code == 200
    async with gate.world.db.transaction() as tx:
        await tx.execute("UPDATE users SET disabled_at = now() WHERE user_id = $1", user.user_id)
    refused(await gate.get(token), 401, "unauthenticated")
