"""The platform's key: read from where it is kept, bounded in what it signs, and never shown."""

import copy
import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from deedbook.chain.terms import MAX_DATA_BYTES, MAX_GAS, Call, UnsignedTransaction
from deedbook.identity.terms import Address
from deedbook.infra.settings import Settings, SettingsError
from deedbook.integrations.sapphire.accounts import Account
from deedbook.integrations.sapphire.keys import (
    LocalSigner,
    SigningLimits,
    SigningRefused,
    load_signer,
    open_keystore,
    write_keystore,
)
from tests.support.fake_chain import read

KEY = bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
ADDRESS = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
LIMITS = SigningLimits(chain_id=31337, gas_price_cap=1000)
CALL = Call(Address("0x" + "11" * 20), b"\x01\x02", 21_000)
UNSIGNED = UnsignedTransaction(31337, 7, CALL, 1000)


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "admin.json"
    write_keystore(path, KEY, "correct horse")
    return path


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[arg-type]


def test_a_signature_is_of_the_key_and_of_the_transaction() -> None:
    sent = read(LocalSigner(KEY, LIMITS).sign(UNSIGNED).raw)
    assert (sent.sender, sent.nonce, sent.to, sent.data) == (ADDRESS, 7, CALL.to, CALL.data)
    assert (sent.gas, sent.gas_price, sent.chain_id) == (21_000, 1000, 31337)


def test_a_creation_has_no_receiver() -> None:
    signed = LocalSigner(KEY, LIMITS).sign(replace(UNSIGNED, call=Call(None, b"\xfe", 21_000)))
    assert read(signed.raw).to is None


def test_the_hash_is_known_before_anything_is_sent() -> None:
    signed = LocalSigner(KEY, LIMITS).sign(UNSIGNED)
    assert signed.tx_hash == read(signed.raw).tx_hash
    assert LocalSigner(KEY, LIMITS).sign(UNSIGNED) == signed


@pytest.mark.parametrize(
    "asked",
    [
        replace(UNSIGNED, chain_id=1),
        replace(UNSIGNED, chain_id=23294),
        replace(UNSIGNED, gas_price=1001),
        replace(UNSIGNED, gas_price=0),
        replace(UNSIGNED, call=replace(CALL, gas=MAX_GAS + 1)),
        replace(UNSIGNED, call=replace(CALL, gas=0)),
        replace(UNSIGNED, call=replace(CALL, data=bytes(MAX_DATA_BYTES + 1))),
    ],
)
def test_a_38_the_key_refuses_what_the_platform_never_sends(asked: UnsignedTransaction) -> None:
    with pytest.raises(SigningRefused):
        LocalSigner(KEY, LIMITS).sign(asked)


def test_a_38_the_key_signs_transactions_and_nothing_else() -> None:
    signer = LocalSigner(KEY, LIMITS)
    assert [name for name in dir(signer) if "sign" in name.lower()] == ["sign"]
    assert not {"value", "access_list", "max_fee_per_gas"} & set(UNSIGNED.__dataclass_fields__)


def test_a_34_the_key_is_not_shown_and_does_not_leave() -> None:
    signer = LocalSigner(KEY, LIMITS)
    for shown in (repr(signer), str(signer), f"{signer!s}", f"{[signer]}"):
        assert KEY.hex() not in shown
        assert ADDRESS in shown
    with pytest.raises(TypeError):
        vars(signer)
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="does not leave its process"):
            take(signer)


def test_a_keystore_gives_the_key_back(keystore: Path) -> None:
    assert open_keystore(keystore, "correct horse") == KEY
    assert keystore.stat().st_mode & 0o777 == 0o600
    assert KEY.hex() not in keystore.read_text().lower()
    assert json.loads(keystore.read_text())["version"] == 3


def test_a_keystore_of_another_program_is_read(tmp_path: Path) -> None:
    path = tmp_path / "geth.json"
    path.write_text(json.dumps(Account.encrypt(KEY, "pw", kdf="pbkdf2", iterations=1000)))
    assert open_keystore(path, "pw") == KEY


def test_a_wrong_password_is_said_without_it(keystore: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        open_keystore(keystore, "wrong horse")
    assert "wrong horse" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("content", ["", "{}", "[]", "7", '{"version": 3}', '{"version": 1}', "\x00"])
def test_what_is_no_keystore_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match="SAPPHIRE_ADMIN_KEYSTORE"):
        open_keystore(path, "pw")
    with pytest.raises(SettingsError):
        open_keystore(tmp_path / "absent.json", "pw")


def test_a_keystore_is_never_overwritten(keystore: Path) -> None:
    before = keystore.read_bytes()
    with pytest.raises(FileExistsError):
        write_keystore(keystore, KEY, "other")
    assert keystore.read_bytes() == before


def test_what_is_no_key_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write_keystore(tmp_path / "admin.json", b"short", "pw")
    assert not (tmp_path / "admin.json").exists()


def test_the_signer_comes_from_the_environment_or_from_the_keystore(keystore: Path) -> None:
    for form in (KEY.hex(), "0x" + KEY.hex().upper()):
        assert load_signer(settings(SAPPHIRE_ADMIN_KEY=form)).address == ADDRESS
    from_file = settings(SAPPHIRE_ADMIN_KEYSTORE=keystore, SAPPHIRE_ADMIN_KEYSTORE_PASSWORD="correct horse")
    assert load_signer(from_file).address == ADDRESS


def test_the_signer_is_bound_to_the_chain_and_the_cap_of_the_settings() -> None:
    signer = load_signer(settings(SAPPHIRE_ADMIN_KEY=KEY.hex(), SAPPHIRE_GAS_PRICE_CAP_GWEI=5))
    signer.sign(replace(UNSIGNED, gas_price=5 * 10**9))
    for asked in (replace(UNSIGNED, gas_price=5 * 10**9 + 1), replace(UNSIGNED, chain_id=1)):
        with pytest.raises(SigningRefused):
            signer.sign(asked)


@pytest.mark.parametrize("variable", ["SAPPHIRE_ADMIN_KEY", "SAPPHIRE_ADMIN_KEYSTORE_PASSWORD"])
def test_a_missing_key_says_what_to_set(variable: str, keystore: Path) -> None:
    given = {} if variable == "SAPPHIRE_ADMIN_KEY" else {"SAPPHIRE_ADMIN_KEYSTORE": keystore}
    with pytest.raises(SettingsError, match=variable):
        load_signer(settings(**given))


@pytest.mark.parametrize("number", [0, 2**256 - 1])
def test_a_number_off_the_curve_is_refused_without_showing_it(number: int) -> None:
    with pytest.raises(SettingsError) as refused:
        load_signer(settings(SAPPHIRE_ADMIN_KEY=f"{number:064x}"))
    assert f"{number:064x}" not in str(refused.value)
    assert str(number) not in str(refused.value)
