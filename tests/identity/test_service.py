"""Sign-in, sessions, keys and roles on real PostgreSQL (A-01, A-05, A-14)."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from deedbook.identity import Recognition, access, service, store
from deedbook.identity.errors import SignatureMalformed, SignInRefused, Unauthenticated
from deedbook.identity.service import Credentials, KeyRing
from deedbook.identity.signatures import parse_address, parse_signature
from deedbook.identity.terms import Address, Caller, Role
from deedbook.infra.database import Database
from deedbook.kernel.errors import Refusal
from deedbook.kernel.ids import EntityId, new_uuid
from deedbook.stack.wallet import Wallet
from tests.identity.support import CURVE_ORDER, POLICY, Message, message, moment, parts, sign_in

UNKNOWN = "0192f0a2-7c3e-7b1d-9a4e-3f2b1c0d9e8f"


async def caller(db: Database, token: str) -> Caller:
    return await Recognition(db, KeyRing(db), POLICY.issuer).recognise(token)


async def refresh(db: Database, token: str) -> Credentials | None:
    async with db.transaction() as tx:
        return await service.refresh(tx, POLICY, token)


async def count(db: Database, table: str, condition: str = "true") -> int:
    async with db.reading() as connection:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {condition}"))


async def test_a_wallet_is_signed_in_when_its_message_and_signature_hold(db: Database) -> None:
    wallet = Wallet.new()

    first, second = await sign_in(db, wallet), await sign_in(db, wallet)

    assert first.user_id == second.user_id
    assert first.access_token != second.access_token and first.refresh_token != second.refresh_token
    known = await caller(db, first.access_token)
    assert (known.account, known.roles) == (parse_address(wallet.address), frozenset({Role.INVESTOR}))
    assert await count(db, "events", "event_type = 'user.registered'") == 1
    assert await count(db, "sessions") == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"domain": "evil.test"},
        {"uri": "http://evil.test"},
        {"chain_id": "1"},
        {"issued_at": "2020-01-01T00:00:00Z"},
        {"more": "\nExpiration Time: 2020-01-01T00:00:00Z"},
        {"more": "\nNot Before: 2999-01-01T00:00:00Z"},
        {"version": "2"},
        {"nonce": "0123456789abcdef0123456789abcdef"},
    ],
    ids=str,
)
async def test_a_sign_in_is_refused_and_uses_nothing_up_when_a_field_does_not_hold(
    db: Database, changes: dict[str, str]
) -> None:
    wallet = Wallet.new()
    good = await message(db, wallet)

    with pytest.raises(SignInRefused):
        await sign_in(db, wallet, good.but(**changes))

    assert await count(db, "users") == 0
    await sign_in(db, wallet, good)


async def test_a_nonce_is_refused_when_it_was_used_or_is_over(db: Database) -> None:
    wallet = Wallet.new()
    used, old = await message(db, wallet), await message(db, wallet)
    await sign_in(db, wallet, used)
    async with db.transaction() as tx:
        await tx.execute("UPDATE sign_in_nonces SET expires_at = now() WHERE nonce = $1", old.nonce)

    for told in (used, used.but(statement="Another text.\n"), old):
        with pytest.raises(SignInRefused, match="nonce"):
            await sign_in(db, wallet, told)

    assert await count(db, "sessions") == 1


async def test_one_session_begins_when_a_nonce_is_used_fifty_times_at_once(db: Database) -> None:
    wallet = Wallet.new()
    told = await message(db, wallet)

    ended = await asyncio.gather(*(sign_in(db, wallet, told) for _ in range(50)), return_exceptions=True)

    assert sum(isinstance(end, Credentials) for end in ended) == 1
    assert {type(end) for end in ended} == {Credentials, SignInRefused}
    assert await count(db, "sessions") == 1


async def test_one_user_is_made_when_a_new_wallet_signs_in_many_times_at_once(db: Database) -> None:
    wallet = Wallet.new()
    told = [await message(db, wallet) for _ in range(8)]

    ended = await asyncio.gather(*(sign_in(db, wallet, one) for one in told))

    assert len({end.user_id for end in ended}) == 1
    assert await count(db, "users") == 1
    assert await count(db, "sessions") == 8


def _variants(signature: str) -> dict[str, str]:
    raw = parse_signature(signature)
    r, s, v = raw[:32], int.from_bytes(raw[32:64], "big"), raw[64]
    high = (r + (CURVE_ORDER - s).to_bytes(32, "big") + bytes([55 - v])).hex()
    return {
        "high s": "0x" + high,
        "v 0": "0x" + (raw[:64] + bytes([v - 27])).hex(),
        "v 35": "0x" + (raw[:64] + bytes([v + 8])).hex(),
        "64 bytes": "0x" + raw[:64].hex(),
        "66 bytes": signature + "00",
        "zero": "0x" + bytes(65).hex(),
        "r is n": "0x" + (CURVE_ORDER.to_bytes(32, "big") + raw[32:]).hex(),
        "no prefix": signature[2:],
        "text": "sign here",
        "empty": "",
    }


@pytest.mark.parametrize("variant", sorted(_variants(Wallet.new().sign("x"))))
async def test_a_signature_is_malformed_when_it_is_not_in_its_one_form(db: Database, variant: str) -> None:
    wallet = Wallet.new()
    told = await message(db, wallet)

    with pytest.raises(SignatureMalformed):
        async with db.transaction() as tx:
            await service.sign_in(tx, POLICY, told.text, _variants(wallet.sign(told.text))[variant])

    await sign_in(db, wallet, told)


async def test_the_nonce_stays_free_when_another_key_signed_in_the_victims_name(db: Database) -> None:
    victim, thief = Wallet.new(), Wallet.new()
    told = await message(db, victim)

    for signature in (thief.sign(told.text), victim.sign(told.text + " "), victim.sign("")):
        with pytest.raises(SignInRefused, match="not by the address"):
            async with db.transaction() as tx:
                await service.sign_in(tx, POLICY, told.text, signature)

    await sign_in(db, victim, told)


async def test_a_sign_in_is_refused_when_the_account_is_closed(db: Database) -> None:
    wallet = Wallet.new()
    held = await sign_in(db, wallet)
    async with db.transaction() as tx:
        await tx.execute("UPDATE users SET disabled_at = now()")

    with pytest.raises(SignInRefused, match="closed"):
        await sign_in(db, wallet)
    with pytest.raises(Unauthenticated):
        await caller(db, held.access_token)


async def test_a_message_without_statement_signs_in_when_its_wallet_signed_it(db: Database) -> None:
    wallet = Wallet.new()
    told = (await message(db, wallet)).but(statement="", more=f"\nExpiration Time: {moment(minutes=5)}")
    assert (await sign_in(db, wallet, told)).expires_in_s == POLICY.access_ttl_s


async def test_a_refresh_gives_new_credentials_when_the_token_is_the_newest(db: Database) -> None:
    first = await sign_in(db, Wallet.new())

    second = await refresh(db, first.refresh_token)

    assert second is not None and second.refresh_token != first.refresh_token
    assert parts(second.access_token)[1]["sid"] == parts(first.access_token)[1]["sid"]
    await caller(db, second.access_token)
    async with db.reading() as connection:
        kept = await connection.fetchval("SELECT refresh_hash FROM sessions")
    assert second.refresh_token.encode() not in kept


@pytest.mark.parametrize("refreshes", [1, 2, 5])
async def test_the_session_ends_when_an_old_refresh_token_comes_back(db: Database, refreshes: int) -> None:
    stolen = newest = await sign_in(db, Wallet.new())
    for _ in range(refreshes):
        newest = await refresh(db, newest.refresh_token) or pytest.fail("refused")

    assert await refresh(db, stolen.refresh_token) is None

    for token in (newest.refresh_token, stolen.refresh_token):
        with pytest.raises(Unauthenticated):
            await refresh(db, token)
    with pytest.raises(Unauthenticated, match="session is over"):
        await caller(db, newest.access_token)
    assert await count(db, "events", "payload ->> 'reason' = 'refresh_token_reused'") == 1


async def test_one_refresh_wins_and_the_session_ends_when_a_token_is_used_twice_at_once(db: Database) -> None:
    held = await sign_in(db, Wallet.new())

    ended = await asyncio.gather(*(refresh(db, held.refresh_token) for _ in range(2)), return_exceptions=True)

    assert sorted(type(end).__name__ for end in ended) == ["Credentials", "NoneType"]
    assert await count(db, "sessions", "revoked_at IS NULL") == 0


@pytest.mark.parametrize("token", ["", "x" * 43, f"{UNKNOWN}.{'x' * 43}", "é" * 43, UNKNOWN, ".", "../etc"])
async def test_a_refresh_is_refused_when_the_token_is_unknown(db: Database, token: str) -> None:
    held = await sign_in(db, Wallet.new())
    with pytest.raises(Unauthenticated):
        await refresh(db, token)
    assert await refresh(db, held.refresh_token) is not None


async def test_a_refresh_is_refused_when_the_session_has_run_its_time(db: Database) -> None:
    held = await sign_in(db, Wallet.new())
    async with db.transaction() as tx:
        await tx.execute("UPDATE sessions SET expires_at = now()")
    with pytest.raises(Unauthenticated):
        await refresh(db, held.refresh_token)
    with pytest.raises(Unauthenticated):
        await caller(db, held.access_token)


async def test_access_and_refresh_end_when_the_user_signs_out(db: Database) -> None:
    wallet = Wallet.new()
    held, other = await sign_in(db, wallet), await sign_in(db, wallet)
    known = await caller(db, held.access_token)

    async with db.transaction() as tx:
        await service.sign_out(tx, known)
    async with db.transaction() as tx:
        await service.sign_out(tx, known)

    with pytest.raises(Unauthenticated):
        await caller(db, held.access_token)
    with pytest.raises(Unauthenticated):
        await refresh(db, held.refresh_token)
    await caller(db, other.access_token)
    assert await count(db, "events", "payload ->> 'reason' = 'logout'") == 1


async def test_old_tokens_hold_until_their_key_retires_when_keys_rotate(db: Database) -> None:
    wallet = Wallet.new()
    old = await sign_in(db, wallet)
    async with db.transaction() as tx:
        assert not await service.rotate_signing_key(tx, POLICY, older_than_s=3600)
    async with db.transaction() as tx:
        assert await service.rotate_signing_key(tx, POLICY, older_than_s=-1)

    new = await sign_in(db, wallet)

    assert parts(old.access_token)[0]["kid"] != parts(new.access_token)[0]["kid"]
    await caller(db, old.access_token)
    async with db.transaction() as tx:
        await tx.execute("UPDATE signing_keys SET retires_at = now() WHERE retires_at IS NOT NULL")
    with pytest.raises(Unauthenticated):
        await caller(db, old.access_token)
    await caller(db, new.access_token)


async def test_one_key_begins_when_many_processes_rotate_at_once(db: Database) -> None:
    async def rotate() -> bool:
        async with db.transaction() as tx:
            return await service.rotate_signing_key(tx, POLICY, older_than_s=3600)

    assert sum(await asyncio.gather(*(rotate() for _ in range(8)))) == 1
    assert await count(db, "signing_keys") == 1


async def test_sign_in_makes_its_first_key_when_nobody_has_yet(db: Database) -> None:
    assert await count(db, "signing_keys") == 0
    ended = await asyncio.gather(*(sign_in(db, Wallet.new()) for _ in range(5)))
    assert await count(db, "signing_keys") == 1
    for held in ended:
        await caller(db, held.access_token)


async def test_sign_in_goes_on_under_a_new_key_when_the_secret_has_changed(db: Database) -> None:
    wallet = Wallet.new()
    before = await sign_in(db, wallet)
    told, changed = await message(db, wallet), replace(POLICY, secret="another-secret-another-secret-another")

    async with db.transaction() as tx:
        after = await service.sign_in(tx, changed, told.text, wallet.sign(told.text))

    assert parts(before.access_token)[0]["kid"] != parts(after.access_token)[0]["kid"]
    for held in (before, after):
        await caller(db, held.access_token)


async def test_a_token_is_refused_when_another_installation_signed_it(db: Database) -> None:
    held = await sign_in(db, Wallet.new())
    foreign = access.new_signing_key()
    claims = parts(held.access_token)[1]
    for key in (foreign, replace(foreign, kid=parts(held.access_token)[0]["kid"])):
        token = access.issue(
            key,
            issuer=POLICY.issuer,
            user_id=held.user_id,
            session_id=new_uuid() if key is foreign else claims["sid"],
            now=(await _now(db)),
            ttl=timedelta(minutes=1),
        )
        with pytest.raises(Unauthenticated):
            await caller(db, token)


async def test_a_token_is_refused_when_it_names_another_users_session(db: Database) -> None:
    one, two = await sign_in(db, Wallet.new()), await sign_in(db, Wallet.new())
    async with db.transaction() as tx:
        newest = await store.newest_signing_key(tx)
    assert newest is not None
    key = access.unseal(newest.kid, newest.sealed, POLICY.secret)
    assert key is not None
    crossed = access.issue(
        key,
        issuer=POLICY.issuer,
        user_id=one.user_id,
        session_id=parts(two.access_token)[1]["sid"],
        now=await _now(db),
        ttl=timedelta(minutes=1),
    )
    with pytest.raises(Unauthenticated, match="session is over"):
        await caller(db, crossed)


async def test_forged_key_ids_cost_one_lookup_a_second_when_they_come_in_numbers(db: Database) -> None:
    keys = KeyRing(db)
    held = await sign_in(db, Wallet.new())
    assert await keys.find(parts(held.access_token)[0]["kid"]) is not None
    await db.close()  # from here on a lookup would fail
    assert [await keys.find(str(new_uuid())) for _ in range(100)] == [None] * 100


async def test_a_role_is_given_once_when_it_is_granted_twice(db: Database) -> None:
    account, entity_id = Address(Wallet.new().address.lower()), EntityId(new_uuid())
    for _ in range(2):
        async with db.transaction() as tx:
            user_id = await service.grant(tx, account, Role.ISSUER, "test", entity_id, "Harbour Ltd")

    kept = await store.user(db, user_id)

    assert kept is not None
    assert (kept.roles, kept.entity_id) == (frozenset({Role.INVESTOR, Role.ISSUER}), entity_id)
    assert kept.display_name == "Harbour Ltd"
    assert await count(db, "events", "event_type = 'user.role_granted'") == 1


async def test_a_granted_role_counts_at_once_when_the_user_is_signed_in(db: Database) -> None:
    wallet = Wallet.new()
    held = await sign_in(db, wallet)
    async with db.transaction() as tx:
        await service.grant(tx, Address(wallet.address.lower()), Role.OPERATOR, "test")
    assert (await caller(db, held.access_token)).roles == {Role.INVESTOR, Role.OPERATOR}


async def test_expired_sign_ins_are_removed_when_the_clock_asks(db: Database) -> None:
    held = await sign_in(db, Wallet.new())
    async with db.transaction() as tx:
        await tx.execute("UPDATE sign_in_nonces SET expires_at = now() - interval '2 hours'")
        await tx.execute("UPDATE sessions SET expires_at = now() - interval '31 days'")
    for _ in range(2):
        async with db.transaction() as tx:
            await store.remove_expired(tx)
    assert (await count(db, "sign_in_nonces"), await count(db, "sessions")) == (0, 0)
    with pytest.raises(Refusal):
        await refresh(db, held.refresh_token)


async def _now(db: Database) -> datetime:
    async with db.transaction() as tx:
        return await tx.now()


def test_a_message_is_put_together_as_the_standard_has_it_when_it_has_no_statement() -> None:
    assert "\n\n\nURI: " in Message("0x", "n", statement="").text
