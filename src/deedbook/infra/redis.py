"""Redis or Valkey: copies, doorbells and counters. Everything here may vanish at any moment."""

from redis.asyncio import Redis

from deedbook.infra.bullmq_client import connect
from deedbook.infra.settings import Settings

QUICK_TIMEOUT_S = 1.0


def connect_redis(settings: Settings, *, blocking: bool = False, max_connections: int = 32) -> Redis:
    """A client for this environment. `blocking` is for workers, whose commands wait up to 10 s."""
    assert settings.REDIS_URL is not None, "the supervisor or the environment sets REDIS_URL"
    password = settings.REDIS_PASSWORD.get_secret_value() if settings.REDIS_PASSWORD else None
    options: dict[str, float] = {} if blocking else {"timeout_s": QUICK_TIMEOUT_S}
    return connect(
        settings.REDIS_URL,
        password=password,
        tls=settings.REDIS_TLS,
        max_connections=max_connections,
        **options,
    )
