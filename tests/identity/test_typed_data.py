"""Our digests are those of other people's libraries: eth-account at test time, ethers 6 in committed vectors."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from deedbook.identity.signatures import checksum_address, recover
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import STRUCTS, Domain, Struct

VECTORS = json.loads((Path(__file__).parent / "typed_data_vectors.json").read_text())
BY_NAME = {struct.name: struct for struct in STRUCTS}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "address": st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    "string": st.text(st.characters(codec="utf-8"), max_size=80),
    "bool": st.booleans(),
    "uint32": st.integers(0, 2**32 - 1),
    "uint256": st.integers(0, 2**256 - 1),
}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['struct']}-{v['value']['nonce']}")
def test_the_digest_and_the_signer_are_those_of_ethers(vector: dict[str, Any]) -> None:
    domain = Domain(vector["domain"]["chainId"], Address(vector["domain"]["verifyingContract"]))
    value = {**vector["value"], "expiry": int(vector["value"]["expiry"])}

    digest = BY_NAME[vector["struct"]].digest(domain, value)

    assert "0x" + digest.hex() == vector["digest"]
    assert recover(digest, bytes.fromhex(vector["signature"][2:])) == vector["signer"]


def test_every_struct_has_vectors() -> None:
    assert {vector["struct"] for vector in VECTORS} == set(BY_NAME)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.name)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_digest_is_that_of_eth_account(struct: Struct, data: st.DataObject) -> None:
    domain = Domain(data.draw(st.integers(1, 2**64)), Address(data.draw(VALUES["address"])))
    values = {field: data.draw(VALUES[kind]) for field, kind in struct.fields}
    wire = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            struct.name: struct.as_wire(),
        },
        "primaryType": struct.name,
        "domain": domain.as_wire(),
        "message": {
            field: checksum_address(Address(values[field])) if kind == "address" else values[field]
            for field, kind in struct.fields
        },
    }
    key = Account.create()

    signed = key.sign_message(encode_typed_data(full_message=wire))

    assert recover(struct.digest(domain, values), bytes(signed.signature)) == key.address.lower()


def test_a_signature_holds_nowhere_else() -> None:
    struct, home = STRUCTS[0], Domain(31337, Address("0x" + "11" * 20))
    values = {"trader": "0x" + "22" * 20, "token": "0x" + "33" * 20, "amount": "1", "nonce": "a", "expiry": 1}

    digests = {
        struct.digest(home, values),
        struct.digest(Domain(1, home.verifying_contract), values),
        struct.digest(Domain(31337, Address("0x" + "12" * 20)), values),
        *(struct.digest(home, {**values, field: other}) for field, other in _OTHER.items()),
    }

    assert len(digests) == 3 + len(_OTHER)


_OTHER = {
    "trader": "0x" + "23" * 20,
    "token": "0x" + "34" * 20,
    "amount": "1.0",
    "nonce": "b",
    "expiry": 2,
}
