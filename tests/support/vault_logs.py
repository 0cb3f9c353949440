"""The vault's logs as a fake chain tells them, in a spelling of their own: who watches must not care for it."""

from collections.abc import Sequence
from uuid import UUID

import orjson

from deedbook.chain.vault import VaultEvent, VaultEventKind, reference_of
from deedbook.chain.watch_store import args_of, event_of
from deedbook.identity.terms import Address
from tests.support.fake_chain import Told

VAULT = Address("0x" + "aa" * 20)
TOKEN = Address("0x" + "70" * 20)
ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
MOVES = b"\1" * 32
"""The topic of all that moves balances; any other topic is some other event of the contract."""


def decode(topics: Sequence[bytes], data: bytes) -> VaultEvent | None:
    """Implements `Decode` for this spelling."""
    if not topics or topics[0] != MOVES:
        return None
    try:
        told = orjson.loads(data)
        return event_of(told["kind"], told)
    except (ValueError, KeyError) as error:
        raise ValueError(f"no event of a vault: {error}") from None


def told(event: VaultEvent, contract: Address = VAULT) -> Told:
    return Told(contract, (MOVES,), orjson.dumps({"kind": event.kind.value, **args_of(event)}))


def vault_event(
    kind: VaultEventKind,
    account: Address = ALICE,
    amount: int = 100,
    *,
    token: Address = TOKEN,
    counterparty: Address | None = None,
    reference: bytes | UUID | None = None,
) -> VaultEvent:
    named = reference_of(reference) if isinstance(reference, UUID) else reference
    return VaultEvent(kind, token, account, counterparty, amount, named)


def deposited(account: Address = ALICE, amount: int = 100, *, token: Address = TOKEN) -> Told:
    return told(vault_event(VaultEventKind.DEPOSITED, account, amount, token=token))
