"""References on the chain and the ids behind them."""

from uuid import UUID, uuid4

import pytest

from deedbook.chain.vault import REFERENCE_BYTES, id_of, reference_of


def test_an_id_comes_back_from_its_reference() -> None:
    for id_ in (uuid4(), UUID(int=0), UUID(int=2**128 - 1)):
        assert len(reference_of(id_)) == REFERENCE_BYTES
        assert id_of(reference_of(id_)) == id_


@pytest.mark.parametrize("reference", [b"", bytes(16), bytes(31), bytes(33), bytes(31) + b"\1", b"\xff" * 32])
def test_what_was_not_made_from_an_id_has_none(reference: bytes) -> None:
    assert id_of(reference) is None
