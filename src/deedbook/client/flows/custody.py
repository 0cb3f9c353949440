"""What I have, and how it comes and goes."""

from uuid import UUID

from deedbook.client.actions import sign_deposit, sign_permit, sign_transfer, sign_withdrawal
from deedbook.client.amounts import Amount, amount_text
from deedbook.client.answers import Balance, Deposit, LedgerLine, Mint, Token, Transfer, Withdrawal
from deedbook.client.flow import Flow, Session, signer_of
from deedbook.client.flows import chain
from deedbook.client.flows.asking import as_body, everything, get, page, segment, send
from deedbook.client.flows.people import exchange_info, me, token
from deedbook.client.flows.waiting import until
from deedbook.client.operations import Page
from deedbook.kernel.amounts import to_units

EXPIRES_IN_S = 3600
DEPOSIT_OVER = frozenset({"CREDITED", "EXPIRED", "FAILED"})
WITHDRAWAL_OVER = frozenset({"COMPLETED", "FAILED", "REJECTED", "CANCELLED", "EXPIRED"})


def _kept(session: Session, name: str) -> Flow[Token]:
    """A token with its contract, which never changes: asked for once."""
    known = session.tokens.get(name)
    if known is None:
        known = yield from token(session, name)
        if known.contract_address is not None:
            session.tokens[name] = known
    return known


def balances(session: Session) -> Flow[tuple[Balance, ...]]:
    """All that I have."""
    user_id = (yield from me(session)).user_id
    return (yield from everything(session, Balance, f"/tokens/balances/{user_id}"))


def ledger(session: Session, cursor: str | None, *, token_id: UUID | None = None) -> Flow[Page[LedgerLine]]:
    """What changed my balances, the newest first."""
    return (yield from page(session, LedgerLine, "/ledger", cursor, token_id=token_id))


def deposit(
    session: Session, token: str, amount: Amount, *, rpc_url: str | None = None, key: str | None = None
) -> Flow[Deposit]:
    """Sign and announce a deposit. With the address of a node the platform brings it to the vault, by an approval that
    is signed too (ERC-2612); without one, `send` of the answer has what one's wallet sends."""
    signer, of = signer_of(session), (yield from _kept(session, token))
    exchange, expiry = (yield from exchange_info(session)), int(session.clock()) + EXPIRES_IN_S
    body = sign_deposit(signer, exchange, of, amount, nonce=session.new_nonce(), expiry=expiry)
    if rpc_url is not None:
        assert of.contract_address is not None, "its deposit was just signed"
        separator, nonce = yield from chain.permit_terms(rpc_url, of.contract_address, signer.address)
        vault, units = exchange.eip712_domain["verifyingContract"], to_units(amount_text(amount), of.decimals)
        permit = sign_permit(signer, vault, units, separator=separator, nonce=nonce, deadline=expiry)
        body = {**body, "relay": True, "permit": permit}
    return (yield from send(session, Deposit, "/deposits", body, key=key))


def withdraw(
    session: Session, token: str, amount: Amount, to: str | None = None, *, key: str | None = None
) -> Flow[Withdrawal]:
    """Sign and ask for a withdrawal, to one's own address unless another is given."""
    signer, of = signer_of(session), (yield from _kept(session, token))
    exchange, expiry = (yield from exchange_info(session)), int(session.clock()) + EXPIRES_IN_S
    where = to or signer.address
    body = sign_withdrawal(signer, exchange, of, amount, where, nonce=session.new_nonce(), expiry=expiry)
    return (yield from send(session, Withdrawal, "/withdrawals", body, key=key))


def transfer(
    session: Session, token: str, amount: Amount, to: str, *, key: str | None = None
) -> Flow[Transfer]:
    """Sign a transfer to another account in the vault."""
    signer, of = signer_of(session), (yield from _kept(session, token))
    exchange, expiry = (yield from exchange_info(session)), int(session.clock()) + EXPIRES_IN_S
    body = sign_transfer(signer, exchange, of, amount, to, nonce=session.new_nonce(), expiry=expiry)
    return (yield from send(session, Transfer, f"/tokens/{of.id}/transfer", body, key=key))


def one_deposit(session: Session, deposit_id: UUID | str) -> Flow[Deposit]:
    """A deposit of mine."""
    return (yield from get(session, Deposit, f"/deposits/{segment(deposit_id)}"))


def deposits(session: Session, cursor: str | None) -> Flow[Page[Deposit]]:
    """My deposits, the newest first."""
    return (yield from page(session, Deposit, "/deposits", cursor))


def withdrawal(session: Session, withdrawal_id: UUID | str) -> Flow[Withdrawal]:
    """A withdrawal of mine."""
    return (yield from get(session, Withdrawal, f"/withdrawals/{segment(withdrawal_id)}"))


def withdrawals(session: Session, cursor: str | None) -> Flow[Page[Withdrawal]]:
    """My withdrawals, the newest first."""
    return (yield from page(session, Withdrawal, "/withdrawals", cursor))


def cancel_withdrawal(session: Session, withdrawal_id: UUID | str) -> Flow[Withdrawal]:
    """Take a withdrawal back, while it waits."""
    return (yield from send(session, Withdrawal, f"/withdrawals/{segment(withdrawal_id)}/cancel", {}))


def approve_withdrawal(session: Session, withdrawal_id: UUID | str, reason: str) -> Flow[Withdrawal]:
    """Let somebody's withdrawal go, as compliance or an admin."""
    path = f"/withdrawals/{segment(withdrawal_id)}/approve"
    return (yield from send(session, Withdrawal, path, {"reason": reason}))


def reject_withdrawal(session: Session, withdrawal_id: UUID | str, reason: str) -> Flow[Withdrawal]:
    """Refuse somebody's withdrawal, as compliance or an admin."""
    path = f"/withdrawals/{segment(withdrawal_id)}/reject"
    return (yield from send(session, Withdrawal, path, {"reason": reason}))


def all_withdrawals(
    session: Session, cursor: str | None, *, status: str | None = None
) -> Flow[Page[Withdrawal]]:
    """Everybody's withdrawals, as those see them who decide."""
    return (yield from page(session, Withdrawal, "/admin/withdrawals", cursor, status=status))


def one_transfer(session: Session, transfer_id: UUID | str) -> Flow[Transfer]:
    """A transfer of mine, in or out."""
    return (yield from get(session, Transfer, f"/transfers/{segment(transfer_id)}"))


def transfers(session: Session, cursor: str | None) -> Flow[Page[Transfer]]:
    """My transfers, the newest first."""
    return (yield from page(session, Transfer, "/transfers", cursor))


def mint(
    session: Session,
    token: str,
    amount: Amount,
    *,
    reason: str,
    to: str | None = None,
    key: str | None = None,
) -> Flow[Mint]:
    """Ask for more of a token, as its issuer."""
    of = yield from _kept(session, token)
    body = as_body({"amount": amount_text(amount), "reason": reason, "to": to})
    return (yield from send(session, Mint, f"/tokens/{of.id}/mint", body, key=key))


def approve_mint(session: Session, mint_id: UUID | str, reason: str = "") -> Flow[Mint]:
    """Let a mint go ahead, as compliance or an admin."""
    path = f"/tokens/mints/{segment(mint_id)}/approve"
    return (yield from send(session, Mint, path, {"reason": reason}))


def wait_for_deposit(session: Session, deposit_id: UUID | str, within_s: float = 120) -> Flow[Deposit]:
    """Ask for a deposit until it is credited, or never will be.

    Raises:
        StillWaiting: neither, in time.
    """

    def look() -> Flow[Deposit]:
        return one_deposit(session, deposit_id)

    def is_over(seen: Deposit) -> bool:
        return seen.status in DEPOSIT_OVER

    return (yield from until(session, look, is_over, f"deposit {deposit_id}", within_s))


def wait_for_withdrawal(
    session: Session, withdrawal_id: UUID | str, within_s: float = 120
) -> Flow[Withdrawal]:
    """Ask for a withdrawal until it is paid, or never will be.

    Raises:
        StillWaiting: neither, in time. It may wait for somebody to approve it.
    """

    def look() -> Flow[Withdrawal]:
        return withdrawal(session, withdrawal_id)

    def is_over(seen: Withdrawal) -> bool:
        return seen.status in WITHDRAWAL_OVER

    return (yield from until(session, look, is_over, f"withdrawal {withdrawal_id}", within_s))


def wait_for_transfer(session: Session, transfer_id: UUID | str, within_s: float = 120) -> Flow[Transfer]:
    """Ask for a transfer until it is done, or never will be.

    Raises:
        StillWaiting: neither, in time.
    """

    def look() -> Flow[Transfer]:
        return one_transfer(session, transfer_id)

    def is_over(seen: Transfer) -> bool:
        return seen.status in WITHDRAWAL_OVER

    return (yield from until(session, look, is_over, f"transfer {transfer_id}", within_s))
