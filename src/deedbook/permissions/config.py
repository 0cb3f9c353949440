"""What an operator may choose about the permission service. Values only; nothing is opened here."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

LOCAL_TOPIC_ARN = "arn:aws:sns:us-east-1:000000000000:deedbook-local"
WEBHOOKS_MAX = 16

_REGION = re.compile(r"[a-z0-9-]{3,32}")
_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]{3,32}:[0-9]{12}:[A-Za-z0-9_-]{1,256}")


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How patiently a message is pushed to a webhook: at least once, more and more slowly, then given up."""

    timeout_s: float = 10.0
    poll_interval_s: float = 0.25
    first_retry_s: float = 1.0
    longest_retry_s: float = 300.0
    give_up_after_s: float = 86_400.0
    sweep_interval_s: float = 60.0
    batch_size: int = 8


@dataclass(frozen=True, slots=True)
class PermissionsConfig:
    """Everything the service needs to start. There is no credential here because it asks for none."""

    database_path: Path
    certificate_directory: Path
    host: str = "127.0.0.1"
    port: int = 8080
    names: tuple[str, ...] = ()
    """Host names besides the loopback's under which officers open the desk."""
    webhook_urls: tuple[str, ...] = ()
    topic_arn: str = LOCAL_TOPIC_ARN
    region: str = "us-east-1"
    signature_version: Literal["1", "2"] = "2"
    principal_type: str = "user"
    busy_timeout_s: float = 10.0
    delivery: DeliveryPolicy = field(default_factory=DeliveryPolicy)

    def __post_init__(self) -> None:
        if len(self.webhook_urls) > WEBHOOKS_MAX:
            raise ValueError(f"at most {WEBHOOKS_MAX} webhook URLs")
        if len(set(self.webhook_urls)) != len(self.webhook_urls):
            raise ValueError("a webhook URL is listed twice")
        for url in self.webhook_urls:
            _require_plain_url(url)
        if not _REGION.fullmatch(self.region):
            raise ValueError(f"not a region: {self.region!r}")
        if not _TOPIC_ARN.fullmatch(self.topic_arn):
            raise ValueError(f"not a topic ARN: {self.topic_arn!r}")
        if self.signature_version not in ("1", "2"):
            raise ValueError("signature_version is '1' or '2'")

    @property
    def key_path(self) -> Path:
        """The private key, readable by its owner alone."""
        return self.certificate_directory / "sns-key.pem"

    @property
    def certificate_path(self) -> Path:
        """The certificate a receiver pins."""
        return self.certificate_directory / "sns-certificate.pem"


def _require_plain_url(url: str) -> None:
    parts = urlsplit(url)
    plain = url.isascii() and url.isprintable() and " " not in url and "@" not in parts.netloc
    # Asking for the port is what checks it.
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or parts.port == 0:
        raise ValueError("a webhook URL is http(s)://host[:port]/path in ASCII, without credentials")
