"""One signature, one deed: what counts as an account's consent to a request, and how often."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .desk import Desk, open_desk
from .evm import Refusal
from .requests import CARRIED_OUT_BY, HOUR, Request, compact, high_s, with_v
from .world import World

KINDS = list(CARRIED_OUT_BY)
LONG = "9" * 64


@pytest.fixture
def desk(world: World) -> Desk:
    return open_desk(world)


def _invalid(request: Request) -> Refusal:
    return Refusal("InvalidSignature", (request.values[0], request.digest))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("amount", "nonce"), [("100", "1"), ("0.000001", LONG), ("12.500", "a_B-9")])
def test_the_contract_hashes_as_wallets_do(desk: Desk, kind: str, amount: str, nonce: str) -> None:
    request = desk.request(kind, amount, nonce)
    assert desk.world.settlement.read(f"hash{kind}", request.values) == request.digest


@pytest.mark.parametrize("kind", KINDS)
def test_the_owners_signature_is_taken_once(desk: Desk, kind: str) -> None:
    request = desk.request(kind)
    assert desk.world.settlement.read("usedDigest", request.digest) is False
    desk.carry_out(request)
    assert desk.world.settlement.read("usedDigest", request.digest) is True
    used = Refusal("DigestAlreadyUsed", (request.digest,))
    signature = request.signed_by(desk.trader)
    for again in (signature, high_s(signature)):
        assert desk.refusal(request, again) == used
    desk.carry_out(desk.request(kind, nonce="2"))
    desk.assert_exact()


@pytest.mark.parametrize("kind", KINDS)
def test_only_one_form_of_a_signature_is_taken(desk: Desk, kind: str) -> None:
    request = desk.request(kind)
    good = request.signed_by(desk.trader)
    bent = [b"", high_s(good), compact(good), good + b"\0", good[:64], bytes(65)]
    bent += [with_v(good, v) for v in (0, 1, 26, 29, 35, 255)]
    for signature in bent:
        assert desk.refusal(request, signature) == _invalid(request)
    desk.carry_out(request, good)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_of_another_domain_is_refused(desk: Desk, kind: str) -> None:
    request = desk.request(kind)
    others = [
        replace(request, contract=desk.world.factory.address),
        replace(request, chain_id=23294),
        replace(request, name="Deedbook "),
        replace(request, version="2"),
    ]
    for other in others:
        assert desk.refusal(request, other.signed_by(desk.trader)) == _invalid(request)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_signed(desk: Desk, kind: str) -> None:
    request = desk.request(kind)
    signature = request.signed_by(desk.trader)
    changes = {"amount": "100.0", "nonce": "01", "expiry": request.values[-1] + 1}
    if kind == "Withdrawal":
        changes["destination"] = desk.world.operator.address
    if kind == "Transfer":
        changes["to"] = desk.world.operator.address
    for field, value in changes.items():
        changed = request.changed(field, value)
        assert desk.refusal(changed, signature) == _invalid(changed)


@pytest.mark.parametrize("kind", KINDS)
def test_anothers_signature_is_refused(desk: Desk, kind: str) -> None:
    request = desk.request(kind)
    for signer in (desk.other, desk.world.operator, desk.world.admin):
        assert desk.refusal(request, request.signed_by(signer)) == _invalid(request)


@pytest.mark.parametrize("signed", KINDS)
@pytest.mark.parametrize("used", KINDS)
def test_a_signature_for_one_deed_is_none_for_another(desk: Desk, signed: str, used: str) -> None:
    if signed == used:
        return
    request = desk.request(used)
    assert desk.refusal(request, desk.request(signed).signed_by(desk.trader)) == _invalid(request)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_holds_until_its_expiry_and_no_longer(desk: Desk, kind: str) -> None:
    request = desk.request(kind)
    late = desk.request(kind, nonce="2")
    expiry = request.values[-1]
    assert expiry <= desk.world.evm.now() + HOUR
    desk.world.evm.rpc("evm_setNextBlockTimestamp", expiry)
    desk.carry_out(request)
    desk.world.evm.travel(late.values[-1] + 1)
    refusal = desk.refusal(late)
    assert refusal.name == "ActionExpired" and refusal.args[0] == late.values[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_request_may_be_brought_again(desk: Desk, kind: str) -> None:
    request = desk.request(kind, amount="100000")
    for _ in range(2):
        assert desk.refusal(request).name != "DigestAlreadyUsed"
    assert desk.world.settlement.read("usedDigest", request.digest) is False


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("amount", ["", "1e2", "01", "-1", "0.0000001", "1,5", "100 "])
def test_an_amount_that_cannot_be_read_moves_nothing(desk: Desk, kind: str, amount: str) -> None:
    assert desk.refusal(desk.request(kind, amount)) == Refusal("MalformedAmount")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("amount", ["0", "0.00"])
def test_nothing_is_no_amount_to_move(desk: Desk, kind: str, amount: str) -> None:
    assert desk.refusal(desk.request(kind, amount)) == Refusal("ZeroAmount")


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_that_is_not_listed_is_refused(desk: Desk, kind: str) -> None:
    other = desk.world.evm.deploy(desk.world.deployer, "TestDollar", desk.world.admin.address)
    request = desk.request(kind).changed("token", other.address)
    assert desk.refusal(request) == Refusal("TokenNotListed", (other.address,))


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_no_signer(desk: Desk, kind: str) -> None:
    nobody = "0x" + "00" * 20
    request = desk.request(kind).changed("from" if kind == "Transfer" else "trader", nobody)
    for signature in (bytes(65), with_v(bytes(65), 27), request.signed_by(desk.trader)):
        assert desk.refusal(request, signature) == _invalid(request)
