"""A configuration that could not work is refused when it is written, not when it is used."""

from pathlib import Path
from typing import Any

import pytest

from deedbook.permissions import PermissionsConfig


@pytest.mark.parametrize(
    "change",
    [
        {"webhook_urls": ("ftp://host/hook",)},
        {"webhook_urls": ("http:///hook",)},
        {"webhook_urls": ("http://host:99999/hook",)},
        {"webhook_urls": ("http://host/ho ok",)},
        {"webhook_urls": ("http://user:secret@host/hook",)},
        {"webhook_urls": ("http://host/hook",) * 2},
        {"webhook_urls": tuple(f"http://host/{number}" for number in range(17))},
        {"region": "evil.test/"},
        {"topic_arn": "deedbook-local"},
        {"signature_version": "3"},
    ],
)
def test_unusable_configuration_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"webhook|region|topic|signature|[Pp]ort"):
        PermissionsConfig(database_path=tmp_path / "db", certificate_directory=tmp_path, **change)


def test_defaults_are_local(tmp_path: Path) -> None:
    config = PermissionsConfig(database_path=tmp_path / "db", certificate_directory=tmp_path)
    assert config.host == "127.0.0.1"
    assert config.topic_arn == "arn:aws:sns:us-east-1:000000000000:deedbook-local"
    assert config.signature_version == "2"
    assert config.principal_type == "user"
