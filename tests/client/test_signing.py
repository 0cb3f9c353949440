"""What the client signs is what the platform and other people's libraries hash."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given, settings
from hypothesis import strategies as st

from deedbook.client import CallableSigner, LocalSigner
from deedbook.client.amounts import amount_text
from deedbook.client.signers import personal_signature
from deedbook.client.typed_data import DOMAIN_FIELDS, digest
from deedbook.identity import Domain
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import STRUCTS, Struct
from deedbook.kernel.amounts import is_amount

KEY = bytes(range(1, 33))
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "address": st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    "string": st.text(st.characters(codec="utf-8"), max_size=80),
    "bool": st.booleans(),
    "uint32": st.integers(0, 2**32 - 1),
    "uint256": st.integers(0, 2**256 - 1),
}


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.name)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_digest_is_the_platforms_when_its_published_types_are_used(
    struct: Struct, data: st.DataObject
) -> None:
    domain = Domain(data.draw(st.integers(1, 2**64)), Address(data.draw(VALUES["address"])))
    values = {field: data.draw(VALUES[kind]) for field, kind in struct.fields}
    ours = digest(domain.as_wire(), struct.name, struct.as_wire(), values)
    assert ours == struct.digest(domain, values)


def test_nothing_is_signed_when_the_type_has_other_fields() -> None:
    domain = Domain(1, Address("0x" + "aa" * 20)).as_wire()
    fields = [{"name": "amount", "type": "string"}, {"name": "allOfIt", "type": "bool"}]
    with pytest.raises(ValueError, match="allOfIt"):
        digest(domain, "Withdrawal", fields, {"amount": "1"})
    with pytest.raises(ValueError, match="bytes32"):
        digest(domain, "Withdrawal", [{"name": "amount", "type": "bytes32"}], {"amount": "1"})
    assert len(DOMAIN_FIELDS) == 4


def test_a_local_signer_is_the_account_that_ethereum_knows() -> None:
    signer, known = LocalSigner.from_key(KEY), Account.from_key(KEY)
    assert signer == LocalSigner.from_key("0x" + KEY.hex()) or signer.address == known.address
    assert signer.address == known.address
    signed = known.sign_message(encode_defunct(text="Grüezi"))
    assert personal_signature(signer, "Grüezi") == "0x" + signed.signature.hex()
    elsewhere = CallableSigner(signer.address, signer.sign_digest)
    assert elsewhere.sign_digest(b"\1" * 32) == signer.sign_digest(b"\1" * 32)
    with pytest.raises(ValueError, match="64 hexadecimal"):
        LocalSigner.from_key("not a key")


@pytest.mark.parametrize("amount", [0.1, 1.0, True, None, float("nan")])
def test_a_float_is_refused_as_an_amount(amount: Any) -> None:
    with pytest.raises(TypeError):
        amount_text(amount)


@pytest.mark.parametrize("amount", ["1e3", "-1", "", " 1", "1\n", "01", Decimal("NaN"), Decimal("-1"), -5])
def test_what_is_no_plain_amount_is_refused(amount: Any) -> None:
    with pytest.raises(ValueError, match="plain amount"):
        amount_text(amount)


@given(st.decimals(min_value=0, max_value=10**19, allow_nan=False, places=12))
def test_a_decimal_travels_exactly(amount: Decimal) -> None:
    text = amount_text(amount)
    assert is_amount(text) and Decimal(text) == amount


def test_text_is_signed_as_it_is_given() -> None:
    assert (amount_text("50.00"), amount_text(Decimal("1E+3")), amount_text(7)) == ("50.00", "1000", "7")
