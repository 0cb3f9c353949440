"""Bodies about API keys."""

from ipaddress import ip_network
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from deedbook.api.v1.schemas.common import Answer, Body, Line, Moment, PositiveAmount
from deedbook.identity import ApiKey, KeyTerms, Scope
from deedbook.identity.keys import MAX_LIFE, NewKey
from deedbook.kernel.amounts import to_text, to_units
from deedbook.trading.spec import PLACES

MAX_NETWORKS = 16
DEFAULT_DAYS = 90


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise ValueError("an address or a network, such as 203.0.113.7 or 2001:db8::/48") from None


NetworkText = Annotated[
    str,
    Field(strict=True, min_length=2, max_length=43, examples=["203.0.113.7"]),
    AfterValidator(_network),
]
ScopeText = Literal["read", "trade", "account"]


class CreateApiKey(Body):
    """What a key may do: `read` my orders, trades and their settlement; `account`, whatever else I may look at;
    `trade`, send in what I have signed, and cancel. `dailyNotional` is counted for each quote token by itself."""

    name: Annotated[Line, Field(min_length=1, max_length=64)]
    scopes: Annotated[list[ScopeText], Field(min_length=1, max_length=3)]
    expires_in_days: Annotated[int, Field(strict=True, ge=1, le=MAX_LIFE.days)] = DEFAULT_DAYS
    allowed_addresses: Annotated[tuple[NetworkText, ...], Field(max_length=MAX_NETWORKS)] = ()
    orders_per_minute: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    daily_notional: PositiveAmount | None = None

    def terms(self) -> KeyTerms:
        cap = self.daily_notional
        return KeyTerms(
            frozenset(Scope(scope) for scope in self.scopes),
            tuple(ip_network(network) for network in dict.fromkeys(self.allowed_addresses)),
            self.orders_per_minute,
            to_units(cap, PLACES) if cap is not None else None,
        )


class ApiKeyAnswer(Answer):
    """A key, without its secret: that nobody keeps."""

    id: UUID
    name: str
    scopes: list[ScopeText]
    allowed_addresses: list[str]
    orders_per_minute: int | None
    daily_notional: str | None
    created_at: Moment
    expires_at: Moment
    last_used_at: Moment | None
    last_used_from: str | None
    revoked_at: Moment | None

    @classmethod
    def of(cls, key: ApiKey) -> "ApiKeyAnswer":
        cap = key.terms.daily_notional
        return cls.model_validate(
            {
                "id": key.key_id,
                "name": key.name,
                "scopes": sorted(scope.value for scope in key.terms.scopes),
                "allowed_addresses": [str(network) for network in key.terms.networks],
                "orders_per_minute": key.terms.orders_per_minute,
                "daily_notional": None if cap is None else to_text(cap, PLACES),
                "created_at": key.created_at,
                "expires_at": key.expires_at,
                "last_used_at": key.last_used_at,
                "last_used_from": key.last_used_from,
                "revoked_at": key.revoked_at,
            }
        )


class KeyRequestAnswer(Answer):
    """A request that showed the key. `requestId` is what its answer had in `X-Request-Id`."""

    at: Moment
    method: str
    path: str
    status: int
    took_ms: int
    request_id: str


class KeyRequestsAnswer(Answer):
    """The latest requests, the newest first."""

    requests: list[KeyRequestAnswer]


class NewApiKeyAnswer(Answer):
    """A key that was made just now. `apiKey` is its whole text, shown this once: it is null where the request is only
    answered again, and whoever has lost it makes another one."""

    key: ApiKeyAnswer
    api_key: str | None

    @classmethod
    def without_secret(cls, made: NewKey) -> "NewApiKeyAnswer":
        return cls(key=ApiKeyAnswer.of(made.key), api_key=None)
