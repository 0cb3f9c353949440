"""What is said of facts, to whom. Pure: the names of things come along."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from deedbook.compliance.events import AccountFrozen, AccountUnfrozen, ComplianceExpired
from deedbook.custody import events as custody
from deedbook.identity.events import ApiKeyCreated, RoleGranted, SessionRevoked, SubjectBound
from deedbook.infra.outbox import StoredFact
from deedbook.kernel.events import Fact
from deedbook.kernel.ids import UserId
from deedbook.markets import events as markets
from deedbook.notifications.events import ContactChanged, PushSubscribed, WebhookAdded, WebhookDisabled
from deedbook.notifications.model import MAX_TITLE, Notice
from deedbook.notifications.terms import Kind
from deedbook.tokens.events import MintFailed, MintRejected, TokenMinted

STOLEN = "refresh_token_reused"


@dataclass(frozen=True)
class Named:
    """What facts name by an id alone: symbols of tokens; names of markets, and the users who issue there; of mints who
    asked for them, and how much that is."""

    symbols: Mapping[str, str]
    markets: Mapping[str, tuple[str, UserId]]
    mints: Mapping[str, tuple[UserId, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Telling:
    """How one fact is told to one of those it is about. `to` is the field that names them, `requestedBy` whoever asked
    for the mint that it names; where it is empty, the market's issuer."""

    kind: Kind
    title: str
    body: str
    to: str = "userId"


_SENT, _GOT = "Your {symbol} were sent", "You received {amount} {symbol}"
TELLINGS: dict[type[Fact], tuple[Telling, ...]] = {
    custody.DepositCredited: (
        Telling(
            Kind.DEPOSIT_CREDITED, "{amount} {symbol} deposited", "{amount} {symbol} stand in your account."
        ),
    ),
    custody.DepositFailed: (
        Telling(Kind.DEPOSIT_FAILED, "Deposit of {symbol} failed", "Nothing was taken from you."),
    ),
    custody.DepositExpired: (
        Telling(
            Kind.DEPOSIT_EXPIRED,
            "Deposit of {symbol} expired",
            "What you signed has expired, and nothing had arrived.",
        ),
    ),
    custody.WithdrawalRequested: (
        Telling(
            Kind.WITHDRAWAL_REQUESTED,
            "Withdrawal of {amount} {symbol} requested",
            "If this was not you, cancel it and sign out everywhere.",
        ),
    ),
    custody.WithdrawalRejected: (
        Telling(
            Kind.WITHDRAWAL_REJECTED,
            "Withdrawal of {symbol} rejected",
            "What was held for it is available again.",
        ),
    ),
    custody.WithdrawalCompleted: (
        Telling(
            Kind.WITHDRAWAL_COMPLETED,
            "{amount} {symbol} withdrawn",
            "{amount} {symbol} have left your account.",
        ),
    ),
    custody.WithdrawalFailed: (
        Telling(
            Kind.WITHDRAWAL_FAILED,
            "Withdrawal of {symbol} failed",
            "What was held for it is available again.",
        ),
    ),
    custody.TransferCompleted: (
        Telling(Kind.TRANSFER_COMPLETED, _SENT, "{amount} {symbol} have left your account."),
        Telling(Kind.TRANSFER_RECEIVED, _GOT, "{amount} {symbol} stand in your account.", to="toUserId"),
    ),
    custody.TransferFailed: (
        Telling(
            Kind.TRANSFER_FAILED, "Transfer of {symbol} failed", "What was held for it is available again."
        ),
    ),
    custody.MovedByForce: (
        Telling(
            Kind.MOVED_BY_FORCE,
            "{amount} {symbol} were moved from your account",
            "The enforcer of this token moved them without your consent. Ask compliance why.",
        ),
        Telling(
            Kind.MOVED_BY_FORCE,
            _GOT,
            "The enforcer of this token moved them to you from another account.",
            to="toUserId",
        ),
    ),
    custody.Burned: (
        Telling(
            Kind.BURNED, "{amount} {symbol} were destroyed", "What the vault kept of them for you is no more."
        ),
    ),
    custody.WithdrawalAddressAdded: (
        Telling(
            Kind.ADDRESS_ADDED,
            "A withdrawal address was added",
            "It counts from {usableFrom}. If this was not you, remove it before.",
        ),
    ),
    custody.AllowListChanged: (
        Telling(
            Kind.ALLOW_LIST_CHANGED,
            "Your list of withdrawal addresses was switched",
            "If this was not you, switch it back and sign out everywhere.",
        ),
    ),
    TokenMinted: (
        Telling(Kind.TOKEN_MINTED, "{amount} {symbol} minted", "There are {totalSupply} {symbol} now."),
    ),
    MintRejected: (
        Telling(
            Kind.MINT_REJECTED,
            "Your mint of {amount} {symbol} is rejected",
            "Nothing was minted. Ask for another when this is mended.",
            to="requestedBy",
        ),
    ),
    MintFailed: (
        Telling(
            Kind.MINT_FAILED,
            "Your mint of {amount} {symbol} failed",
            "Nothing was minted. You can ask for another.",
            to="requestedBy",
        ),
    ),
    markets.MarketApproved: (
        Telling(Kind.MARKET_APPROVED, "{market} is approved", "Its token is being deployed.", to=""),
    ),
    markets.MarketRejected: (
        Telling(
            Kind.MARKET_REJECTED, "{market} is rejected", "Register it again when this is mended.", to=""
        ),
    ),
    markets.MarketActivated: (
        Telling(Kind.MARKET_ACTIVATED, "{market} is active", "{tokenSymbol} can be traded.", to=""),
    ),
    markets.MarketActivationFailed: (
        Telling(
            Kind.MARKET_ACTIVATION_FAILED,
            "{market} could not be activated",
            "The deployment failed for good; an officer can try it again.",
            to="",
        ),
    ),
    markets.MarketPaused: (
        Telling(Kind.MARKET_PAUSED, "{market} is paused", "New orders are refused until it resumes.", to=""),
    ),
    markets.MarketResumed: (Telling(Kind.MARKET_RESUMED, "{market} has resumed", "Trading goes on.", to=""),),
    markets.MarketArchived: (
        Telling(Kind.MARKET_ARCHIVED, "{market} is archived", "Trading has ended for good.", to=""),
    ),
    ComplianceExpired: (
        Telling(
            Kind.COMPLIANCE_EXPIRED,
            "Your approval for {symbol} has run out",
            "You cannot trade {symbol} until compliance has renewed it.",
        ),
    ),
    AccountFrozen: (
        Telling(Kind.ACCOUNT_FROZEN, "Your account is frozen", "Nothing of it moves until it is thawed."),
    ),
    AccountUnfrozen: (
        Telling(Kind.ACCOUNT_UNFROZEN, "Your account is thawed", "What it holds may move again."),
    ),
    ApiKeyCreated: (
        Telling(
            Kind.API_KEY_CREATED,
            "An API key was made",
            "“{name}” may do what its scopes allow. If this was not you, revoke it and sign out everywhere.",
        ),
    ),
    ContactChanged: (
        Telling(
            Kind.CONTACT_CHANGED,
            "An address for notifications was {state}",
            "If this was not you, sign out everywhere and set it right.",
        ),
    ),
    WebhookAdded: (
        Telling(
            Kind.WEBHOOK_ADDED,
            "A webhook was added",
            "What happens to you is posted there. If this was not you, remove it and sign out everywhere.",
        ),
    ),
    PushSubscribed: (
        Telling(
            Kind.PUSH_SUBSCRIBED,
            "A browser was subscribed",
            "What happens to you is shown there. If this was not you, remove it and sign out everywhere.",
        ),
    ),
    WebhookDisabled: (
        Telling(
            Kind.WEBHOOK_DISABLED,
            "A webhook was switched off",
            "Nothing is posted there any more. Mend it, switch it on, and replay what was missed.",
        ),
    ),
    RoleGranted: (
        Telling(
            Kind.ROLE_GRANTED, "You are given the role {role}", "What this role may do, your sign-in now can."
        ),
    ),
    SubjectBound: (
        Telling(
            Kind.SIGN_IN_BOUND,
            "A sign-in elsewhere acts for your account",
            "Somebody whom {issuer} vouches for has shown your wallet’s signature, and is let in as you from now on. "
            "If this was not you, tell an operator.",
        ),
    ),
    SessionRevoked: (
        Telling(
            Kind.SESSION_STOLEN,
            "A sign-in of yours was ended",
            "Its refresh token was used twice: somebody may have copied it. Sign in again.",
        ),
    ),
}
_OF = {fact.spec.event_type: tellings for fact, tellings in TELLINGS.items()}
# What stands beside the text, in this order, where the fact says it.
_DETAILS = (
    ("amount", "Amount"),
    ("symbol", "Token"),
    ("destination", "To"),
    ("address", "Address"),
    ("contractAddress", "Contract"),
    ("txHash", "Transaction"),
    ("reason", "Reason"),
)


def of_interest(facts: Iterable[StoredFact]) -> list[StoredFact]:
    """Those of which somebody is told."""
    return [fact for fact in facts if fact.event_type in _OF and not _is_plain_sign_out(fact)]


def _is_plain_sign_out(fact: StoredFact) -> bool:
    return fact.event_type == SessionRevoked.spec.event_type and fact.payload.get("reason") != STOLEN


def notices(facts: Sequence[StoredFact], named: Named) -> list[Notice]:
    """What is told of these facts. Somebody who is both sides of one hears of both."""
    return [
        notice
        for fact in of_interest(facts)
        for telling in _OF[fact.event_type]
        if (notice := _notice(fact, telling, named)) is not None
    ]


def _notice(fact: StoredFact, telling: Telling, named: Named) -> Notice | None:
    market, issuer = named.markets.get(str(fact.payload.get("marketId")), ("", None))
    asked_by, amount = named.mints.get(str(fact.payload.get("mintId")), (None, ""))
    match telling.to:
        case "":
            user_id = issuer
        case "requestedBy":
            user_id = asked_by
        case to:
            user_id = UserId(UUID(fact.payload[to]))
    if user_id is None:
        return None
    symbol = named.symbols.get(str(fact.payload.get("tokenId")), "")
    values = {name: str(value) for name, value in fact.payload.items() if value is not None}
    values |= {"symbol": symbol, "market": market} | ({"amount": amount} if amount else {})
    return Notice(
        user_id=user_id,
        kind=telling.kind,
        source=f"{telling.kind.value}.{telling.to or 'issuer'}.{fact.event_id}",
        subject_type=fact.stream_type,
        subject_id=fact.stream_id,
        title=telling.title.format_map(values)[:MAX_TITLE],
        body=telling.body.format_map(values),
        data=fact.payload,
        details=tuple((label, values[name]) for name, label in _DETAILS if values.get(name)),
        occurred_at=fact.occurred_at,
    )
