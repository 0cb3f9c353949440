"""Signed actions: who may act, once (A-01 to A-08 as far as they are decided here)."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from deedbook import identity
from deedbook.identity import Caller, Domain, Role, SignedAction
from deedbook.identity.errors import (
    ActionExpired,
    DuplicateAction,
    NonceUsed,
    SignatureMalformed,
    SignatureRefused,
    WalletNotYours,
)
from deedbook.identity.signatures import keccak
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import TRANSFER, WITHDRAWAL, Struct
from deedbook.infra.database import Database
from deedbook.kernel.errors import Invalid
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.stack.wallet import Wallet
from tests.identity.support import CURVE_ORDER

HOME = Domain(31337, Address("0x" + "ab" * 20))
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TOKEN, OTHER = "0x" + "33" * 20, "0x" + "44" * 20


class Wallets:
    """The far side of the port: which accounts are contracts, and what those say."""

    def __init__(self, said: Mapping[Address, bool] | None = None) -> None:
        self.said = said or {}

    async def is_contract(self, account: Address) -> bool:
        return account in self.said

    async def accepts(self, account: Address, digest: bytes, signature: bytes) -> bool:
        return self.said[account]


def caller_of(wallet: Wallet) -> Caller:
    return Caller(UserId(new_uuid()), address(wallet), None, frozenset({Role.INVESTOR}), new_uuid())


def address(wallet: Wallet) -> Address:
    return Address(wallet.address.lower())


def withdrawal(wallet: Wallet, **changes: Any) -> dict[str, Any]:
    return {
        "trader": address(wallet),
        "token": TOKEN,
        "amount": "12.50",
        "destination": OTHER,
        "nonce": "n-1",
        "expiry": int((NOW + timedelta(hours=1)).timestamp()),
        **changes,
    }


def signed(wallet: Wallet, values: Mapping[str, Any], struct: Struct = WITHDRAWAL, at: Domain = HOME) -> str:
    return wallet.sign_typed(at, struct, values)


async def verify(
    wallet: Wallet,
    values: Mapping[str, Any],
    signature: str,
    *,
    caller: Caller | None = None,
    wallets: Wallets | None = None,
) -> SignedAction:
    return await identity.verify_action(
        HOME,
        WITHDRAWAL,
        Address(values["trader"]),
        values,
        signature,
        caller or caller_of(wallet),
        wallets or Wallets(),
        NOW,
    )


async def test_an_action_holds_when_its_own_account_signed_it() -> None:
    wallet = Wallet.new()
    values = withdrawal(wallet)

    action = await verify(wallet, values, signed(wallet, values))

    assert (action.account, action.nonce, action.digest) == (
        address(wallet),
        "n-1",
        WITHDRAWAL.digest(HOME, values),
    )
    assert action.expires_at == NOW + timedelta(hours=1)


def malformed(good: str) -> dict[str, str]:
    """A-01: everything that another implementation would still take, and much that none would."""
    raw = bytes.fromhex(good[2:])
    s = CURVE_ORDER - int.from_bytes(raw[32:64], "big")
    twin = raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]])
    return {
        "high s": "0x" + twin.hex(),
        "v 0": "0x" + raw[:64].hex() + "00",
        "v 35": "0x" + raw[:64].hex() + "23",
        "64 bytes": "0x" + raw[:64].hex(),
        "66 bytes": good + "00",
        "zero": "0x" + "00" * 65,
        "r is n": "0x" + CURVE_ORDER.to_bytes(32, "big").hex() + raw[32:].hex(),
        "s is n": "0x" + raw[:32].hex() + CURVE_ORDER.to_bytes(32, "big").hex() + raw[64:].hex(),
        "no prefix": good[2:],
        "odd": good[:-1],
        "empty": "0x",
        "not hex": "0x" + "zz" * 65,
        "newline": good + "\n",
    }


@pytest.mark.parametrize("form", list(malformed("0x" + "11" * 64 + "1b")))
async def test_a_signature_is_refused_when_it_is_not_in_its_one_form(form: str) -> None:
    wallet = Wallet.new()
    values = withdrawal(wallet)

    with pytest.raises(SignatureMalformed):
        await verify(wallet, values, malformed(signed(wallet, values))[form])


async def test_a_signature_is_refused_when_it_was_made_for_another_place_or_purpose() -> None:
    """A-02 and A-03."""
    wallet = Wallet.new()
    values = withdrawal(wallet)
    transfer = {
        "from": address(wallet),
        "token": TOKEN,
        "amount": "12.50",
        "to": OTHER,
        "nonce": "n-1",
        "expiry": values["expiry"],
    }
    elsewhere = [
        signed(wallet, values, at=Domain(1, HOME.verifying_contract)),
        signed(wallet, values, at=Domain(31337, Address("0x" + "ac" * 20))),
        signed(wallet, transfer, TRANSFER),
        signed(Wallet.new(), values),
    ]

    for signature in elsewhere:
        with pytest.raises(SignatureRefused):
            await verify(wallet, values, signature)


@pytest.mark.parametrize(
    "change",
    [
        {"token": OTHER},
        {"amount": "12.5"},
        {"destination": TOKEN},
        {"nonce": "n-2"},
        {"expiry": int((NOW + timedelta(hours=2)).timestamp())},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_signature_is_refused_when_anything_was_changed_after_it(change: dict[str, Any]) -> None:
    """A-06."""
    wallet = Wallet.new()
    signature = signed(wallet, withdrawal(wallet))

    with pytest.raises(SignatureRefused):
        await verify(wallet, withdrawal(wallet, **change), signature)


async def test_anothers_account_is_not_found_even_with_its_own_good_signature() -> None:
    """A-07."""
    owner, thief = Wallet.new(), Wallet.new()
    values = withdrawal(owner)

    with pytest.raises(WalletNotYours):
        await verify(owner, values, signed(owner, values), caller=caller_of(thief))


async def test_an_action_is_refused_when_its_time_is_over_or_far_ahead() -> None:
    wallet = Wallet.new()
    for expiry, refusal in (
        (int(NOW.timestamp()), ActionExpired),
        (0, ActionExpired),
        (int((NOW + timedelta(days=90, seconds=1)).timestamp()), Invalid),
        (2**64, Invalid),
    ):
        values = withdrawal(wallet, expiry=expiry)
        with pytest.raises(refusal):
            await verify(wallet, values, signed(wallet, values))


async def test_a_contract_wallet_decides_about_its_own_signatures() -> None:
    signer, contract = Wallet.new(), Wallet.new()
    values = withdrawal(contract)

    for signature in (signed(signer, values), "0x" + "ab" * 130):
        assert await verify(contract, values, signature, wallets=Wallets({address(contract): True}))
        with pytest.raises(SignatureRefused):
            await verify(contract, values, signature, wallets=Wallets({address(contract): False}))


async def accept(db: Database, action: SignedAction, action_id: UUID) -> None:
    async with db.transaction() as tx:
        await identity.record_action(tx, action, action_id)


async def test_an_action_counts_once_when_it_is_sent_fifty_times_at_once(db: Database) -> None:
    """A-04: the row is the truth, whatever caches forget."""
    wallet = Wallet.new()
    values = withdrawal(wallet)
    action = await verify(wallet, values, signed(wallet, values))
    ids = [new_uuid() for _ in range(50)]

    results = await asyncio.gather(
        *(accept(db, action, action_id) for action_id in ids), return_exceptions=True
    )

    accepted = [action_id for action_id, result in zip(ids, results, strict=True) if result is None]
    refused = [result for result in results if result is not None]
    assert len(accepted) == 1
    assert all(isinstance(result, DuplicateAction) for result in refused)
    assert {result.extra["firstId"] for result in refused if isinstance(result, DuplicateAction)} == {
        str(accepted[0])
    }


async def test_a_nonce_is_free_again_only_when_nothing_was_accepted_under_it(db: Database) -> None:
    """A-05: what is refused later in the same transaction uses nothing up."""
    wallet = Wallet.new()
    first, second = withdrawal(wallet), withdrawal(wallet, amount="13")
    one = await verify(wallet, first, signed(wallet, first))
    two = await verify(wallet, second, signed(wallet, second))

    async def refused_after_all() -> None:
        async with db.transaction() as tx:
            await identity.record_action(tx, one, new_uuid())
            raise RuntimeError("refused after all")

    with pytest.raises(RuntimeError):
        await refused_after_all()
    await accept(db, two, new_uuid())
    with pytest.raises(NonceUsed):
        await accept(db, one, new_uuid())


async def test_two_accounts_may_use_the_same_nonce(db: Database) -> None:
    for wallet in (Wallet.new(), Wallet.new()):
        values = withdrawal(wallet)
        await accept(db, await verify(wallet, values, signed(wallet, values)), new_uuid())


def test_keccak_is_ethereums() -> None:
    assert keccak(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
