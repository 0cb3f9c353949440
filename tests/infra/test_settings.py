"""Settings: each wrong value is named, production refuses what is for development, and secrets stay unsaid."""

import os

import pytest

from deedbook.infra.settings import DEVELOPMENT_KEYS, Settings, SettingsError, load_settings

PRODUCTION = {
    "DEEDBOOK_ENV": "production",
    "DATABASE_URL": "postgresql://u:hunter2@db/deedbook",
    "REDIS_URL": "rediss://cache/0",
    "SAPPHIRE_RPC_URL": "https://sapphire.example",
    "SAPPHIRE_CHAIN_ID": "23294",
    "SAPPHIRE_ADMIN_KEY": "0x" + "5c" * 32,
    "ENTITY_PERMISSIONS_BASE_URL": "http://permissions.internal",
    "KYC_BASE_URL": "https://kyc.example",
    "KYC_API_KEY": "k" * 32,
    "DEEDBOOK_SECRET": "s" * 48,
    "WEBHOOK_HMAC_SECRET": "w" * 48,
    "SIWE_DOMAIN": "deedbook.example",
}


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that names nothing of ours."""
    for name in list(os.environ):
        if name in Settings.model_fields:
            monkeypatch.delenv(name)
    return monkeypatch


def load(environ: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        environ.setenv(name, value)
    return load_settings()


def test_nothing_needs_to_be_set_for_development(environ: pytest.MonkeyPatch) -> None:
    settings = load(environ)
    assert not settings.production
    assert settings.public_url == "http://localhost:3000"


def test_empty_counts_as_not_set(environ: pytest.MonkeyPatch) -> None:
    assert load(environ, PORT="", DATABASE_URL="", SNS_TOPIC_ARNS="").PORT == 3000


def test_lists_are_read_when_they_are_separated_by_commas(environ: pytest.MonkeyPatch) -> None:
    assert load(environ, CORS_ORIGINS="https://a.example, https://b.example,").CORS_ORIGINS == (
        "https://a.example",
        "https://b.example",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "3000 " + "x"),
        ("DEEDBOOK_ENV", "staging"),
        ("LOG_LEVEL", "loud"),
        ("DATABASE_URL", "mysql://u:hunter2@db/x"),
        ("REDIS_URL", "http://cache"),
        ("SAPPHIRE_RPC_URL", "sapphire.example"),
        ("SAPPHIRE_ADMIN_KEY", "0xhunter2"),
        ("SAPPHIRE_CONFIRMATIONS", "0"),
        ("QUEUE_WORKER_CONCURRENCY", "-1"),
        ("ACCESS_TOKEN_TTL_S", "1"),
        ("MINT_AUTOMATIC_UP_TO", "-1"),
        ("MINT_AUTOMATIC_UP_TO", "1e3"),
        ("FEE_ACCOUNT", "0xhunter2"),
        ("FEE_ACCOUNT", "0x" + "ab" * 19),
        ("KYC_BASE_URL", "kyc.example"),
        ("KYC_API_KEY", "hunter2"),
        ("KYC_TIMEOUT_S", "31"),
    ],
)
def test_wrong_value_is_named_and_not_shown(environ: pytest.MonkeyPatch, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(environ, **{name: value})
    assert f"{name}:" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_every_wrong_value_is_named_at_once(environ: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"PORT:(.|\n)*LOG_LEVEL:|LOG_LEVEL:(.|\n)*PORT:"):
        load(environ, PORT="x", LOG_LEVEL="y")


def test_production_is_taken_when_everything_is_set(environ: pytest.MonkeyPatch) -> None:
    settings = load(environ, **PRODUCTION)
    assert settings.production
    assert settings.confirmations == 1
    assert "hunter2" not in repr(settings)
    assert "5c5c" not in repr(settings)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        *(
            ({name: ""}, f"{name} must be set in production")
            for name in (
                "DATABASE_URL",
                "REDIS_URL",
                "SAPPHIRE_RPC_URL",
                "ENTITY_PERMISSIONS_BASE_URL",
                "DEEDBOOK_SECRET",
                "SIWE_DOMAIN",
            )
        ),
        ({"FAILPOINTS": "lane.afterSign=kill:1"}, "FAILPOINTS is refused in production"),
        ({"SNS_PINNED_CERTIFICATE": "/a/certificate.pem"}, "SNS_PINNED_CERTIFICATE is refused"),
        ({"SAPPHIRE_CHAIN_ID": "31337"}, "SAPPHIRE_CHAIN_ID is the local chain's"),
        ({"DEEDBOOK_SECRET": "short"}, "DEEDBOOK_SECRET must have at least 32"),
        ({"WEBHOOK_HMAC_SECRET": "short"}, "WEBHOOK_HMAC_SECRET must have at least 32"),
        *(
            ({"SAPPHIRE_ADMIN_KEY": key}, "publicly known development key")
            for key in sorted(DEVELOPMENT_KEYS)
        ),
        ({"SAPPHIRE_ADMIN_KEY": sorted(DEVELOPMENT_KEYS)[0][2:].upper()}, "publicly known development key"),
    ],
)
def test_production_is_refused_when(
    environ: pytest.MonkeyPatch, changes: dict[str, str], problem: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load(environ, **{**PRODUCTION, **changes})
    assert problem in str(refused.value)
    assert not any(key[2:] in str(refused.value).lower() for key in DEVELOPMENT_KEYS)


def test_production_names_every_problem_at_once(environ: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as refused:
        load(environ, DEEDBOOK_ENV="production", FAILPOINTS="a=kill:1")
    for name in ("DATABASE_URL", "REDIS_URL", "SIWE_DOMAIN", "FAILPOINTS", "SAPPHIRE_CHAIN_ID"):
        assert name in str(refused.value)
