"""The words of the vault, its tokens and the identity registry: calls to make, and what stands there.

A signed action is passed on as its wallet showed it: the contract hashes and reads the very same text. Gas
budgets are as in `contracts`, measured by the tests with the longest texts. Those of signed actions leave room
besides for what others wrote: a contract wallet that checks a signature, a payment token behind a proxy.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from eth_abi import encode

from deedbook.chain.erc20 import MAX_NAME_LENGTH, MAX_SYMBOL_LENGTH, Erc20Metadata
from deedbook.chain.identities import MAX_UPDATES, IdentityUpdate
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call
from deedbook.chain.vault import REFERENCE_BYTES, Permit
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import DEPOSIT, TRANSFER, WITHDRAWAL, Struct
from deedbook.integrations.sapphire.contracts import LISTING_PAYMENT, NEVER_EXPIRES, read, told_by

GAS_DEPOSIT_FOR = 280_000
GAS_DEPOSIT_WITH_PERMIT = 340_000
GAS_WITHDRAW = 300_000
GAS_TRANSFER = 260_000
GAS_MINT_TO_VAULT = 220_000
GAS_BURN_FROM_VAULT = 150_000
GAS_PAUSE = 70_000
GAS_FREEZE_TOKENS = 90_000
GAS_LIST_TOKEN = 90_000
GAS_IDENTITIES = 60_000
GAS_EACH_IDENTITY = 40_000
GAS_EACH_SIGNATURE_BYTE = 100
"""Of a signature longer than a key's. Wallets of several owners check one after another what they signed."""
_KEY_SIGNATURE_BYTES = 65
_MAX_DECIMALS = 38
_UPDATE = "(address,bool,bytes2,uint8,uint64)"


def deposit_for(settlement: Address, deposit: Mapping[str, Any], signature: bytes) -> Call:
    """Pull what the trader signed for and approved into the vault. Anybody may send it."""
    data = _call("depositFor", [_struct(DEPOSIT, deposit), ("bytes", signature)])
    return Call(settlement, data, GAS_DEPOSIT_FOR + _gas_of(signature))


def deposit_with_permit(
    settlement: Address, deposit: Mapping[str, Any], signature: bytes, permit: Permit
) -> Call:
    """As `deposit_for`, with the approval in the same transaction."""
    arguments = [
        _struct(DEPOSIT, deposit),
        ("bytes", signature),
        ("uint256", permit.value),
        ("uint256", permit.deadline),
        ("uint8", permit.v),
        ("bytes32", permit.r),
        ("bytes32", permit.s),
    ]
    data = _call("depositWithPermit", arguments)
    return Call(settlement, data, GAS_DEPOSIT_WITH_PERMIT + _gas_of(signature))


def withdraw(settlement: Address, withdrawal: Mapping[str, Any], signature: bytes, reference: bytes) -> Call:
    """Pay out what the trader signed for, once under this reference."""
    data = _signed_move("withdraw", WITHDRAWAL, withdrawal, signature, reference)
    return Call(settlement, data, GAS_WITHDRAW + _gas_of(signature))


def transfer(settlement: Address, moved: Mapping[str, Any], signature: bytes, reference: bytes) -> Call:
    """Move a vault balance to the account that its owner signed for, once under this reference."""
    data = _signed_move("transfer", TRANSFER, moved, signature, reference)
    return Call(settlement, data, GAS_TRANSFER + _gas_of(signature))


def mint_to_vault(token: Address, account: Address, units: int, reference: bytes) -> Call:
    """Mint into the vault for an account, once under this reference."""
    return Call(token, _supply("mintToVault", account, units, reference), GAS_MINT_TO_VAULT)


def burn_from_vault(token: Address, account: Address, units: int, reference: bytes) -> Call:
    """Destroy tokens that the vault keeps for an account, frozen ones too, once under this reference."""
    return Call(token, _supply("burnFromVault", account, units, reference), GAS_BURN_FROM_VAULT)


def set_identities(registry: Address, updates: Sequence[IdentityUpdate]) -> Call:
    """Tell the registry who is verified. Telling it twice changes nothing."""
    told = [
        (
            update.account,
            update.verified,
            update.jurisdiction.encode("ascii"),
            update.accreditation,
            NEVER_EXPIRES if update.expires_at is None else update.expires_at,
        )
        for update in updates
    ]
    return Call(registry, _call("setIdentities", [(f"{_UPDATE}[]", told)]), _gas_of_identities(len(told)))


def set_frozen(registry: Address, accounts: Sequence[Address], frozen: bool) -> Call:
    """Freeze or thaw accounts, with all that they hold. Doing it twice changes nothing."""
    data = _call("setFrozenBatch", [("address[]", list(accounts)), ("bool", frozen)])
    return Call(registry, data, _gas_of_identities(len(accounts)))


def list_token(settlement: Address, token: Address) -> Call:
    """Let the vault take a token that others issued; it reads the decimals now, for ever."""
    data = _call("listToken", [("address", token), ("uint8", LISTING_PAYMENT)])
    return Call(settlement, data, GAS_LIST_TOKEN)


def pause_token(token: Address) -> Call:
    """Stop every move of an issued token but those of force. Undone by the contract when it is paused already."""
    return Call(token, _call("pause", []), GAS_PAUSE)


def unpause_token(token: Address) -> Call:
    """Undone by the contract when the token is not paused."""
    return Call(token, _call("unpause", []), GAS_PAUSE)


def set_frozen_tokens(token: Address, account: Address, units: int) -> Call:
    """Freeze this much of an account's tokens: the whole figure, not a difference."""
    data = _call("setFrozenTokens", [("address", account), ("uint256", units)])
    return Call(token, data, GAS_FREEZE_TOKENS)


async def vault_balance(chain: Chain, settlement: Address, account: Address, token: Address) -> int:
    """What the vault keeps of a token for an account, in base units."""
    asked = "balanceOf(address,address)", ["address", "address"], [account, token]
    return int(await read(chain, settlement, *asked, "uint256"))


async def vault_total(chain: Chain, settlement: Address, token: Address) -> int:
    """What the vault owes of a token to all accounts together."""
    return int(await read(chain, settlement, "totalOf(address)", ["address"], [token], "uint256"))


async def vault_restriction(
    chain: Chain, token: Address, account: Address, receiver: Address, units: int
) -> int:
    """The reason number for which an issued token would refuse this move of a vault balance; 0 when allowed."""
    asked = "detectVaultRestriction(address,address,uint256)", ["address", "address", "uint256"]
    return int(await read(chain, token, *asked, [account, receiver, units], "uint8"))


async def is_digest_used(chain: Chain, settlement: Address, digest: bytes) -> bool:
    """Whether a signed action was carried out, by whomever brought it."""
    return bool(await read(chain, settlement, "usedDigest(bytes32)", ["bytes32"], [digest], "bool"))


async def is_reference_used(chain: Chain, settlement: Address, reference: bytes) -> bool:
    """Whether the vault did what this reference stands for: a withdrawal, a transfer, a forced move."""
    return bool(await read(chain, settlement, "usedReference(bytes32)", ["bytes32"], [reference], "bool"))


async def erc20_metadata(chain: Chain, token: Address) -> Erc20Metadata | None:
    """What a contract says of itself as a token; `None` when it says nothing that a token would.

    Raises:
        ChainUnavailable: the node does not answer.
    """
    name = await told_by(chain, token, "name()", [], [], "string")
    symbol = await told_by(chain, token, "symbol()", [], [], "string")
    decimals = await told_by(chain, token, "decimals()", [], [], "uint8")
    if not _is_shown(name, MAX_NAME_LENGTH) or not _is_shown(symbol, MAX_SYMBOL_LENGTH):
        return None
    if not isinstance(decimals, int) or decimals > _MAX_DECIMALS:
        return None
    return Erc20Metadata(str(name), str(symbol), decimals)


def _is_shown(text: Any, at_most: int) -> bool:
    """No controls, no direction marks, no other spaces than the plain one."""
    return isinstance(text, str) and 0 < len(text) <= at_most and text.isprintable() and text == text.strip()


def _signed_move(
    function: str, struct: Struct, text: Mapping[str, Any], signature: bytes, reference: bytes
) -> bytes:
    assert len(reference) == REFERENCE_BYTES
    return _call(function, [_struct(struct, text), ("bytes", signature), ("bytes32", reference)])


def _supply(function: str, account: Address, units: int, reference: bytes) -> bytes:
    assert len(reference) == REFERENCE_BYTES
    return _call(function, [("address", account), ("uint256", units), ("bytes32", reference)])


def _struct(struct: Struct, text: Mapping[str, Any]) -> tuple[str, Any]:
    kinds = ",".join(kind for _, kind in struct.fields)
    return f"({kinds})", tuple(text[field] for field, _ in struct.fields)


def _call(function: str, arguments: Sequence[tuple[str, Any]]) -> bytes:
    kinds = [kind for kind, _ in arguments]
    selector = keccak(f"{function}({','.join(kinds)})".encode())[:4]
    return selector + bytes(encode(kinds, [value for _, value in arguments]))


def _gas_of(signature: bytes) -> int:
    return GAS_EACH_SIGNATURE_BYTE * max(0, len(signature) - _KEY_SIGNATURE_BYTES)


def _gas_of_identities(number: int) -> int:
    assert 0 < number <= MAX_UPDATES
    return GAS_IDENTITIES + number * GAS_EACH_IDENTITY
