"""The one place that joins ports to integrations and lists the jobs. Everything else receives what it needs."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from deedbook import chain
from deedbook.chain.lane import LanePolicy
from deedbook.chain.terms import Contract
from deedbook.chain.watcher import Watch
from deedbook.compliance import KycProvider, Registrar
from deedbook.compliance import jobs as compliance_jobs
from deedbook.custody import jobs as custody_jobs
from deedbook.custody.ports import Desk, Gate, Lookout, OwnDeposit, Policy, Purses, VaultState
from deedbook.identity import SignInPolicy
from deedbook.identity import jobs as identity_jobs
from deedbook.identity.terms import Address
from deedbook.infra import jobs as infra_jobs
from deedbook.infra.bullmq_client import JobQueue, open_queue
from deedbook.infra.database import ACQUIRE_TIMEOUT_S, Database
from deedbook.infra.failpoints import arm
from deedbook.infra.redis import connect_redis
from deedbook.infra.settings import Settings, SettingsError
from deedbook.integrations.entity_permissions.client import EntityPermissionsClient
from deedbook.integrations.kyc.absent import NoKycProvider
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.kernel.jobs import QUEUES, HandlerSpec, handlers_of
from deedbook.marketdata import PriceFeeds, PricePolicy
from deedbook.marketdata import jobs as marketdata_jobs
from deedbook.markets import jobs as market_jobs
from deedbook.markets.terms import POLL_DECISIONS
from deedbook.notifications import Channel
from deedbook.notifications import jobs as notification_jobs
from deedbook.notifications.ports import MessagePolicy, Messengers
from deedbook.settlement import jobs as settlement_jobs
from deedbook.settlement.ports import Desk as SettlementDesk
from deedbook.tokens import Foundry
from deedbook.tokens import jobs as token_jobs
from deedbook.tokens.ports import VaultTokens
from deedbook.trading import jobs as trading_jobs

if TYPE_CHECKING:
    from deedbook.integrations.sapphire.keys import LocalSigner

NEEDED = ("DATABASE_URL", "REDIS_URL", "SAPPHIRE_RPC_URL", "ENTITY_PERMISSIONS_BASE_URL", "DEEDBOOK_SECRET")
"""What every process that opens `Resources` needs from its environment."""
JOB_MODULES = (
    infra_jobs,
    identity_jobs,
    compliance_jobs,
    token_jobs,
    custody_jobs,
    market_jobs,
    trading_jobs,
    marketdata_jobs,
    settlement_jobs,
    notification_jobs,
)


def all_handlers(settings: Settings) -> list[HandlerSpec]:
    """Every handler of every room. The poller is left out where the webhook alone is wanted."""
    handlers = [handler for module in JOB_MODULES for handler in handlers_of(module)]
    names = [handler.kind.name for handler in handlers]
    assert len(set(names)) == len(names), "two handlers share a name"
    if settings.ENTITY_PERMISSIONS_POLLING:
        return handlers
    return [handler for handler in handlers if handler.kind != POLL_DECISIONS]


@dataclass(frozen=True)
class Resources:
    """What a process works with. Rooms see the part of it that their ports name."""

    settings: Settings
    db: Database
    redis: Redis
    permissions: EntityPermissionsClient
    node: SapphireClient
    sign_in_policy: SignInPolicy

    @property
    def decision_feed(self) -> EntityPermissionsClient:
        return self.permissions

    @property
    def decision_sources(self) -> tuple[str, ...]:
        return self.settings.ENTITY_PERMISSIONS_SOURCES

    @property
    def vault_tokens(self) -> VaultTokens:
        from deedbook.integrations.sapphire.vault_tokens import SapphireVaultTokens

        return SapphireVaultTokens()

    @property
    def gate(self) -> Gate:
        from deedbook.integrations.sapphire.wallets import SapphireWallets

        return Gate(self.settings.SAPPHIRE_CHAIN_ID, SapphireWallets(self.node))

    @property
    def purses(self) -> Purses:
        from deedbook.integrations.sapphire.purses import SapphirePurses

        return SapphirePurses(self.node)

    @property
    def own_deposit(self) -> OwnDeposit:
        from deedbook.integrations.sapphire.vault_deposits import own_deposit

        return own_deposit

    @property
    def withdrawal_policy(self) -> Policy:
        return Policy(
            automatic_up_to=self.settings.WITHDRAWAL_AUTOMATIC_UP_TO,
            four_eyes_above=self.settings.WITHDRAWAL_FOUR_EYES_ABOVE,
            daily_limit=self.settings.WITHDRAWAL_DAILY_LIMIT,
            address_delay_s=self.settings.WITHDRAWAL_ADDRESS_DELAY_S,
        )

    @property
    def price_feeds(self) -> PriceFeeds:
        from deedbook.integrations.prices.feeds import Feeds

        settings, key = self.settings, self.settings.COINGECKO_API_KEY
        return Feeds(
            chain=self.node,
            coingecko_url=settings.COINGECKO_BASE_URL,
            coingecko_key=key.get_secret_value() if key else None,
            timeout_s=settings.PRICE_TIMEOUT_S,
            private_too=not settings.production,
        )

    @property
    def price_policy(self) -> PricePolicy:
        return PricePolicy(self.settings.PRICE_ALERT_BPS, self.settings.PRICE_MAX_SPREAD_BPS)

    @property
    def message_policy(self) -> MessagePolicy:
        settings = self.settings
        assert settings.DEEDBOOK_SECRET is not None
        domain = settings.MAIL_FROM.rpartition("@")[2] or settings.siwe_domain
        return MessagePolicy(settings.DEEDBOOK_SECRET.get_secret_value(), settings.public_url, domain)

    @property
    def channels(self) -> frozenset[Channel]:
        """By which ways people can be reached outside."""
        ways = {
            Channel.EMAIL: self.settings.sends_mail,
            Channel.SMS: self.settings.sends_texts,
            Channel.PUSH: bool(self.settings.PUSH_CONTACT),
        }
        return frozenset(channel for channel, there in ways.items() if there)

    def vault_state(self, vault: Address) -> VaultState:
        from deedbook.integrations.sapphire.vault_state import SapphireVaultState

        return SapphireVaultState(self.node, vault)

    async def lookout(self) -> Lookout | None:
        """From where the vault is watched; `None` while it is not deployed."""
        from deedbook.integrations.sapphire.vault_events import decode_if_known

        chain_id = self.settings.SAPPHIRE_CHAIN_ID
        vault = (await chain.contracts(self.db, chain_id)).get(Contract.SETTLEMENT)
        if vault is None:
            return None
        first_block = await chain.deployed_in(self.db, vault)
        watch = Watch(chain_id, vault, decode_if_known, first_block)
        return Lookout(self.node, watch, self.settings.blocks_above)

    @property
    def signing_key_rotation_s(self) -> int:
        return self.settings.SIGNING_KEY_ROTATION_S


@dataclass(frozen=True)
class WorkerResources(Resources):
    """The same with the platform's key, which only workers hold."""

    signer: "LocalSigner"
    kyc: KycProvider = field(default_factory=NoKycProvider)
    messengers: Messengers = field(default_factory=Messengers)

    @property
    def registrar(self) -> Registrar:
        from deedbook.integrations.sapphire.registry import SapphireRegistry

        chain_id, wallet = self.settings.SAPPHIRE_CHAIN_ID, self.signer.address
        return Registrar(self.node, SapphireRegistry(), chain_id, wallet)

    @property
    def desk(self) -> Desk:
        from deedbook.integrations.sapphire import custody as words

        return Desk(words, self.node, self.settings.SAPPHIRE_CHAIN_ID, self.signer.address)

    @property
    def settlement_desk(self) -> SettlementDesk:
        from deedbook.integrations.sapphire import settlement as words

        chain_id, depth = self.settings.SAPPHIRE_CHAIN_ID, self.settings.blocks_above
        return SettlementDesk(words, self.node, chain_id, self.signer.address, depth)

    @property
    def foundry(self) -> Foundry:
        from deedbook.integrations.sapphire.contracts import SapphireContracts

        chain_id, admin = self.settings.SAPPHIRE_CHAIN_ID, self.signer.address
        return Foundry(self.node, SapphireContracts(), self.vault_tokens, chain_id, admin)

    @property
    def lane_policy(self) -> LanePolicy:
        return LanePolicy(
            chain_id=self.settings.SAPPHIRE_CHAIN_ID,
            confirmations=self.settings.confirmations,
            gas_price_cap=self.settings.SAPPHIRE_GAS_PRICE_CAP_GWEI * 10**9,
        )


@asynccontextmanager
async def open_resources(
    settings: Settings, process: str, *, acquire_timeout_s: float = ACQUIRE_TIMEOUT_S
) -> AsyncIterator[Resources]:
    """Connections for one process, closed at the end. `acquire_timeout_s` is how long a use of the database waits for
    a connection.

    Raises:
        SettingsError: something that this process needs is not named in the environment.
    """
    require(settings, *NEEDED)
    assert settings.DATABASE_URL and settings.DEEDBOOK_SECRET
    assert settings.ENTITY_PERMISSIONS_BASE_URL and settings.SAPPHIRE_RPC_URL
    arm(settings.FAILPOINTS)
    async with AsyncExitStack() as stack:
        db = await Database.connect(
            settings.DATABASE_URL.get_secret_value(),
            pool_size=settings.DATABASE_POOL_SIZE,
            statement_timeout_s=settings.DATABASE_STATEMENT_TIMEOUT_S,
            idle_transaction_timeout_s=settings.DATABASE_IDLE_TRANSACTION_TIMEOUT_S,
            acquire_timeout_s=acquire_timeout_s,
            application=f"deedbook-{process}",
        )
        stack.push_async_callback(db.close)
        redis = connect_redis(settings)
        stack.push_async_callback(redis.aclose)
        permissions = EntityPermissionsClient(
            settings.ENTITY_PERMISSIONS_BASE_URL,
            redis,
            principal_type=settings.ENTITY_PERMISSIONS_PRINCIPAL_TYPE,
            timeout_s=settings.ENTITY_PERMISSIONS_TIMEOUT_S,
        )
        stack.push_async_callback(permissions.close)
        node = SapphireClient(settings.SAPPHIRE_RPC_URL)
        stack.push_async_callback(node.close)
        yield Resources(settings, db, redis, permissions, node, sign_in_policy(settings))


@asynccontextmanager
async def open_worker_resources(
    settings: Settings, process: str, *, acquire_timeout_s: float = ACQUIRE_TIMEOUT_S
) -> AsyncIterator[WorkerResources]:
    """The same for a process that signs chain transactions. Only these load the Ethereum libraries."""
    from deedbook.integrations.sapphire.keys import load_signer

    signer = load_signer(settings)
    async with (
        open_resources(settings, process, acquire_timeout_s=acquire_timeout_s) as r,
        _open_kyc(settings) as kyc,
    ):
        opened = r.db, r.redis, r.permissions, r.node, r.sign_in_policy
        yield WorkerResources(r.settings, *opened, signer, kyc, messengers(settings))


@asynccontextmanager
async def _open_kyc(settings: Settings) -> AsyncIterator[KycProvider]:
    """The KYC provider that the environment names, or one that approves nobody."""
    from deedbook.integrations.kyc.client import KycClient

    if settings.KYC_BASE_URL is None or settings.KYC_API_KEY is None:
        yield NoKycProvider()
        return
    key = settings.KYC_API_KEY.get_secret_value()
    client = KycClient(settings.KYC_BASE_URL, key, timeout_s=settings.KYC_TIMEOUT_S)
    try:
        yield client
    finally:
        await client.close()


def messengers(settings: Settings) -> Messengers:
    """Whoever carries messages here, as the environment has set them up."""
    from deedbook.integrations.messaging.posting import WebhookPoster
    from deedbook.integrations.messaging.sms import SmsGateway
    from deedbook.integrations.messaging.smtp import Security, SmtpServer
    from deedbook.integrations.messaging.web_push import WebPush
    from deedbook.notifications.derived import push_key

    mailer = texter = None
    if settings.sends_mail:
        password, authority = settings.SMTP_PASSWORD, settings.SMTP_CA_FILE
        mailer = SmtpServer(
            settings.SMTP_HOST,
            settings.SMTP_PORT,
            Security(settings.SMTP_SECURITY),
            settings.MAIL_FROM,
            settings.SMTP_USER or None,
            password.get_secret_value() if password else None,
            settings.SMTP_TIMEOUT_S,
            ssl.create_default_context(cafile=authority) if authority else None,
        )
    if settings.sends_texts and settings.SMS_BASE_URL and settings.SMS_TOKEN:
        token = settings.SMS_TOKEN.get_secret_value()
        texter = SmsGateway(
            settings.SMS_BASE_URL, settings.SMS_ACCOUNT, token, settings.SMS_FROM, settings.SMS_TIMEOUT_S
        )
    poster = WebhookPoster(settings.WEBHOOK_POST_TIMEOUT_S, private_too=not settings.production)
    pusher = None
    if settings.PUSH_CONTACT and settings.DEEDBOOK_SECRET:
        key = push_key(settings.DEEDBOOK_SECRET.get_secret_value())
        pusher = WebPush(key, settings.PUSH_CONTACT, poster)
    return Messengers(mailer, texter, poster, pusher)


def sign_in_policy(settings: Settings) -> SignInPolicy:
    assert settings.DEEDBOOK_SECRET is not None
    return SignInPolicy(
        domain=settings.siwe_domain,
        chain_id=settings.SAPPHIRE_CHAIN_ID,
        issuer=settings.public_url,
        secret=settings.DEEDBOOK_SECRET.get_secret_value(),
        access_ttl_s=settings.ACCESS_TOKEN_TTL_S,
        refresh_ttl_s=settings.REFRESH_TOKEN_TTL_S,
    )


def open_queues(redis: Redis) -> dict[str, JobQueue]:
    """All our queues over one client, for adding and looking."""
    return {spec.name: open_queue(spec.name, redis) for spec in QUEUES}


def require(settings: Settings, *names: str) -> None:
    """Check that these variables are set.

    Raises:
        SettingsError: with those that are not.
    """
    missing = [name for name in names if not getattr(settings, name)]
    if missing:
        raise SettingsError(
            "set "
            + ", ".join(missing)
            + " (or run the whole stack with `deedbook up`, which starts what is missing)"
        )
