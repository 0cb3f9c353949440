"""Every knob, under its environment name, typed and checked before anything starts."""

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from deedbook.kernel.amounts import is_amount

DEVELOPMENT_KEYS = frozenset(
    {
        # The accounts of the well-known test mnemonic "test test … junk": anyone can spend from them.
        "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
        "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
        "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
        "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
        "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
    }
)
LOCAL_CHAIN_ID = 31337

Strings = Annotated[tuple[str, ...], NoDecode]


class SettingsError(Exception):
    """The environment is not usable; the message names each variable and what is wrong with it."""


class Settings(BaseSettings):
    """The environment of every process. Names are part of our contract with operators."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True, case_sensitive=True)

    # The house
    DEEDBOOK_ENV: Literal["development", "production"] = "development"
    DEEDBOOK_SECRET: SecretStr | None = None
    DEEDBOOK_DEMO_WALLETS: SecretStr | None = None
    FAILPOINTS: str = ""
    LOG_LEVEL: Literal["debug", "info", "warning", "error"] = "info"
    DEEDBOOK_TRACING: bool = False
    OTEL_EXPORTER_OTLP_ENDPOINT: str = ""

    # HTTP
    HOST: str = "127.0.0.1"
    PORT: int = Field(3000, ge=1, le=65535)
    PUBLIC_URL: str = ""
    CORS_ORIGINS: Strings = ()
    TRUSTED_PROXIES: Strings = ()
    RATE_LIMIT_READS: int = Field(1200, ge=1)
    RATE_LIMIT_WRITES: int = Field(120, ge=1)
    RATE_LIMIT_AUTH: int = Field(30, ge=1)
    RATE_LIMIT_WEBHOOKS: int = Field(12_000, ge=1)
    RATE_LIMIT_ORDERS: int = Field(100, ge=1)
    RATE_LIMIT_ORDERS_BY_ROLE: Strings = ()
    WS_CONNECTIONS_PER_ADDRESS: int = Field(100, ge=1, le=10_000)

    # PostgreSQL
    DATABASE_URL: SecretStr | None = None
    DATABASE_POOL_SIZE: int = Field(10, ge=1, le=200)
    DATABASE_STATEMENT_TIMEOUT_S: float = Field(15.0, gt=0)
    DATABASE_IDLE_TRANSACTION_TIMEOUT_S: float = Field(10.0, gt=0)

    # Redis or Valkey
    REDIS_URL: str | None = None
    REDIS_PASSWORD: SecretStr | None = None
    REDIS_TLS: bool = False

    # Queues
    QUEUE_WORKER_CONCURRENCY: int = Field(5, ge=1, le=1000)
    QUEUE_MAX_RETRY_ATTEMPTS: int = Field(3, ge=1, le=100)

    # Entity Permissions Core
    ENTITY_PERMISSIONS_BASE_URL: str | None = None
    ENTITY_PERMISSIONS_TIMEOUT_S: float = Field(2.0, gt=0, le=30)
    ENTITY_PERMISSIONS_PRINCIPAL_TYPE: str = Field("user", min_length=1, max_length=64)
    ENTITY_PERMISSIONS_POLLING: bool = True
    ENTITY_PERMISSIONS_SOURCES: Strings = ("entity_permissions_core",)
    WEBHOOK_HMAC_SECRET: SecretStr | None = None
    SNS_TOPIC_ARNS: Strings = ()
    SNS_PINNED_CERTIFICATE: Path | None = None
    WEBHOOK_MAX_AGE_S: int = Field(3600, ge=60)

    # KYC provider
    KYC_BASE_URL: str | None = None
    KYC_API_KEY: SecretStr | None = None
    KYC_TIMEOUT_S: float = Field(5.0, gt=0, le=30)

    # Prices from outside
    COINGECKO_BASE_URL: str = "https://api.coingecko.com/api/v3"
    COINGECKO_API_KEY: SecretStr | None = None
    PRICE_TIMEOUT_S: float = Field(5.0, gt=0, le=8)
    PRICE_ALERT_BPS: int = Field(500, ge=1, le=10_000)
    PRICE_MAX_SPREAD_BPS: int = Field(200, ge=1, le=10_000)

    # Messages that leave
    SMTP_HOST: str = ""
    SMTP_PORT: int = Field(587, ge=1, le=65535)
    SMTP_SECURITY: Literal["starttls", "tls", "none"] = "starttls"
    SMTP_USER: str = ""
    SMTP_PASSWORD: SecretStr | None = None
    SMTP_TIMEOUT_S: float = Field(10.0, gt=0, le=30)
    SMTP_CA_FILE: Path | None = None
    MAIL_FROM: str = ""
    SMS_BASE_URL: str | None = None
    SMS_ACCOUNT: str = ""
    SMS_TOKEN: SecretStr | None = None
    SMS_FROM: str = ""
    SMS_TIMEOUT_S: float = Field(10.0, gt=0, le=30)
    SMS_CODES_PER_HOUR: int = Field(500, ge=1)
    PUSH_CONTACT: str = ""
    WEBHOOK_POST_TIMEOUT_S: float = Field(10.0, gt=0, le=30)

    # Sign-in
    SIWE_DOMAIN: str = ""
    ACCESS_TOKEN_TTL_S: int = Field(600, ge=60, le=3600)
    REFRESH_TOKEN_TTL_S: int = Field(14 * 86400, ge=3600)
    SIGNING_KEY_ROTATION_S: int = Field(30 * 86400, ge=3600)

    OIDC_ISSUERS: Strings = ()
    OIDC_TIMEOUT_S: float = Field(5.0, gt=0, le=30)

    # Sapphire
    SAPPHIRE_RPC_URL: str | None = None
    SAPPHIRE_CHAIN_ID: int = Field(LOCAL_CHAIN_ID, ge=1)
    SAPPHIRE_ADMIN_KEY: SecretStr | None = None
    SAPPHIRE_ADMIN_KEYSTORE: Path | None = None
    SAPPHIRE_ADMIN_KEYSTORE_PASSWORD: SecretStr | None = None
    SAPPHIRE_CONFIRMATIONS: int | None = Field(None, ge=1, le=1000)
    SAPPHIRE_GAS_PRICE_CAP_GWEI: int = Field(1000, ge=1)
    SAPPHIRE_CASH_TOKEN: str = ""

    # Tokens
    APPROVAL_WITHIN_S: int = Field(86_400, ge=60, le=365 * 86_400)
    MINT_AUTOMATIC_UP_TO: str = "0"
    WITHDRAWAL_AUTOMATIC_UP_TO: int = Field(10_000, ge=0, le=10**18)
    WITHDRAWAL_FOUR_EYES_ABOVE: int = Field(100_000, ge=0, le=10**18)
    WITHDRAWAL_DAILY_LIMIT: int = Field(1_000_000, ge=0, le=10**18)
    WITHDRAWAL_ADDRESS_DELAY_S: int = Field(86_400, ge=0, le=30 * 86_400)
    FEE_ACCOUNT: str = ""

    @field_validator(
        "CORS_ORIGINS",
        "TRUSTED_PROXIES",
        "ENTITY_PERMISSIONS_SOURCES",
        "SNS_TOPIC_ARNS",
        "RATE_LIMIT_ORDERS_BY_ROLE",
        "OIDC_ISSUERS",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "ENTITY_PERMISSIONS_BASE_URL",
        "SAPPHIRE_RPC_URL",
        "PUBLIC_URL",
        "KYC_BASE_URL",
        "COINGECKO_BASE_URL",
        "SMS_BASE_URL",
    )
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value and not re.match(r"https?://[^\s/]", value):
            raise ValueError("must be an http:// or https:// URL")
        return value.rstrip("/") if value else value

    @field_validator("REDIS_URL")
    @classmethod
    def _redis_url(cls, value: str | None) -> str | None:
        if value and not value.startswith(("redis://", "rediss://", "valkey://", "valkeys://")):
            raise ValueError("must be a redis://, rediss://, valkey:// or valkeys:// URL")
        return value

    @field_validator("DATABASE_URL")
    @classmethod
    def _database_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must be a postgresql:// URL")
        return value

    @field_validator("RATE_LIMIT_ORDERS_BY_ROLE")
    @classmethod
    def _limits(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"[a-z]{1,32}=[1-9][0-9]{0,8}", part) for part in value):
            raise ValueError("must be like operator=100000,issuer=500")
        return value

    @field_validator("OIDC_ISSUERS")
    @classmethod
    def _issuers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"https?://[^\s/?#][^\s?#]*=[^\s=]{1,255}", part) for part in value):
            raise ValueError("must be like https://login.example.com/realms/desk=deedbook")
        return value

    @field_validator("MINT_AUTOMATIC_UP_TO")
    @classmethod
    def _amount(cls, value: str) -> str:
        if not is_amount(value):
            raise ValueError("must be an amount of whole tokens such as 0 or 2500.50")
        return value

    @field_validator("MAIL_FROM")
    @classmethod
    def _mailbox(cls, value: str) -> str:
        if value and not re.fullmatch(r"[^\s<>@,;]{1,64}@[A-Za-z0-9.-]{1,189}", value):
            raise ValueError("must be one plain address such as no-reply@example.com")
        return value

    @field_validator("PUSH_CONTACT")
    @classmethod
    def _contact(cls, value: str) -> str:
        if value and not re.fullmatch(
            r"mailto:[^\s<>@,;]{1,64}@[A-Za-z0-9.-]{1,189}|https://[^\s/]\S{0,499}", value
        ):
            raise ValueError("must be mailto: with an address, or an https:// URL")
        return value

    @field_validator("SMS_ACCOUNT")
    @classmethod
    def _part_of_a_path(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,64}", value):
            raise ValueError("must be letters, digits, - and _")
        return value

    @field_validator("FEE_ACCOUNT")
    @classmethod
    def _account(cls, value: str) -> str:
        if value and not re.fullmatch(r"0x[0-9a-fA-F]{40}", value):
            raise ValueError("must be an address: 0x and 40 hex digits")
        return value

    @field_validator("SAPPHIRE_ADMIN_KEY")
    @classmethod
    def _private_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"(0x)?[0-9a-fA-F]{64}", value.get_secret_value()):
            raise ValueError("must be 32 bytes of hex")
        return value

    @field_validator("DEEDBOOK_DEMO_WALLETS")
    @classmethod
    def _demo_wallets(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"([a-z-]+=0x[0-9a-f]{64},?)+", value.get_secret_value()):
            raise ValueError("must be like investor=0x…,issuer=0x…, each with 32 bytes of hex")
        return value

    @field_validator("KYC_API_KEY")
    @classmethod
    def _long_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value and len(value.get_secret_value()) < 16:
            raise ValueError("must have at least 16 characters")
        return value

    @model_validator(mode="after")
    def _production_is_strict(self) -> "Settings":
        if self.DEEDBOOK_ENV == "production":
            problems = list(self._production_problems())
            if problems:
                raise ValueError("; ".join(problems))
        return self

    def _production_problems(self) -> list[str]:
        needed = {
            "DATABASE_URL": self.DATABASE_URL,
            "REDIS_URL": self.REDIS_URL,
            "SAPPHIRE_RPC_URL": self.SAPPHIRE_RPC_URL,
            "ENTITY_PERMISSIONS_BASE_URL": self.ENTITY_PERMISSIONS_BASE_URL,
            "DEEDBOOK_SECRET": self.DEEDBOOK_SECRET,
            "KYC_BASE_URL": self.KYC_BASE_URL,
            "KYC_API_KEY": self.KYC_API_KEY,
            "SIWE_DOMAIN": self.SIWE_DOMAIN,
        }
        problems = [f"{name} must be set in production" for name, value in needed.items() if not value]
        if self.FAILPOINTS:
            problems.append("FAILPOINTS is refused in production")
        if self.DEEDBOOK_DEMO_WALLETS:
            problems.append("DEEDBOOK_DEMO_WALLETS is refused in production: everybody may read its keys")
        if self.SNS_PINNED_CERTIFICATE:
            problems.append(
                "SNS_PINNED_CERTIFICATE is refused in production; SNS signs with its own certificate"
            )
        if self.KYC_BASE_URL and not self.KYC_BASE_URL.startswith("https://"):
            problems.append("KYC_BASE_URL must be https://: what is sent there is personal")
        if not self.COINGECKO_BASE_URL.startswith("https://"):
            problems.append("COINGECKO_BASE_URL must be https://: prices are believed")
        if self.SMTP_HOST and self.SMTP_SECURITY == "none":
            problems.append("SMTP_SECURITY must be starttls or tls: what is sent there is personal")
        if self.SMS_BASE_URL and not self.SMS_BASE_URL.startswith("https://"):
            problems.append("SMS_BASE_URL must be https://: what is sent there is personal")
        if not all(issuer.startswith("https://") for issuer in self.oidc_audiences):
            problems.append("OIDC_ISSUERS must be https://: who they say somebody is, is believed")
        if self.SAPPHIRE_CHAIN_ID == LOCAL_CHAIN_ID:
            problems.append("SAPPHIRE_CHAIN_ID is the local chain's")
        if self.admin_key_hex in DEVELOPMENT_KEYS:
            problems.append("SAPPHIRE_ADMIN_KEY is a publicly known development key")
        if self.WEBHOOK_HMAC_SECRET and len(self.WEBHOOK_HMAC_SECRET.get_secret_value()) < 32:
            problems.append("WEBHOOK_HMAC_SECRET must have at least 32 characters")
        if self.DEEDBOOK_SECRET and len(self.DEEDBOOK_SECRET.get_secret_value()) < 32:
            problems.append("DEEDBOOK_SECRET must have at least 32 characters")
        return problems

    @property
    def traces_to(self) -> str:
        """Where traces go; nowhere unless they were asked for."""
        if self.OTEL_EXPORTER_OTLP_ENDPOINT:
            return self.OTEL_EXPORTER_OTLP_ENDPOINT
        return "http://localhost:4318" if self.DEEDBOOK_TRACING else ""

    @property
    def production(self) -> bool:
        return self.DEEDBOOK_ENV == "production"

    @property
    def demo_wallets(self) -> dict[str, str]:
        """Keys of the people whom anybody may be here, by their names. On the local chain alone, outside production."""
        if self.DEEDBOOK_DEMO_WALLETS is None or self.production or self.SAPPHIRE_CHAIN_ID != LOCAL_CHAIN_ID:
            return {}
        parts = self.DEEDBOOK_DEMO_WALLETS.get_secret_value().split(",")
        return dict(part.split("=", 1) for part in parts if part)

    @property
    def sends_mail(self) -> bool:
        return bool(self.SMTP_HOST and self.MAIL_FROM)

    @property
    def sends_texts(self) -> bool:
        return bool(self.SMS_BASE_URL and self.SMS_ACCOUNT and self.SMS_TOKEN and self.SMS_FROM)

    @property
    def confirmations(self) -> int:
        """Blocks before a transaction counts, its own included (Sapphire never reorganizes; a restarted local node
        does)."""
        if self.SAPPHIRE_CONFIRMATIONS is not None:
            return self.SAPPHIRE_CONFIRMATIONS
        return 12 if self.SAPPHIRE_CHAIN_ID == LOCAL_CHAIN_ID else 1

    @property
    def blocks_above(self) -> int:
        """How many blocks lie above one that counts: an event of a transaction counts when the transaction does."""
        return self.confirmations - 1

    @cached_property
    def admin_key_hex(self) -> str:
        """The key as lower-case `0x…`, or an empty string."""
        if self.SAPPHIRE_ADMIN_KEY is None:
            return ""
        return "0x" + self.SAPPHIRE_ADMIN_KEY.get_secret_value().lower().removeprefix("0x")

    @cached_property
    def order_limits(self) -> dict[str, int]:
        """Orders per minute of those who have a role that differs from the rest."""
        parts = (part.partition("=") for part in self.RATE_LIMIT_ORDERS_BY_ROLE)
        return {role: int(limit) for role, _, limit in parts}

    @cached_property
    def oidc_audiences(self) -> dict[str, str]:
        """As whom each issuer whom we trust must address us in its tokens."""
        parts = (part.rpartition("=") for part in self.OIDC_ISSUERS)
        return {issuer: audience for issuer, _, audience in parts}

    @property
    def siwe_domain(self) -> str:
        return self.SIWE_DOMAIN or f"localhost:{self.PORT}"

    @property
    def public_url(self) -> str:
        return self.PUBLIC_URL or f"http://localhost:{self.PORT}"


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        SettingsError: with one line per variable that is wrong.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"  {'.'.join(str(part) for part in problem['loc']) or 'environment'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("the environment is not usable:\n" + "\n".join(lines)) from None
