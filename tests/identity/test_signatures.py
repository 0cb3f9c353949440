"""Signatures and addresses: one encoding each, checked against eth-account."""

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given
from hypothesis import strategies as st

from deedbook.identity.errors import SignatureMalformed
from deedbook.identity.signatures import (
    checksum_address,
    parse_address,
    parse_signature,
    personal_digest,
    recover,
)
from deedbook.stack.wallet import Wallet
from tests.identity.support import CURVE_ORDER

WALLET = Wallet.from_key(b"\x11" * 32)
DIGEST = personal_digest("hello")
GOOD = parse_signature(WALLET.sign("hello"))


def _with(*, r: int | None = None, s: int | None = None, v: int | None = None) -> bytes:
    return (
        (GOOD[:32] if r is None else r.to_bytes(32, "big"))
        + (GOOD[32:64] if s is None else s.to_bytes(32, "big"))
        + (GOOD[64:] if v is None else bytes([v]))
    )


S, V = int.from_bytes(GOOD[32:64], "big"), GOOD[64]
BAD = {
    "high s twin": _with(s=CURVE_ORDER - S, v=55 - V),
    "v 0 or 1": _with(v=V - 27),
    "v of EIP-155": _with(v=V + 8 + 2 * 0),
    "v 29": _with(v=29),
    "v 255": _with(v=255),
    "64 bytes": GOOD[:64],
    "66 bytes": GOOD + b"\x00",
    "empty": b"",
    "all zero": bytes(65),
    "r zero": _with(r=0),
    "s zero": _with(s=0),
    "r is n": _with(r=CURVE_ORDER),
    "s is n": _with(s=CURVE_ORDER),
    "r beyond n": _with(r=2**256 - 1),
    "r on no point": _with(r=5),
    "compact EIP-2098": GOOD[:32] + (S | ((V - 27) << 255)).to_bytes(32, "big"),
}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.binary(min_size=32, max_size=32))
def test_the_signer_is_found_when_a_wallet_signed_the_text(text: str, key: bytes) -> None:
    if not 0 < int.from_bytes(key, "big") < CURVE_ORDER:
        return
    wallet = Wallet.from_key(key)
    signature = wallet.sign(text)
    found = recover(personal_digest(text), parse_signature(signature))
    assert (
        checksum_address(found)
        == wallet.address
        == Account.recover_message(encode_defunct(text=text), signature=signature)
    )


@pytest.mark.parametrize("signature", BAD.values(), ids=BAD)
def test_recovery_is_refused_when_the_signature_is_not_in_its_one_form(signature: bytes) -> None:
    with pytest.raises(SignatureMalformed):
        recover(DIGEST, signature)


@given(st.binary(min_size=65, max_size=65))
def test_recovery_ends_in_an_address_or_a_refusal_when_the_bytes_are_anything(signature: bytes) -> None:
    try:
        assert recover(DIGEST, signature) != parse_address(WALLET.address)
    except SignatureMalformed:
        return


@pytest.mark.parametrize(
    "text",
    ["", "0x", "0X" + GOOD.hex(), GOOD.hex(), "0x" + GOOD.hex()[:-1], "0x" + GOOD.hex() + "00", "0x" + "g" * 130,
     "0x" + "١" * 130, "0x" + GOOD.hex()[:-1] + "\n"],
    ids=repr,
)  # fmt: skip
def test_a_signature_is_refused_when_it_is_not_130_hex_digits(text: str) -> None:
    with pytest.raises(SignatureMalformed):
        parse_signature(text)


def test_a_signature_with_gaps_is_refused_when_it_is_recovered() -> None:
    with pytest.raises(SignatureMalformed):
        recover(DIGEST, parse_signature("0x" + GOOD.hex()[:128] + "  "))


@given(st.binary(min_size=20, max_size=20))
def test_an_address_is_canonical_when_read_in_any_valid_spelling(raw: bytes) -> None:
    canonical = "0x" + raw.hex()
    mixed = checksum_address(parse_address(canonical) or pytest.fail("no address"))
    assert parse_address(mixed) == canonical
    assert Account.from_key(b"\x01" * 32).address == checksum_address(
        parse_address(Account.from_key(b"\x01" * 32).address) or pytest.fail("no address")
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "0x", WALLET.address[:-1], WALLET.address + "0", WALLET.address.swapcase().replace("X", "x"),
        "0X" + WALLET.address[2:], "0x" + "g" * 40, "0x" + "١" * 40, WALLET.address[:-1] + "\n",
        "0x" + WALLET.address[2:].upper(),
    ],
    ids=repr,
)  # fmt: skip
def test_an_address_is_none_when_it_or_its_checksum_is_wrong(text: str) -> None:
    assert parse_address(text) is None
