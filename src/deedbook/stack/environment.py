"""The environment that the stack's processes share: what was given, and what was started in its place."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from deedbook.infra.embedded import Home, HomeInUse
from deedbook.infra.settings import LOCAL_CHAIN_ID, Settings, SettingsError
from deedbook.stack.demo_keys import keys_as_text
from deedbook.stack.ports import Ports

# The first account of the well-known test mnemonic: rich on every local chain, refused in production.
LOCAL_ADMIN_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
FILE = "environment.json"


@dataclass(frozen=True)
class Embedded:
    """Which parts are ours to start."""

    postgres: bool
    valkey: bool
    chain: bool
    permissions: bool
    kyc: bool


def embedded_parts(settings: Settings) -> Embedded:
    """A part is embedded unless the environment names a real one.

    Raises:
        SettingsError: a real chain without its key, which nobody can make up.
    """
    if settings.SAPPHIRE_RPC_URL and not (settings.SAPPHIRE_ADMIN_KEY or settings.SAPPHIRE_ADMIN_KEYSTORE):
        raise SettingsError("SAPPHIRE_ADMIN_KEY: the chain at SAPPHIRE_RPC_URL needs the platform's key")
    return Embedded(
        postgres=settings.DATABASE_URL is None,
        valkey=settings.REDIS_URL is None,
        chain=settings.SAPPHIRE_RPC_URL is None,
        permissions=settings.ENTITY_PERMISSIONS_BASE_URL is None,
        kyc=settings.KYC_BASE_URL is None,
    )


def shared_environment(home: Home, settings: Settings, ports: Ports, urls: dict[str, str]) -> dict[str, str]:
    """What every process is started with on top of our own environment."""
    parts = embedded_parts(settings)
    environ = {"DEEDBOOK_HOME": str(home.path), "PORT": str(settings.PORT), **urls}
    environ["ENTITY_PERMISSIONS_PRINCIPAL_TYPE"] = settings.ENTITY_PERMISSIONS_PRINCIPAL_TYPE
    if settings.DEEDBOOK_SECRET is None:
        environ["DEEDBOOK_SECRET"] = home.secret("deedbook")
    if settings.WEBHOOK_HMAC_SECRET is None:
        environ["WEBHOOK_HMAC_SECRET"] = home.secret("webhook-hmac")
    if parts.chain:
        environ["SAPPHIRE_CHAIN_ID"] = str(LOCAL_CHAIN_ID)
        environ.setdefault("SAPPHIRE_ADMIN_KEY", settings.admin_key_hex or LOCAL_ADMIN_KEY)
        if not settings.production:
            environ["DEEDBOOK_DEMO_WALLETS"] = keys_as_text(home)
    if parts.kyc:
        environ["KYC_BASE_URL"] = f"http://127.0.0.1:{ports.DEEDBOOK_KYC_PORT}"
        if settings.KYC_API_KEY is None:
            environ["KYC_API_KEY"] = home.secret("kyc")
    if parts.permissions:
        # Here, since every process reads this module and none but the supervisor needs the service's.
        from deedbook.permissions.config import LOCAL_TOPIC_ARN

        environ["ENTITY_PERMISSIONS_BASE_URL"] = f"http://127.0.0.1:{ports.DEEDBOOK_PERMISSIONS_PORT}"
        environ["SNS_TOPIC_ARNS"] = LOCAL_TOPIC_ARN
        environ["SNS_PINNED_CERTIFICATE"] = str(permissions_directory(home) / "sns-certificate.pem")
    else:
        # `grant` beside the stack must reach the service that the stack asks, or nothing it gives would count.
        environ["ENTITY_PERMISSIONS_BASE_URL"] = settings.ENTITY_PERMISSIONS_BASE_URL or ""
    return environ


def permissions_directory(home: Home) -> Path:
    return home.path / "permissions"


def remember(home: Home, environ: dict[str, str]) -> None:
    """Keep the environment for commands that are run beside the stack. Readable by its owner alone."""
    path = home.path / "secrets" / FILE
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(environ, file)
    draft.replace(path)


def forget(home: Home) -> None:
    (home.path / "secrets" / FILE).unlink(missing_ok=True)


def adopt_running_stack(environ: dict[str, str] | None = None) -> bool:
    """Take over the environment of the stack that runs in this home, so that `deedbook grant` and the like
    reach it; what is set already stays. `False` when none runs: what a killed one left behind is not taken,
    since its keys and secrets may not be those that are meant now."""
    target = os.environ if environ is None else environ
    home = Home.locate()
    path = home.path / "secrets" / FILE
    try:
        remembered: dict[str, str] = json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    if not _runs(home):
        return False
    for name, value in remembered.items():
        target.setdefault(name, value)
    return True


def _runs(home: Home) -> bool:
    try:
        with home.held():
            return False
    except HomeInUse:
        return True
