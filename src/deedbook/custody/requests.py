"""What an account signed, checked before anything is opened: expiry, token, signature, whose account it is. The
nonce, compliance and funds follow in the transaction that acts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deedbook import chain, identity, tokens
from deedbook.chain.terms import Contract
from deedbook.custody.errors import TokenNotKept, VaultNotDeployed
from deedbook.custody.ports import Gate
from deedbook.identity import Caller, Domain, SignedAction
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import Struct
from deedbook.infra.database import Database
from deedbook.kernel.amounts import MalformedAmount, to_units
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.tokens import Token, TokenStatus


@dataclass(frozen=True)
class Checked:
    """A signed request that holds. `ours` are the addresses of the platform's own contracts."""

    token: Token
    amount: int
    action: SignedAction
    vault: Address
    ours: frozenset[Address]


async def check(
    db: Database,
    gate: Gate,
    struct: Struct,
    account: Address,
    values: Mapping[str, Any],
    signature: str,
    caller: Caller,
) -> Checked:
    """Make sure that the caller's own account signed this for a token that the vault keeps.

    `values` are the struct's fields: text, canonical addresses, whole numbers. No transaction may be open: a
    contract wallet is asked over the chain.

    Raises:
        VaultNotDeployed: there is nothing to sign for yet.
        ActionExpired · Invalid: the expiry has passed or lies too far ahead; the amount is finer than the token.
        TokenNotKept: no token of ours, or not yet.
        SignatureMalformed · SignatureRefused · WalletNotYours · ChainUnavailable: see `identity.verify_action`.
    """
    contracts = await chain.contracts(db, gate.chain_id)
    vault = contracts.get(Contract.SETTLEMENT)
    if vault is None:
        raise VaultNotDeployed
    async with db.transaction() as tx:
        now = await tx.now()
        identity.expiry_of(int(values["expiry"]), now)
        token = await tokens.of_address(tx, Address(values["token"]))
    if token is None or token.status is not TokenStatus.ACTIVE or token.contract_address is None:
        raise TokenNotKept
    amount = _units(str(values["amount"]), token)
    domain = Domain(gate.chain_id, vault)
    action = await identity.verify_action(
        domain, struct, account, values, signature, caller, gate.wallets, now
    )
    return Checked(token, amount, action, vault, frozenset(contracts.values()))


def _units(text: str, token: Token) -> int:
    try:
        return to_units(text, token.decimals)
    except MalformedAmount as error:
        detail = str(error)
        raise Invalid(detail, errors=(FieldError("/amount", "bad_amount", detail),)) from None
